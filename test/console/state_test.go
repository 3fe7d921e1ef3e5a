package console

import (
	"path/filepath"
	"strings"
	"testing"
)

// What checks remember is entered and taken back, the policy is checked and loaded again, and a
// case is explained, as by the commands.
func (b *bed) state(t *testing.T) {
	w := b.login(t, "alice")
	w.Go("/state/tempblock/add")
	w.Fill("[name=args]", "192.0.2.77")
	w.Fill("[name=note]", "flood of <b>spam</b>")
	w.Click("main button.main")
	w.AwaitText("mailweir tempblock add 192.0.2.77 --for=1d '--note=flood of <b>spam</b>'")
	w.Go("/state/tempblock")
	w.AwaitText("flood of <b>spam</b>")
	w.Go("/state/tempblock?holding=192.0.2.78")
	if w.Says("192.0.2.77") {
		t.Error("the filter filters nothing")
	}
	w.Go("/state/tempblock")
	w.Click(`main a[href^="/state/tempblock/rm"]`)
	w.Fill("[name=note]", "gone")
	w.Click("main button.main")
	w.AwaitText("Done.")
	w.Go("/state/tempblock")
	if w.Says("192.0.2.77") {
		t.Error("what was taken off is still listed")
	}
	w.Go("/state/greylist/pass?client=192.0.2.1&from=friend@ok.example&to=bob@example.org")
	w.Fill("[name=note]", "expected")
	w.Click("main button.main")
	w.AwaitText("1 known")
	w.Go("/state/greylist?client=192.0.2.99")
	w.AwaitText("friend@ok.example")
	w.GoUntil("/audit?operation=tempblock", "tempblock/rm")
	for _, part := range []string{"tempblock/add", "tempblock/rm", "flood of <b>spam</b>", "alice"} {
		w.AwaitText(part)
	}
	b.reload(t)
	b.explain(t)
	if problems := w.Problems(); len(problems) > 0 {
		t.Errorf("%q", problems)
	}
}

// reload shows what would change before it does.
func (b *bed) reload(t *testing.T) {
	w := b.login(t, "alice")
	before := b.conf
	b.write("conf", before+"hops-max = many\n")
	w.Go("/policy")
	w.Click(`form[action="/policy/check"] button`)
	w.AwaitText("conf:3: --hops-max")
	if w.Says("Load it\n") {
		t.Error("what is wrong can be loaded")
	}
	b.write("conf", before+"hops-max = 7\n")
	w.Click(`form[action="/policy/check"] button`)
	w.AwaitText("It can be loaded.")
	w.AwaitText("--hops-max")
	w.Fill(`form[action="/policy/reload"] [name=note]`, "fewer hops")
	w.Click(`form[action="/policy/reload"] button`)
	w.AwaitText("The policy has been loaded again.")
	w.Go("/settings?holding=hops-max")
	w.AwaitText("conf:3")
	w.GoUntil("/audit?operation=reload", "fewer hops")
}

// explain says the same as the command.
func (b *bed) explain(t *testing.T) {
	w := b.login(t, "alice")
	b.write("letter.eml", "From: friend@ok.example\r\nSubject: x\r\n"+strings.Repeat("Received: from a\r\n", 8)+"\r\nhello\r\n")
	w.Go("/explain")
	for name, value := range map[string]string{"client": "127.0.0.1", "from": "friend@ok.example", "to": "bob@example.org"} {
		w.Fill("[name="+name+"]", value)
	}
	w.Upload("[name=message]", filepath.Join(b.dir, "letter.eml"))
	w.Click("main button.main")
	w.AwaitText("554 5.4.6 Mail loop detected")
	w.AwaitText("mailweir explain --client=127.0.0.1 --from=friend@ok.example --to=bob@example.org --no-scanners letter.eml")
	w.Screenshot("explain")
	w.Go("/explain")
	w.Fill("[name=client]", "nonsense")
	w.Click("main button.main")
	w.AwaitText("--client: ")
	w.Problems() // that it was a bad request
}
