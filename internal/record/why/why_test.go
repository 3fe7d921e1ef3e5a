package why_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/why"
	"mailweir/internal/trace"
)

var (
	slow = &policy.Reply{
		ID: "slow", Row: "T3", Code: 451, Enhanced: "4.7.1", Text: "Come again",
		Description: "It was new.", Resolution: "Nothing.", Advice: "Your server tries again by itself.",
		Lifts: []policy.Lift{{Operation: "queue/pass", Words: []string{"--client={client}", "--from={envelope}", "--to={to}"}, Says: "Lets {envelope} pass to {to}."}},
	}
	listed = &policy.Reply{
		ID: "listed", Row: "P3", Code: 550, Enhanced: "5.7.1", Text: "Blocked",
		Description: "The sender is on a list.", Resolution: "Take it off.", Advice: "Mail from {sender} is not wanted here.",
		Lifts: []policy.Lift{
			{Table: "listed-list", Entry: "{sender} OK", Says: "Exempts {sender}; {place} is the line that blocks."},
			{Operation: "queue/on", Words: []string{"--for={account}"}, Cause: regexp.MustCompile(`^off: "(?P<account>[^"]+)"`), Says: "Switches {account} on."},
		},
	}
	final = &policy.Reply{ID: "final", Row: "P18", Code: 554, Enhanced: "5.4.6", Text: "Loop", Description: "It goes round.", Resolution: "Break it.", Lifts: []policy.Lift{{Says: "Nothing lets it pass."}}}
	asked = &policy.Reply{ID: "asked", Row: "P11", Code: 550, Enhanced: "5.7.1", Text: "Listed", Description: "A list has it.", Resolution: "Ask the list.", Advice: "Please ask the list for removal."}

	registry = &policy.Registry{Checks: []*policy.Check{
		{Name: "first", Title: "mail that is new", OnError: policy.Accept, Replies: []*policy.Reply{slow}, Exempt: policy.ExemptRecipientPermit | policy.ExemptPermitClient},
		{Name: "lists", Title: "senders on a list", Replies: []*policy.Reply{listed, final}},
		{Name: "zones", Title: "clients on DNS lists", OnError: policy.Accept, Replies: []*policy.Reply{asked}, Exempt: policy.ExemptRecipientPermit | policy.ExemptPermitClient | policy.ExemptPermitSender},
		{Name: "own", Title: "what users want", Permits: &policy.Lift{Operation: "own/add", Words: []string{"--user={to}", "--permit={sender}"}, Vouched: true, Says: "{to} permits {sender}."}},
	}}
)

func line(r *policy.Reply, id string) policy.Line {
	return policy.Object(r).Line(r, policy.Enforce).Ending("", id)
}

// event is a decision with all that is usual.
func event(id string, minute int, check string, r *policy.Reply, change func(*policy.Event)) *policy.Event {
	e := &policy.Event{
		Version: policy.EventVersion, ID: id, Time: at(minute), Host: "mx1.example.org", Check: check, Mode: policy.Enforce, Stage: policy.StageRcpt, AnsweredAt: policy.StageRcpt,
		Session: "s" + id, Transaction: 1, Client: netip.MustParseAddr("192.0.2.1"), ClientName: "mail.example.net", Helo: "mail.example.net", Service: policy.MX,
		Sender: "alice@example.net", HasSender: true, Recipients: []string{"bob@example.org"}, Count: 1, Direction: "inbound",
	}
	if r != nil {
		e.Reply, e.Row, e.Line = r.ID, r.Row, line(r, id)
		if e.Action = policy.ActionRefused; r.Code < 500 {
			e.Action = policy.ActionDeferred
		}
	}
	if change != nil {
		change(e)
	}
	return e
}

// message is what became of the transaction of an event, or of one of its own.
func message(session string, minute int, fate policy.Fate, e *policy.Event) *policy.Transaction {
	o := policy.Outcome{Fate: fate}
	if e != nil {
		session, o.Check, o.Reply, o.Event = e.Session, e.Check, e.Reply, e.ID
	}
	m := &policy.Transaction{
		Version: policy.EventVersion, Begun: at(minute), Ended: at(minute), Host: "mx1.example.org", Session: session, Number: 1, Service: policy.MX,
		Client: netip.MustParseAddr("192.0.2.1"), ClientName: "mail.example.net", Sender: "alice@example.net",
		Recipients: []policy.RecipientOutcome{{Recipient: "bob@example.org", Direction: "inbound", Outcome: o}}, RecipientCount: 1, Outcome: o,
	}
	if fate == policy.Accepted {
		m.QueueID, m.MessageID, m.Octets, m.Fields = "4AbC"+session, "<1@example.net>", 1234, 5
	}
	return m
}

