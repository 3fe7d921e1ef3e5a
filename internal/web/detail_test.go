package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/trace"
)

// The page of a decision has the whole dialog.
func TestDecision(t *testing.T) {
	asked := func(e *policy.Event) {
		e.Trace = []trace.Query{{Question: "1.2.0.192.bl.example A", Answer: "127.0.0.2"}}
		e.Cause = `"ann" matches ann at /etc/mailweir/senders:7`
		e.Session, e.Transaction = "m1", 1
	}
	w := newWorld(t, refusal("mw-00000001", "bob@example.org", asked), refusal("mw-00000002", "bob@example.org", func(e *policy.Event) {
		e.Session, e.Transaction, e.Check = "m1", 1, "spam"
	}), message("m1", "bob@example.org"))
	body := w.page(audra, "/decision/MW-00000001")
	for _, want := range []string{
		"550 5.7.1 bl.example Blocked - see https://bl.example [mw-00000001]", "1.2.0.192.bl.example A", "/etc/mailweir/senders:7", "What can be done:", "For the sender",
		`href="/decision/mw-00000002"`, `href="/message/m1/1"`, "All attempts of this mail",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(body, "<form action=\"/decision") {
		t.Error("an auditor is offered to change something")
	}
	if code, body := w.get(alice, "/decision/mw-00000009"); code != http.StatusNotFound || !strings.Contains(body, "mw-00000009 is not in the record, which goes back to 2026-11-28") {
		t.Errorf("%d %s", code, body)
	}
	for _, path := range []string{"/message/m1/2", "/message/m1/x", "/message/none/1"} {
		if code, _ := w.get(alice, path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
}

// actionsOn are the actions of a page by what they do.
func actionsOn(body string) map[string]string {
	actions := map[string]string{}
	for _, form := range strings.Split(body, `<details class="action">`)[1:] {
		says, _, _ := strings.Cut(form, "</summary>")
		says = strings.TrimSuffix(strings.TrimPrefix(says, "<summary><bdi>"), "</bdi>")
		for _, e := range elementsOf(form, "input") {
			if e.attr["name"] == "action" {
				actions[says] = e.attr["value"]
			}
		}
	}
	return actions
}

func TestActions(t *testing.T) {
	const (
		permit = "bob@example.org permits ann@example.net, which counts while SPF or DKIM vouches for the sender."
		block  = "bob@example.org blocks ann@example.net."
		rest   = "Stops asking bl.example, for all mail."
		forAll = "Permits ann@example.net for every recipient, while SPF or DKIM vouches for the sender."
		hold   = "Puts 192.0.2.1 on the temporary block list: while this check is enforced it is turned away from its next connection on."
	)
	w := newWorld(t, refusal("mw-00000001", "bob@example.org"))
	_, w.pages.Admin.Backends.Lists, _ = policytest.Names{}.Serve(t)
	for _, tt := range []struct {
		who    policy.Person
		may    []string
		mayNot []string
	}{
		{alice, []string{permit, block, rest, hold, forAll}, nil},
		{henry, []string{permit, block}, []string{rest, hold, forAll}},
		{dora, []string{permit, block}, []string{rest, hold, forAll}},
		{audra, nil, []string{permit, block, rest, hold}},
	} {
		on := actionsOn(w.page(tt.who, "/decision/mw-00000001"))
		for _, says := range tt.may {
			if on[says] == "" {
				t.Errorf("%s is not offered: %s", tt.who.Name, says)
			}
		}
		for _, says := range tt.mayNot {
			if on[says] != "" {
				t.Errorf("%s is offered: %s", tt.who.Name, says)
			}
		}
	}

	all := actionsOn(w.page(alice, "/decision/mw-00000001"))
	do := func(v policy.Person, action, note, life string) (int, string) {
		return w.post(v, "/decision/mw-00000001/do", url.Values{"action": {action}, "note": {note}, "for": {life}})
	}
	code, body := do(henry, all[permit], "bob's friend", "720h")
	for _, want := range []string{
		"mailweir managed add --user=bob@example.org --permit=ann@example.net --for=30d", "mailweir managed rm --user=bob@example.org --entry=ann@example.net", "Done",
	} {
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%d, no %s in %s", code, want, body)
		}
	}
	if list := w.entriesNow(alice, ""); len(list) != 1 || !list[0].Permit || list[0].Recipient != "bob@example.org" {
		t.Errorf("%+v", list)
	}
	if last := w.audit[len(w.audit)-2]; last.Name != "henry" || last.From != "console" || last.Why != "bob's friend" || last.Until.IsZero() {
		t.Errorf("audit: %+v", last)
	}
	for name, tt := range map[string]struct {
		who                policy.Person
		action, note, life string
		want               int
	}{
		"no note":               {alice, all[permit], " ", "24h", http.StatusBadRequest},
		"no span of time":       {alice, all[permit], "x", "-1h", http.StatusBadRequest},
		"an action of no page":  {alice, "000000000000", "x", "", http.StatusNotFound},
		"what he may not":       {henry, all[rest], "x", "", http.StatusForbidden},
		"a permit for all":      {henry, all[forAll], "x", "", http.StatusForbidden},
		"whoever only looks":    {audra, all[permit], "x", "", http.StatusForbidden},
		"a list of nobody here": {alice, all[rest], "x", "", http.StatusBadRequest},
	} {
		if code, body := do(tt.who, tt.action, tt.note, tt.life); code != tt.want {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
}
