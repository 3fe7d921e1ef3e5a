package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/trace"
)

// both is a message to bob and carol of which the fields that a recipient may not see name bob.
func both() []record.Entry {
	e := refusal("mw-00000001", "bob@example.org", func(e *policy.Event) {
		e.Recipients, e.Count = []string{"bob@example.org", "carol@example.org"}, 2
		e.Cause, e.Err = "bob blocks", "bob failed"
		e.Trace = []trace.Query{{Question: "ldap: bob", Answer: "bob"}}
		e.QueueID, e.Helo, e.ClientName, e.Host, e.Policy = "bobqueue", "bobhelo", "bob.example", "bobhost", "bobpolicy"
	})
	fold := refusal("mw-00000002", "carol@example.org", func(e *policy.Event) {
		e.Recipients, e.Count = []string{"carol@example.org", "bob@example.org"}, 2
		e.Sender, e.Subject, e.MessageID, e.From = "to-bob@example.net", "for bob", "<bob@x>", "to-bob@example.net"
		e.Dedup = &policy.Dedup{Alike: policy.AlikeDomain, Times: 2, Last: noon, Senders: []string{"to-bob@example.net", "to-carol@example.net"}, SenderCount: 2}
	})
	other := refusal("mw-00000003", "bob@example.org")
	m := message("m1", "bob@example.org", "carol@example.org")
	m.Message.Recipients[0].Outcome = policy.Outcome{Fate: policy.Refused, Check: "rbl", Event: "mw-00000003"}
	return []record.Entry{e, fold, other, m}
}

// Carol's pages have no trace of bob.
func TestIsolation(t *testing.T) {
	w := newWorld(t, both()...)
	for _, path := range []string{"/mine", "/mine/mw-00000001", "/mine/mw-00000002"} {
		body := w.page(carol, path)
		if strings.Contains(strings.ToLower(body), "bob") || !strings.Contains(body, "carol@example.org") {
			t.Errorf("%s: %s", path, body)
		}
		for _, secret := range []string{"bl.example +1", "192.0.2.1", "mail.example.net", "ldap"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s shows %s", path, secret)
			}
		}
	}
	// What is not hers is not there, like what never was; only the id that she gave stands there.
	_, none := w.get(carol, "/mine/mw-99999999")
	code, foreign := w.get(carol, "/mine/mw-00000003")
	if code != http.StatusNotFound || strings.ReplaceAll(foreign, "mw-00000003", "") != strings.ReplaceAll(none, "mw-99999999", "") {
		t.Errorf("%d %s\n%s", code, foreign, none)
	}
	if code, _ := w.post(carol, "/mine/mw-00000003/wanted", nil); code != http.StatusNotFound {
		t.Errorf("wanted: %d", code)
	}
	for _, path := range []string{"/rejections", "/rejections.csv", "/rejections.jsonl", "/rejections/live", "/decision/mw-00000001", "/message/m1/1", "/search?q=carol"} {
		if code, body := w.get(carol, path); code != http.StatusForbidden || strings.Contains(body, "carol") {
			t.Errorf("%s: %d", path, code)
		}
	}
	if code, place := w.get(carol, "/"); code != http.StatusSeeOther || place != "/mine" {
		t.Errorf("/: %d %s", code, place)
	}
}

// Whoever helps with one domain sees of shared mail what concerns that domain.
func TestDomain(t *testing.T) {
	shared := refusal("mw-00000001", "carol@example.org", func(e *policy.Event) {
		e.Recipients, e.Count, e.Cause = []string{"zoe@elsewhere.example", "carol@example.org"}, 2, "zoe blocks"
		e.Trace = []trace.Query{{Question: "zoe", Answer: "zoe"}}
	})
	foreign := refusal("mw-00000002", "zoe@elsewhere.example")
	m := message("m1", "zoe@elsewhere.example", "carol@example.org")
	w := newWorld(t, shared, foreign, m)
	for _, path := range []string{
		"/", "/rejections?show=all", "/decision/mw-00000001", "/message/m1/1", "/rejections.csv?show=all", "/rejections.jsonl?show=all", "/search?q=carol@example.org",
	} {
		if body := w.page(dora, path); strings.Contains(body, "zoe") || strings.Contains(body, "elsewhere") || !strings.Contains(body, "carol@example.org") {
			t.Errorf("%s: %s", path, body)
		}
	}
	if code, _ := w.get(dora, "/decision/mw-00000002"); code != http.StatusNotFound {
		t.Errorf("a decision of another domain: %d", code)
	}
	if keys := keysOf(w.page(dora, "/rejections?to=@elsewhere.example")); len(keys) > 0 && !slices.Equal(keys, []string{"mw-00000001"}) {
		t.Errorf("a filter for another domain finds %v", keys)
	}
}

