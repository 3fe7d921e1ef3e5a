package browser

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"mailweir/test/testbed"
)

// Chromium is a browser for several people: each has a window.
type Chromium struct{ ctx context.Context }

// StartChromium starts a browser that reaches nothing but this machine. It ends with the test.
// Without Chromium, or with -short, the test is skipped; with CI=true it fails.
func StartChromium(t testing.TB) *Chromium {
	t.Helper()
	c := &Chromium{start(t)}
	if err := chromedp.Do(c.ctx, chromedp.Navigate("about:blank")); err != nil { // starts it
		t.Fatalf("chromium: %v", err)
	}
	return c
}

// Window is what one person sees, with cookies of his own. A step that fails ends the test. It is
// used by one goroutine at a time.
type Window struct {
	t    testing.TB
	ctx  context.Context
	base string

	mu       sync.Mutex
	problems []string
	heard    int // marks that have come back from the console of the page
	marks    int // marks that were made there
}

// Window opens a window for the server at base, such as http://127.0.0.1:1234.
func (c *Chromium) Window(t testing.TB, base string) *Window {
	t.Helper()
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	w := &Window{t: t, ctx: ctx, base: base}
	console := chromedp.Console(ctx)
	dialogs := chromedp.Events(ctx, page.JavascriptDialogOpening)
	go func() {
		for m, err := range console {
			switch {
			case err != nil:
			case m.Text == mark:
				w.hear()
			case m.Type == chromedp.ConsoleError || m.IsException():
				w.problem("console: " + m.Text + " " + m.URL)
			}
		}
	}()
	go func() {
		for d, err := range dialogs {
			if err == nil {
				w.problem("dialog: " + d.Message)
				_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{}) // else the page waits for ever
			}
		}
	}()
	w.do("open", chromedp.Navigate("about:blank"))
	return w
}

// For says which test fails when a step does, and looks at the page as at a desk by day.
func (w *Window) For(t testing.TB) *Window {
	t.Helper()
	w.t = t
	w.Set(Look{Width: 1440})
	return w
}

func (w *Window) problem(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, text)
}

// mark is what a window writes to the console of its page, to hear all that came before.
const mark = "-- so far --"

func (w *Window) hear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard++
}

// Problems are the dialogs and the errors of the console since it was asked last.
func (w *Window) Problems() []string {
	w.t.Helper()
	// What the page said before the mark has been heard before it.
	w.marks++
	Eval[bool](w, "console.log("+Quote(mark)+"), true")
	err := testbed.Until(func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.heard < w.marks {
			return errors.New("the console of the page does not answer")
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	problems := w.problems
	w.problems = nil
	return problems
}

func (w *Window) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, testbed.Patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.t.Fatalf("%s: %v\n%s", what, err, w.seen())
	}
}

// seen is what the page says, for a test that has failed.
func (w *Window) seen() string {
	ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// Go visits a path of the server.
func (w *Window) Go(path string) {
	w.t.Helper()
	w.do(path, chromedp.Navigate(w.base+path))
}

// Eval evaluates a script in the page.
func Eval[T any](w *Window, script string) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, testbed.Patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		w.t.Fatalf("%.200s: %v\n%s", script, err, w.seen())
	}
	return value
}

// Await waits until a script is true of the page.
func (w *Window) Await(script string) {
	w.t.Helper()
	err := testbed.Until(func() error { // between two pages a script is an error
		ctx, cancel := context.WithTimeout(w.ctx, testbed.Patience)
		defer cancel()
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+script+")"))
		if err == nil && !is {
			err = errors.New("it is not")
		}
		return err
	})
	if err != nil {
		w.t.Fatalf("never true: %s: %v\n%s", script, err, w.seen())
	}
}

// AwaitText waits until the page says something.
func (w *Window) AwaitText(text string) {
	w.t.Helper()
	w.Await("document.body && document.body.innerText.includes(" + Quote(text) + ")")
}

