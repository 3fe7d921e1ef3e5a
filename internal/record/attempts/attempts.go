// Package attempts brings together what belongs to one mail: its sender's server was told to try
// again, came back, and was let in or gave up; or several hosts took the same mail.
//
// Attempts are of one mail when sender and recipient are the same and, where both have one, the
// Message-Id. The sender counts without the parts that change ([address.Address.SenderKey]), and
// the client may be another one each time: large senders retry from any of their hosts. Before the
// header has come there is no Message-Id, so such an attempt goes with the mail that is still to
// come back, if that has been silent for [Silence] at most.
package attempts

import (
	"context"
	"slices"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/record"
)

const (
	// Reach is how far from an attempt the others are looked for: how long servers try (RFC 5321
	// section 4.5.4.1).
	Reach = 5 * 24 * time.Hour
	// Silence is after how long without a further attempt a mail counts as given up. It is the time
	// for which greylisting expects a retry by default.
	Silence = 12 * time.Hour
	// most bounds the entries that one look takes from the record, before and after the attempt.
	most = 500
)

// Mail is what one mail is known by.
type Mail struct {
	// Sender and Recipient are as the MTA wrote them; the empty sender is the null sender.
	Sender, Recipient string
	// MessageID is "" where none is known.
	MessageID string
	// At is when one of its attempts was. Session and Transaction name that attempt, if known.
	At          time.Time
	Session     string
	Transaction int
}

// Of gives the mails that an entry is about, one a recipient, in order. What came before MAIL and
// RCPT is about none.
func Of(e record.Entry) (mails []Mail) {
	m := Mail{At: e.Time()}
	var recipients []string
	switch {
	case e.Event != nil && e.Event.HasSender:
		m.Sender, m.MessageID, recipients = e.Event.Sender, e.Event.MessageID, e.Event.Recipients
		m.Session, m.Transaction = e.Event.Session, e.Event.Transaction
	case e.Message != nil:
		m.Sender, m.MessageID = e.Message.Sender, e.Message.MessageID
		m.Session, m.Transaction = e.Message.Session, e.Message.Number
		for _, r := range e.Message.Recipients {
			recipients = append(recipients, r.Recipient)
		}
	}
	for _, r := range recipients {
		m.Recipient = r
		mails = append(mails, m)
	}
	return mails
}

// Attempt is one try to bring a mail to one recipient.
type Attempt struct {
	// Time is when it was over, or decided where Message is nil.
	Time time.Time
	// Message is what became of the transaction; nil where only decisions of it are in the record.
	Message *policy.Transaction
	// Event is the decision against it, nil where there was none or it is not in the record.
	Event *policy.Event
	// Outcome is what became of it for this recipient. Where Known is false that is not in the
	// record, and Outcome is empty.
	Outcome policy.Outcome
	Known   bool
	// ByMessageID says that its Message-Id shows that it belongs to the mail; else sender and
	// recipient alone do.
	ByMessageID bool
}

// Find looks for the attempts of a mail around the one that is known. It asks the record for so
// many entries at most that More may say that there are others. now is the caller's clock.
func Find(ctx context.Context, r record.Reader, m Mail, now time.Time) (Chain, error) {
	q := record.Query{Recipient: m.Recipient, Sender: senderTerm(m.Sender), Limit: most}
	if address.Parse(m.Recipient).IsNull() {
		return Chain{Mail: m}, nil
	}
	before, after := q, q
	before.Since, before.Until = m.At.Add(-Reach), m.At
	after.Since, after.Until, after.Forward = m.At, m.At.Add(Reach), true
	earlier, err := r.Search(ctx, before)
	if err != nil {
		return Chain{}, err
	}
	later, err := r.Search(ctx, after)
	if err != nil {
		return Chain{}, err
	}
	slices.Reverse(earlier.Entries)
	c := chainOf(m, append(earlier.Entries, later.Entries...), now)
	c.More = earlier.More || later.More
	if c.Result == GivenUp {
		return c, c.doubt(ctx, r)
	}
	return c, nil
}

// senderTerm is what finds every form of the sender: those of one domain.
func senderTerm(sender string) string {
	a := address.Parse(sender)
	switch {
	case a.IsNull():
		return "<>"
	case a.Domain == "":
		return a.Key()
	}
	return "@" + a.Domain
}

// doubt takes back that the mail was given up where the record keeps no accepted messages: it may
// have been accepted.
func (c *Chain) doubt(ctx context.Context, r record.Reader) error {
	page, err := r.Search(ctx, record.Query{
		Kind: record.Messages, Fates: []policy.Fate{policy.Accepted},
		Since: c.Last.Add(-Silence), Until: c.Last.Add(Silence), Limit: 1,
	})
	if err == nil && len(page.Entries) == 0 {
		c.Result = Unknown
	}
	return err
}

// messageID is a Message-Id in the form in which two are compared.
func messageID(id string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(id), "<"), ">")
}
