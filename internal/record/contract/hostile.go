package contract

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/trace"
)

// hostile are texts of untrusted clients that have broken others.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `javascript:alert(1)`, `</script><script>`, `<!--<script>`,
	`<svg/onload=alert(1)>`, `]]>`, `&lt;script&gt;`, `{{7*7}}`, `<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>`, `+ADw-script+AD4-`,
	`＜script＞`, "a\u202eb", "a\u2028b", "a\x00b", "a\xffb", "a\r\nb: c", "=1+1", "+1", "-1", "@SUM(A1)", "\t=1",
	`'; DROP TABLE mailweir_entries; --`, `$1`, `?`, `\`, `\N`, `\.`, `%`, `_`, `$?`, "\ufeff", "\U0001f9e8", "a\u0000", `"quoted user"@example.org`, "\n",
	strings.Repeat("A", 5000), // the last: it makes its rows long
}

// testHostile puts every hostile text into every field, and finds it by every field.
func testHostile(t *testing.T, open Open) {
	s := open(t, Options{Clock: at(begin.Add(time.Hour))})
	for i, h := range hostile {
		event := decision(h, begin, func(e *policy.Event) {
			e.Host, e.Check, e.Reply, e.Row, e.Cause, e.Err, e.Stack, e.Session = h, h, h, h, h, h, h, h
			e.ClientName, e.Helo, e.Service, e.Login, e.Sender, e.Direction, e.QueueID = h, h, policy.Service(h), h, h, h, h
			e.Recipients = []string{h, "bob@example.org", h + "@example.org"}
			e.MessageID, e.From, e.Subject, e.Attachments = h, h, h, []string{h, h}
			e.SPF, e.DKIM, e.DMARC, e.Policy = mailauth.SPFResult(h), []string{h}, h, h
			e.TLS = policy.TLS{Version: h, Cipher: h, CertSubject: h, CertIssuer: h}
			e.Trace = []trace.Query{{Question: h, Answer: h}}
			e.Edits = []policy.Edit{{Name: h, Value: h}}
			e.Dedup = &policy.Dedup{Alike: policy.Alike(h), Times: 2, Senders: []string{h}, SenderCount: 1}
		})
		event.Event.ID = fmt.Sprintf("mw-%d-", i) + h
		msg := message(h, begin, func(m *policy.Transaction) {
			m.Host, m.ClientName, m.Helo, m.Login, m.Sender, m.QueueID, m.Service = h, h, h, h, h, h, policy.Service(h)
			m.MessageID, m.From, m.Subject, m.Attachments, m.Check, m.Reply, m.Event = h, h, h, []string{h}, h, h, h
			m.SPF, m.DKIM, m.DMARC, m.Policy, m.Would = mailauth.SPFResult(h), []string{h}, h, h, []string{h}
			recipients(m, h, h, h+"@example.org")
		})
		write(t, s, event, msg)
		page := search(t, s, record.Query{Limit: 2})
		if len(page.Entries) != 2 {
			t.Fatalf("%.40q: %d entries", h, len(page.Entries))
		}
		sameText(t, page.Entries[0], msg)
		sameText(t, page.Entries[1], event)
		for what, q := range map[string]record.Query{
			"session": {Session: h}, "queue id": {QueueID: h}, "message id": {MessageID: h}, "host": {Host: h}, "sender": {Sender: h},
			"a recipient": {Recipient: h + "@example.org"}, "login": {Login: h}, "check": {Checks: []string{h}}, "not check": {NotChecks: []string{h}},
			"service": {Service: policy.Service(h)}, "direction": {Direction: h}, "text": {Text: h}, "own": {Own: []string{h}},
			"own domains": {OwnDomains: []string{h}}, "id": {IDs: []string{h}}, "code": {Code: h},
		} {
			q.Limit = 3
			if _, err := s.Search(t.Context(), q); err != nil {
				t.Errorf("%.40q as %s: %v", h, what, err)
			}
		}
		change := record.Change{
			Host: h, Time: begin, Operation: h, Person: policy.Person{Name: h, From: h}, Why: h, Err: h,
			Changes: []policy.Alteration{{What: h, Before: h, After: h}},
		}
		if err := s.Write(t.Context(), nil, []record.Change{change}); err != nil {
			t.Errorf("%.40q in the audit: %v", h, err)
		}
		if list, err := s.Changes(t.Context(), record.ChangeQuery{Limit: 1}); err != nil || len(list) != 1 || fmt.Sprint(clean(list[0].Why)) != clean(h) {
			t.Errorf("%.40q in the audit came back as %+v, %v", h, list, err)
		}
		if _, err := s.Changes(t.Context(), record.ChangeQuery{By: h, Operation: h, Text: h}); err != nil {
			t.Errorf("%.40q asked of the audit: %v", h, err)
		}
	}
	for _, h := range hostile {
		plain := clean(h) == h && strings.TrimSpace(h) == h
		if page := search(t, s, record.Query{Session: h}); plain && len(page.Entries) != 2 {
			t.Errorf("%.40q finds %d sessions", h, len(page.Entries))
		}
		if page := search(t, s, record.Query{Text: h, Limit: 1}); plain && len(page.Entries) == 0 {
			t.Errorf("%.40q is not found by text", h)
		}
	}
}

// clean is a text as a record has it at the least: what is not UTF-8, and NUL, may be replaced.
func clean(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}

// sameText compares entries as their JSON has them, whose NULs a column may have replaced.
func sameText(t *testing.T, got, wanted record.Entry) {
	t.Helper()
	plain := strings.NewReplacer(`\u0000`, "\uFFFD", `\ufffd`, "\uFFFD")
	if g, w := plain.Replace(text(t, got)), plain.Replace(text(t, wanted)); g != w {
		t.Errorf("%.2000s\nwant\n%.2000s", g, w)
	}
}
