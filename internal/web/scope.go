package web

import (
	"context"
	"slices"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// scoped reads the record as far as a visitor may see it: entries that concern nobody of his are
// not there, and of the others he sees his own recipients.
type scoped struct {
	record.Reader
	by        policy.Person
	delimiter string
}

// reader is the record for a visitor. Every page reads through it.
func (p *Pages) reader(v policy.Person) record.Reader {
	if v.Remit == nil {
		return p.Record
	}
	return scoped{p.Record, v, p.delimiter()}
}

func (p *Pages) delimiter() string { return p.Admin.Offer().Delimiter }

// Search finds what the visitor may see, by what he may see of it: whoever asks for another's
// address, or for a word of another's, does not learn that it is there.
func (s scoped) Search(ctx context.Context, q record.Query) (record.Page, error) {
	q = within(s.by, q).Normal()
	for {
		page, err := s.Reader.Search(ctx, q)
		found := len(page.Entries)
		if err != nil || found == 0 {
			return page, err
		}
		last := page.Entries[found-1].Position
		page.Entries = slices.DeleteFunc(page.Entries, func(e record.Entry) bool { return !q.Match(s.own(e)) })
		for i, e := range page.Entries {
			page.Entries[i] = s.own(e)
		}
		if len(page.Entries) > 0 || !page.More || !page.Reached.IsZero() {
			return page, nil
		}
		if q.Forward {
			q.After = last
		} else {
			q.Before = last
		}
	}
}

// Counts are of everybody's mail, so there are none.
func (s scoped) Counts(context.Context, time.Time, time.Time, time.Duration) ([]record.Count, error) {
	return nil, nil
}

// Changes concern everybody.
func (s scoped) Changes(context.Context, record.ChangeQuery) ([]record.Change, error) {
	return nil, nil
}

// own is an entry without what concerns others. What is said about all recipients together, such as
// the cause, is left out where there are others.
func (s scoped) own(e record.Entry) record.Entry {
	if e.Message != nil {
		e.Message = s.ownMessage(*e.Message)
		return e
	}
	v := *e.Event
	v.Recipients = nil
	for _, r := range e.Event.Recipients {
		if s.by.Sees(r, s.delimiter) {
			v.Recipients = append(v.Recipients, r)
		}
	}
	if others := max(v.Count, len(e.Event.Recipients)) - len(v.Recipients); others > 0 {
		v.Cause, v.Err, v.Stack, v.Trace, v.Edits = "", "", "", nil, nil
		if v.Dedup != nil {
			s.unfold(&v)
		}
	}
	v.Count = len(v.Recipients)
	e.Event = &v
	return e
}

// unfold leaves of a sum over others' mail, too, what all of it has in common.
func (s scoped) unfold(v *policy.Event) {
	d := *v.Dedup
	several := d.SenderCount > 1 || len(d.Senders) > 1 || d.Alike == policy.AlikeCheck
	d.Clients, d.Senders, d.ClientCount, d.SenderCount = nil, nil, 0, 0
	v.Dedup = &d
	v.MessageID, v.From, v.Subject, v.QueueID, v.Session, v.Transaction = "", "", "", "", "", 0
	v.Attachments, v.Octets, v.Login = nil, 0, ""
	if several {
		v.Sender, v.HasSender = "", false
	}
}

func (s scoped) ownMessage(t policy.Transaction) *policy.Transaction {
	var own []policy.RecipientOutcome
	for _, r := range t.Recipients {
		if s.by.Sees(r.Recipient, s.delimiter) {
			own = append(own, r)
		}
	}
	if max(t.RecipientCount, len(t.Recipients)) > len(own) && len(own) > 0 {
		t.Outcome = own[0].Outcome
		t.Queries, t.State = nil, nil
	}
	t.Recipients, t.RecipientCount = own, len(own)
	return &t
}
