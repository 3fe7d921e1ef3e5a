package console

import (
	"strings"
	"testing"

	"mailweir/test/browser"
)

// refused is a message that is taken for spam, to bob and from somebody whom SPF vouches for.
func refused(subject string, to ...string) letter {
	return letter{from: "friend@ok.example", subject: subject, to: to, fields: []string{"Test-Action: reject"}}
}

// A message is refused, seen as it happens, found in three ways, and permitted by the one whom it
// was for; then the next attempt passes. Who has nothing to do with it sees nothing of it.
func (b *bed) story(t *testing.T) {
	admin := b.login(t, "alice")
	admin.Go("/rejections")
	admin.Await(`document.querySelector("#live-says")?.textContent.includes("Live")`)
	reply, id := b.send(t, refused("Invoice of the gardener", "bob@example.org"))
	if !strings.HasPrefix(reply, "554 5.7.1") || id == "" {
		t.Fatalf("the message is answered %q", reply)
	}
	admin.Await(`[...document.querySelectorAll("table.list tbody tr a")].some(a => a.href.includes("` + id + `"))`)
	admin.AwaitText("Invoice of the gardener")
	admin.Screenshot("rejections")

	for _, sought := range []string{id, "bob@example.org", "the gardener"} {
		admin.Fill("#seek", sought)
		admin.Click(".seek button")
		admin.Await(`document.body.innerText.includes("` + id + `") || [...document.links].some(a => a.href.includes("` + id + `"))`)
	}
	admin.Go("/decision/" + id)
	for _, part := range []string{id, "554 5.7.1", "friend@ok.example", "bob@example.org", "Invoice of the gardener"} {
		if !admin.Says(part) {
			t.Errorf("the page of the decision has no %q", part)
		}
	}

	admin.Screenshot("decision")
	carol := b.login(t, "carol")
	for _, path := range []string{"/mine", "/"} {
		carol.Go(path)
		for _, part := range []string{id, "friend@ok.example", "bob@example.org", "gardener"} {
			if carol.Says(part) {
				t.Errorf("carol sees %q at %s", part, path)
			}
		}
	}
	carol.Go("/mine/" + id)
	if !strings.Contains(browser.Eval[string](carol, "document.title"), "Not Found") {
		t.Errorf("carol opens bob's: %s", browser.Eval[string](carol, "document.body.innerText"))
	}
	carol.Problems() // that it was not found

	bob := b.login(t, "bob")
	bob.Go("/mine")
	bob.AwaitText("Invoice of the gardener")
	bob.Screenshot("mine-list")
	bob.Click(`table.list tbody a[href*="` + id + `"]`)
	bob.Screenshot("mine")
	bob.Click(`form[action$="/wanted"] button.main`)
	bob.Await(`document.querySelector("[role=status]")`)
	bob.Screenshot("mine-wanted")

	if reply, _ := b.send(t, refused("Invoice of the gardener", "bob@example.org")); !strings.HasPrefix(reply, "250") {
		t.Errorf("after the permit the message is answered %q", reply)
	}
	if reply, _ := b.send(t, refused("Invoice of the gardener", "carol@example.org")); !strings.HasPrefix(reply, "554") {
		t.Errorf("to carol, who permitted nobody, it is answered %q", reply)
	}
	admin.GoUntil("/audit?operation=managed", "managed/add")
	if !admin.Says("friend@ok.example") || !admin.Says("bob") {
		t.Error("the audit does not say who permitted whom")
	}
	for name, w := range map[string]*browser.Window{"alice": admin, "bob": bob, "carol": carol} {
		if problems := w.Problems(); len(problems) > 0 {
			t.Errorf("%s: %q", name, problems)
		}
	}
}
