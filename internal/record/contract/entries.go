package contract

import (
	"net/netip"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/trace"
)

var client = netip.MustParseAddr("192.0.2.1")

// refusal is a declaration of the suite's.
var refusal = policy.Reply{ID: "listed", Row: "P1", Code: 554, Enhanced: "5.7.1", Text: "refused because of a list"}

// decision is a refusal; an id of its own is made where none is given.
func decision(id string, at time.Time, change ...func(*policy.Event)) record.Entry {
	if id == "" {
		id = "mw-" + policy.NewID()
	}
	e := &policy.Event{
		Version: policy.EventVersion, ID: id, Time: at, Host: "mx1.example.org",
		Check: "listed", Mode: policy.Enforce, Stage: policy.StageMail, AnsweredAt: policy.StageRcpt, Action: policy.ActionRefused,
		Reply: "listed", Row: "P1", Line: policy.Object(&refusal).Line(&refusal, policy.Enforce).Ending("", id), Cause: "192.0.2.1 is on list.example",
		Session: "s-" + id, Transaction: 1, Client: client, ClientName: "mail.example.com", Helo: "mail.example.com",
		Service: policy.MX, Sender: "alice@example.com", HasSender: true, Recipients: []string{"bob@example.org"}, Count: 1,
		Direction: "inbound", TLS: policy.TLS{Version: "TLSv1.3", Cipher: "TLS_AES_256_GCM_SHA384", Bits: 256},
		Trace: []trace.Query{{Question: "1.2.0.192.list.example A?", Answer: "127.0.0.2"}},
	}
	for _, c := range change {
		c(e)
	}
	return record.Entry{Event: e}
}

// message is an accepted one, named by its session.
func message(session string, at time.Time, change ...func(*policy.Transaction)) record.Entry {
	m := &policy.Transaction{
		Version: policy.EventVersion, Begun: at.Add(-time.Second), Ended: at, Host: "mx1.example.org", Session: session, Number: 1,
		Service: policy.MX, Client: client, ClientName: "mail.example.com", Helo: "mail.example.com", Sender: "alice@example.com",
		Recipients:     []policy.RecipientOutcome{{Recipient: "bob@example.org", Direction: "inbound"}},
		RecipientCount: 1, Fields: 8, Octets: 4711,
	}
	for _, c := range change {
		c(m)
	}
	return record.Entry{Message: m}
}

// recipients gives a message these, who all have its fate.
func recipients(m *policy.Transaction, direction string, list ...string) {
	m.Recipients, m.RecipientCount = nil, len(list)
	for _, r := range list {
		m.Recipients = append(m.Recipients, policy.RecipientOutcome{Recipient: r, Direction: direction, Outcome: m.Outcome})
	}
}