func decisions(events ...*policy.Event) (list []record.Entry) {
	for _, e := range events {
		list = append(list, record.Entry{Event: e})
	}
	return list
}

func teller(entries []record.Entry) *why.Teller {
	return &why.Teller{
		Reader: &memory{entries: entries}, Registry: registry, Clock: func() time.Time { return at(24 * 60) },
		Tables: func(flag string) []string {
			return map[string][]string{"listed-list": {"texthash:/etc/mailweir/senders"}}[flag]
		},
	}
}

func TestTell(t *testing.T) {
	deferred := event("mw-aaaaaaa1", 0, "first", slow, func(e *policy.Event) {
		e.Trace = []trace.Query{{Question: "state first", Answer: "new"}}
	})
	for name, c := range map[string]struct {
		id      string
		entries []record.Entry
	}{
		"deferred": {"mw-aaaaaaa1", []record.Entry{
			{Event: deferred},
			{Message: message("", 0, policy.Deferred, deferred)},
			{Event: event("mw-aaaaaaa2", 5, "first", slow, nil)},
			{Message: message("s3", 15, policy.Accepted, nil)},
		}},
		"refused": {"mw-aaaaaaa1", decisions(event("mw-aaaaaaa1", 0, "lists", listed, func(e *policy.Event) {
			e.Cause = `"example.net" matches /etc/mailweir/senders:3`
			e.MessageID, e.From, e.Subject, e.Octets, e.QueueID = "<1@example.net>", "Alice <alice@example.net>", "Hello", 1234, "4AbCdE"
			e.TLS = policy.TLS{Version: "TLSv1.3", Cipher: "TLS_AES_256_GCM_SHA384"}
		}))},
		"vouched":   {"mw-aaaaaaa1", decisions(event("mw-aaaaaaa1", 0, "zones", asked, func(e *policy.Event) { e.SPF = "pass" }))},
		"unvouched": {"mw-aaaaaaa1", decisions(event("mw-aaaaaaa1", 0, "zones", asked, func(e *policy.Event) { e.SPF = "none" }))},
		"monitored": {"mw-aaaaaaa1", decisions(event("mw-aaaaaaa1", 0, "zones", asked, func(e *policy.Event) { e.Mode, e.Action = policy.Monitor, policy.ActionWould }))},
		"error":     {"mw-aaaaaaa1", decisions(event("mw-aaaaaaa1", 0, "zones", slow, func(e *policy.Event) { e.Err = "bl.example: no answer" }))},
		"final":     {"mw-aaaaaaa1", decisions(event("mw-aaaaaaa1", 0, "lists", final, nil))},
		"noted":     {"mw-aaaaaaa1", decisions(event("mw-aaaaaaa1", 0, "zones", nil, func(e *policy.Event) { e.Action, e.Err = policy.ActionError, "bl.example: no answer" }))},
		"sum": {"mw-aaaaaaa1", decisions(event("mw-aaaaaaa1", 0, "zones", asked, func(e *policy.Event) {
			e.Recipients, e.Count = []string{"bob@example.org", "carol@example.org"}, 2
			e.Dedup = &policy.Dedup{
				Alike: policy.AlikeCheck, Times: 1200, Last: at(1), Clients: []netip.Addr{e.Client, netip.MustParseAddr("192.0.2.2")}, ClientCount: 2,
				Senders: []string{"alice@example.net", "mallory@example.com"}, SenderCount: 40,
			}
		}))},
		"connection": {"mw-aaaaaaa1", decisions(event("mw-aaaaaaa1", 0, "lists", final, func(e *policy.Event) {
			e.Stage, e.AnsweredAt, e.Sender, e.HasSender, e.Recipients, e.Count, e.Transaction = policy.StageHelo, policy.StageHelo, "", false, nil, 0, 0
		}))},
		"hostile": {"mw-aaaaaaa1", decisions(event("mw-aaaaaaa1", 0, "first", slow, func(e *policy.Event) {
			e.Helo, e.ClientName, e.Sender = "x\x1b]0;owned\a", "evil\nmode: off", "\"a\u202eb$(reboot)\"@example.net"
			e.Subject, e.From, e.Recipients = "\x1b[2J", "<script>\r\n", []string{"o'neil;reboot@example.org"}
		}))},
	} {
		t.Run(name, func(t *testing.T) {
			told, err := teller(c.entries).Tell(t.Context(), c.id)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := told.Write(&out); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", out.String())
			if len(told.Ways) == 0 || told.Ways[0].Says == "" {
				t.Error("no way is told, not even that there is none")
			}
			if text, err := json.Marshal(told); err != nil || !bytes.Contains(text, []byte(`"version":1`)) {
				t.Errorf("JSON: %s, %v", text, err)
			}
		})
	}
}

