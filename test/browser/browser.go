// Package browser shows things in headless Chromium. A [Page] shows HTML without scripts and
// network, so that tests can hold what mailweir takes for the text of a message against what a
// person sees; a [Window] visits a server on this machine as a person does.
package browser

import (
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"mailweir/test/testbed"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Page is one page of a browser of its own. It is used by one goroutine at a time.
type Page struct {
	ctx   context.Context
	frame page.SetDocumentContentParams
}

// Start starts a browser for a page. Without Chromium, or with -short, the test is skipped; with
// CI=true it fails.
func Start(t testing.TB) *Page {
	t.Helper()
	p := &Page{ctx: start(t)}
	if err := p.prepare(); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return p
}

// start starts a browser with one tab, which ends with the test.
func start(t testing.TB) context.Context {
	t.Helper()
	testbed.Peers(t)
	program, err := exec.LookPath("chromium")
	if err != nil {
		testbed.Missing(t, "no chromium (run test/install.sh)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.WindowSize(1024, 768),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

func (p *Page) prepare() error {
	if err := chromedp.Do(p.ctx, chromedp.Navigate("about:blank"), chromedp.EmulateViewport(1024, 768)); err != nil {
		return err
	}
	everything := network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{
		{Offline: true, DownloadThroughput: -1, UploadThroughput: -1},
	}}
	if _, err := chromedp.Call(p.ctx, network.Enable, network.EnableParams{}); err != nil {
		return err
	}
	if _, err := chromedp.Call(p.ctx, network.EmulateNetworkConditionsByRule, everything); err != nil {
		return err
	}
	scripts := emulation.SetScriptExecutionDisabledParams{Value: true}
	if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, scripts); err != nil {
		return err
	}
	tree, err := chromedp.Call(p.ctx, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return err
	}
	p.frame.FrameID = tree.FrameTree.Frame.ID
	return nil
}

// InnerText is the text of a document as the browser copies it.
func (p *Page) InnerText(doc string) (string, error) {
	return p.ask(doc, "document.documentElement.innerText")
}

// SeenText is InnerText without letters that have a box, but cannot be seen: too small,
// transparent, clipped, out of the page.
func (p *Page) SeenText(doc string) (string, error) { return p.ask(doc, seen) }

//go:embed seen.js
var seen string

func (p *Page) ask(doc, script string) (string, error) {
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	p.frame.HTML = doc
	if _, err := chromedp.Call(ctx, page.SetDocumentContent, p.frame); err != nil {
		return "", fmt.Errorf("show: %w", err)
	}
	return chromedp.Run(ctx, chromedp.Evaluate[string](script))
}