// entriesNow are the entries of a recipient.
func (w *world) entriesNow(v policy.Person, user string) (list []struct {
	Recipient, Subject string
	Permit             bool
},
) {
	w.t.Helper()
	answer, err := w.pages.do(w.t.Context(), v, "managed/list", map[string]string{"recipient": user}, "", 0)
	if err == nil {
		err = json.Unmarshal(answer, &list)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// One click permits the sender for whoever clicked, and for nobody else.
func TestWanted(t *testing.T) {
	w := newWorld(t, both()...)
	if body := w.page(carol, "/mine/mw-00000001"); !strings.Contains(body, `<form action="/mine/mw-00000001/wanted" method="post">`) {
		t.Fatal(body)
	}
	if len(w.entriesNow(alice, "")) > 0 {
		t.Fatal("looking has entered something")
	}
	code, body := w.post(carol, "/mine/mw-00000001/wanted", nil)
	if code != http.StatusOK || !strings.Contains(body, "is let in for you from now on.") || !strings.Contains(body, "please ask the sender to send it again") {
		t.Errorf("%d %s", code, body)
	}
	if list := w.entriesNow(alice, ""); len(list) != 1 || list[0].Recipient != "carol@example.org" || list[0].Subject != "ann@example.net" || !list[0].Permit {
		t.Errorf("%+v", list)
	}
	last := w.audit[len(w.audit)-2] // before that of alice's look
	if last.Name != "carol" || last.Operation != "managed/add" || !strings.Contains(last.Why, "mw-00000001") || last.Err != "" {
		t.Errorf("audit: %+v", last)
	}
	// Nobody knows who sent what was brought together.
	if code, _ := w.post(carol, "/mine/mw-00000002/wanted", nil); code != http.StatusConflict {
		t.Errorf("wanted of several senders: %d", code)
	}
}

func TestWantedOrNot(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*policy.Event)
		button bool
		says   string
	}{
		"a check that permits lift":      {func(*policy.Event) {}, true, ""},
		"nobody knows who vouches":       {func(e *policy.Event) { e.SPF = "" }, true, ""},
		"nothing vouches for the sender": {func(e *policy.Event) { e.SPF = "fail" }, false, "nothing shows that the sender is who he says"},
		"the null sender":                {func(e *policy.Event) { e.Sender = "" }, false, "A permit of yours does not let this in"},
		"a check that no permit lifts":   {func(e *policy.Event) { e.Check, e.Reply = "hops", "hops" }, false, "A permit of yours does not let this in"},
		"deferred":                       {func(e *policy.Event) { e.Action, e.Check, e.Reply = policy.ActionDeferred, "greylist", "greylist" }, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, refusal("mw-00000001", "bob@example.org", tt.change))
			body := w.page(bob, "/mine/mw-00000001")
			if strings.Contains(body, "I wanted this") != tt.button || !strings.Contains(body, tt.says) {
				t.Error(body)
			}
			code, done := w.post(bob, "/mine/mw-00000001/wanted", nil)
			if (code == http.StatusOK) != tt.button || (len(w.entriesNow(alice, "")) > 0) != tt.button {
				t.Errorf("%d %s", code, done)
			}
			if name == "deferred" && !strings.Contains(done, "The next attempt passes") {
				t.Error(done)
			}
		})
	}
}

// A user enters and takes back what is his, and nothing else.
func TestOwnEntries(t *testing.T) {
	w := newWorld(t)
	entry := func(user, sender, do string) (int, string) {
		return w.post(bob, "/entries", url.Values{"user": {user}, "sender": {sender}, "do": {do}, "for": {"720h"}})
	}
	if code, place := entry("bob@example.org", "spam@example.net", "block"); code != http.StatusSeeOther || place != "/mine#entries" {
		t.Errorf("%d %s", code, place)
	}
	for _, wrong := range []struct {
		user, sender, do string
		want             int
	}{
		{"carol@example.org", "ann@example.net", "permit", http.StatusForbidden},
		{"bob@example.org", "nothing", "permit", http.StatusBadRequest},
		{"bob@example.org", "ann@example.net", "x", http.StatusBadRequest},
		{"", "ann@example.net", "permit", http.StatusForbidden},
	} {
		if code, body := entry(wrong.user, wrong.sender, wrong.do); code != wrong.want {
			t.Errorf("%+v: %d %s", wrong, code, body)
		}
	}
	body := w.page(bob, "/mine")
	if !strings.Contains(body, "spam@example.net") || strings.Contains(w.page(carol, "/mine"), "spam@example.net") {
		t.Error(body)
	}
	var words []string
	for _, e := range elementsOf(body, "input") {
		if e.attr["name"] == "word" {
			words = append(words, e.attr["value"])
		}
	}
	if code, _ := w.post(carol, "/entries", url.Values{"do": {"rm"}, "word": words}); code != http.StatusForbidden {
		t.Errorf("carol takes bob's entry back: %d", code)
	}
	if code, body := w.post(bob, "/entries", url.Values{"do": {"rm"}, "word": words}); code != http.StatusSeeOther || len(w.entriesNow(alice, "")) > 0 {
		t.Errorf("%d %s, %v", code, body, words)
	}
}