// A sender that is no address is no entry of a list: there it would be a whole domain.
func TestTellDomainAsSender(t *testing.T) {
	for _, sender := range []string{"com", ".com", "@com", `"@example.com"`, "example.com", "x@"} {
		for _, check := range []string{"zones", "lists"} {
			reply := map[string]*policy.Reply{"zones": asked, "lists": listed}[check]
			e := event("mw-aaaaaaa1", 0, check, reply, func(e *policy.Event) { e.Sender, e.From, e.SPF = sender, sender, "pass" })
			told, err := teller(decisions(e)).Tell(t.Context(), e.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, way := range told.Ways {
				if way.Operation == "own/add" || way.Operation == "permit/add" && way.Words[0] != e.Client.String() || way.Entry != "" {
					t.Errorf("%s: %s %q, %s %q", sender, way.Operation, way.Words, way.Table, way.Entry)
				}
			}
		}
	}
}

func TestTellUnknown(t *testing.T) {
	for _, c := range []struct {
		entries []record.Entry
		want    string
	}{
		{nil, "mw-00000000 is not in the record, which is empty"},
		{decisions(event("mw-aaaaaaa1", 0, "first", slow, nil)), "mw-00000000 is not in the record, which goes back to 2026-11-28"},
	} {
		_, err := teller(c.entries).Tell(t.Context(), "mw-00000000")
		var unknown *why.UnknownError
		if !errors.As(err, &unknown) || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

// What --replies says is told as overridden, and the declaration's words stay.
func TestTellOverridden(t *testing.T) {
	tell := teller(decisions(event("mw-aaaaaaa1", 0, "first", slow, nil)))
	tell.Overrides = map[string]*policy.Reply{"slow": {ID: "slow", Code: 450, Enhanced: "4.2.0", Text: "Later"}}
	told, err := tell.Tell(t.Context(), "mw-aaaaaaa1")
	if err != nil || !told.Reply.Overridden || told.Reply.Description != "It was new." || !strings.Contains(told.Reply.Line, "Come again") {
		t.Errorf("%+v, %v", told.Reply, err)
	}
	if told.Ways[0].Operation != "queue/pass" || !told.OwnPermit {
		t.Errorf("ways %+v", told.Ways)
	}
}

// An event of a check that this version does not have any more is told all the same.
func TestTellForeign(t *testing.T) {
	told, err := teller(decisions(event("mw-aaaaaaa1", 0, "gone", &policy.Reply{ID: "gone", Code: 550, Enhanced: "5.7.1", Text: "Gone"}, nil))).Tell(t.Context(), "mw-aaaaaaa1")
	if err != nil || told.Check.Name != "gone" || len(told.Ways) != 1 {
		t.Errorf("%+v, %v", told, err)
	}
}

func TestTrace(t *testing.T) {
	first := event("mw-aaaaaaa1", 0, "first", slow, nil)
	refused := event("mw-aaaaaaa2", 20, "lists", listed, func(e *policy.Event) { e.Sender = "mallory@example.com" })
	byMallory := message("", 20, policy.Refused, refused)
	byMallory.Sender = "mallory@example.com"
	would := message("s9", 40, policy.Accepted, nil)
	would.Recipients[0].Would, would.MessageID = []string{"zones"}, "<2@example.net>"
	tell := teller([]record.Entry{
		{Event: first},
		{Message: message("", 0, policy.Deferred, first)},
		{Message: message("s3", 15, policy.Accepted, nil)},
		{Event: refused},
		{Message: byMallory},
		{Message: message("s5", 30, policy.RefusedByMTA, nil)},
		{Message: would},
	})
	for name, q := range map[string]record.Query{
		"trace-to":   {Recipient: "bob@example.org", Since: at(-60)},
		"trace-from": {Sender: "mallory@example.com", Since: at(-60)},
		"trace-none": {Recipient: "carol@example.org", Since: at(-60)},
	} {
		told, err := tell.Trace(t.Context(), q, "/var/log/mail.log")
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := told.Write(&out); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".txt", out.String())
		if strings.Contains(strings.ReplaceAll(out.String(), "whether it was delivered", ""), "delivered") {
			t.Errorf("%s claims a delivery", name)
		}
	}
}

// An id that a bound has left out was perhaps given all the same.
func TestUnknownWhereSomeAreLeftOut(t *testing.T) {
	m := &memory{entries: decisions(event("mw-aaaaaaa1", 0, "first", slow, nil)), leftOut: []record.Day{{LeftOut: 2}, {}, {LeftOut: 3}}}
	_, err := (&why.Teller{Reader: m}).Tell(t.Context(), "mw-00000000")
	const want = "mw-00000000 is not in the record, which goes back to 2026-11-28; all or a part of 5 entries was left out for want of room (--record-max)"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