// GoUntil visits a path again and again until the page says something: what is recorded is written
// a moment later.
func (w *Window) GoUntil(path, text string) {
	w.t.Helper()
	var seen string
	err := testbed.Until(func() error {
		w.Go(path)
		if !w.Says(text) {
			seen = w.seen()
			return fmt.Errorf("it does not say %q", text)
		}
		return nil
	})
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", path, err, seen)
	}
}

// Says reports whether the page says something.
func (w *Window) Says(text string) bool {
	w.t.Helper()
	return Eval[bool](w, "document.body.innerText.includes("+Quote(text)+")")
}

// Quote makes a text a literal of a script.
func Quote(text string) string {
	literal, _ := json.Marshal(text) // a string always can be
	return string(literal)
}

// Fill writes into a field as a person does. The selector is of CSS.
func (w *Window) Fill(selector, text string) {
	w.t.Helper()
	w.do("fill "+selector, chromedp.Clear(chromedp.CSS(selector)), chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Upload chooses a file.
func (w *Window) Upload(selector, file string) {
	w.t.Helper()
	w.do("upload "+selector, chromedp.SetUploadFiles(chromedp.CSS(selector), []string{file}))
}

// Click presses something that leads to another page, and waits for that.
func (w *Window) Click(selector string) {
	w.t.Helper()
	Eval[bool](w, "window.left = true")
	w.do("click "+selector, chromedp.Click(chromedp.CSS(selector)))
	w.Await(`!window.left && document.readyState === "complete"`)
}

// Look is how a page is looked at.
type Look struct {
	Width int
	Dark  bool
}

func (l Look) String() string {
	theme := "light"
	if l.Dark {
		theme = "dark"
	}
	return fmt.Sprintf("%d-%s", l.Width, theme)
}

// Looks are a telephone and a desk, by day and by night.
var Looks = [...]Look{{360, false}, {360, true}, {1440, false}, {1440, true}}

// Set has the page looked at so from now on.
func (w *Window) Set(l Look) {
	w.t.Helper()
	theme := "light"
	if l.Dark {
		theme = "dark"
	}
	w.do("look", chromedp.EmulateViewport(int64(l.Width), 900))
	_, err := chromedp.Call(w.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// Wide names what makes the page scroll sideways, nothing if it does not.
func (w *Window) Wide() []string {
	w.t.Helper()
	return Eval[[]string](w, `(() => {
		const width = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= width) return [];
		return [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > width + 1).
			map(e => e.tagName + "." + e.className + " " + e.innerText?.slice(0, 40)).slice(0, 5);
	})()`)
}

// axe is axe-core 4.14.1 as its package on npm has it, under the Mozilla Public License 2.0. It is
// used by tests alone.
//
//go:embed axe/axe.min.js
var axe string

// Axe lets axe-core look at the page, and returns what it finds wrong: the rule, and elements that
// break it. Without rules all of WCAG 2.2 A and AA are looked at.
func (w *Window) Axe(rules ...string) []string {
	w.t.Helper()
	if !Eval[bool](w, `typeof axe === "object"`) {
		w.do("axe", chromedp.Evaluate[chromedp.Void](axe))
	}
	only := append([]string{"wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"}, rules...)
	if len(rules) > 0 {
		only = rules
	}
	list, _ := json.Marshal(only)
	return Eval[[]string](w, `axe.run(document, {runOnly: `+string(list)+`, resultTypes: ["violations"]}).then(r =>
		r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.html).slice(0, 3).join(" ")))`)
}

// Screenshot keeps a picture of the page, as high as it is, where MAILWEIR_SCREENSHOTS names a
// directory.
func (w *Window) Screenshot(name string) {
	w.t.Helper()
	dir := os.Getenv("MAILWEIR_SCREENSHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(w.ctx, testbed.Patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644)
	}
	if err != nil {
		w.t.Fatalf("screenshot %s: %v", name, err)
	}
}

// Links are the paths of this server to which the page leads, each once.
func (w *Window) Links() []string {
	w.t.Helper()
	links := Eval[[]string](w, `[...document.querySelectorAll("a[href]")].map(a => a.href)`)
	var paths []string
	for _, link := range links {
		link, _, _ = strings.Cut(link, "#")
		if path, ok := strings.CutPrefix(link, w.base); ok && path != "" && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}
