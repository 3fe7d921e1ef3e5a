package why

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/attempts"
)

// Teller tells decisions of a record.
type Teller struct {
	Reader   record.Reader
	Registry *policy.Registry
	// Overrides are what --replies has, by the reply's id; nil is none.
	Overrides map[string]*policy.Reply
	// Tables are the tables that a flag names, without hyphens; nil knows none.
	Tables func(flag string) []string
	Clock  func() time.Time
}

// UnknownError says that an id is not in the record.
type UnknownError struct {
	ID string
	// Oldest is how far the record goes back, zero when it is empty.
	Oldest time.Time
	// LeftOut is how many entries a bound of a day has left out, wholly or in part.
	LeftOut int64
}

func (e *UnknownError) Error() string {
	if e.Oldest.IsZero() {
		return e.ID + " is not in the record, which is empty"
	}
	text := fmt.Sprintf("%s is not in the record, which goes back to %s", e.ID, e.Oldest.UTC().Format(time.DateOnly))
	if e.LeftOut > 0 {
		text += fmt.Sprintf("; all or a part of %d entries was left out for want of room (--record-max)", e.LeftOut)
	}
	return text
}

// Tell tells the decision of an id. The error is an [UnknownError], or one of the record.
func (t *Teller) Tell(ctx context.Context, id string) (*Telling, error) {
	page, err := t.Reader.Search(ctx, record.Query{Kind: record.Decisions, IDs: []string{id}, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(page.Entries) == 0 {
		extent, err := t.Reader.Extent(ctx)
		if err != nil {
			return nil, err
		}
		unknown := &UnknownError{ID: id, Oldest: extent.Oldest}
		for _, day := range extent.Days {
			unknown.LeftOut += day.LeftOut
		}
		return nil, unknown
	}
	return t.Of(ctx, page.Entries[0].Event)
}

// Of tells a decision.
func (t *Teller) Of(ctx context.Context, e *policy.Event) (*Telling, error) {
	check, reply, overridden := t.declared(e)
	told := &Telling{
		Version: tellingVersion, ID: e.ID, Summary: summary(e), Check: checkOf(e, check), Cause: e.Cause, Places: placesIn(e.Cause + "\n" + e.Err),
		Err: e.Err, Queries: e.Trace, Edits: e.Edits, Sum: sumOf(e), Event: e,
	}
	if reply != nil {
		told.Reply = &Reply{ID: e.Reply, Row: cmp.Or(e.Row, reply.Row), Line: e.Line.String(), Overridden: overridden, Description: reply.Description, Resolution: reply.Resolution}
	}
	if err := t.around(ctx, told); err != nil {
		return nil, err
	}
	told.Facts = facts(e, told.Message)
	if check != nil {
		told.OwnPermit = reply != nil && (check.Exempt&policy.ExemptRecipientPermit != 0 || check.Permits != nil)
	}
	told.Ways = t.ways(e, check, reply)
	told.Measures = slices.DeleteFunc(t.measures(e), func(w Way) bool { return slices.ContainsFunc(told.Ways, w.does) })
	told.ForSender, told.Again = toSender(e, reply)
	return told, nil
}

// does reports whether two ways do the same.
func (w Way) does(other Way) bool {
	return w.Operation != "" && w.Operation == other.Operation && slices.Equal(w.Words, other.Words)
}

// declared finds check and reply of an event; nil is one that this version does not have, or none.
func (t *Teller) declared(e *policy.Event) (check *policy.Check, reply *policy.Reply, overridden bool) {
	for _, c := range t.Registry.Checks {
		if c.Name == e.Check {
			check = c
		}
		for _, r := range c.Replies {
			if r.ID == e.Reply {
				reply = r
			}
		}
	}
	if !e.Action.Answers() {
		return check, nil, false
	}
	if o := t.Overrides[e.Reply]; o != nil && reply != nil {
		own := *o // what an override leaves alone is declared
		own.Lifts, own.Advice, own.Description, own.Resolution = reply.Lifts, reply.Advice, reply.Description, reply.Resolution
		return check, &own, true
	}
	return check, reply, false
}

// around finds what else the record has: the message, its other decisions, and what came later.
func (t *Teller) around(ctx context.Context, told *Telling) error {
	e := told.Event
	if e.Session != "" && e.Transaction > 0 {
		page, err := t.Reader.Search(ctx, record.Query{Session: e.Session, Transaction: e.Transaction, Forward: true, Limit: besides})
		if err != nil {
			return err
		}
		for _, entry := range page.Entries {
			switch {
			case entry.Message != nil:
				told.Message = entry.Message
			case entry.Event.ID != e.ID:
				told.Beside = append(told.Beside, entry.Event)
			}
		}
	}
	var err error
	if mails := attempts.Of(record.Entry{Event: e}); len(mails) > 0 && e.Dedup == nil {
		chain, err := attempts.Find(ctx, t.Reader, mails[0], t.Clock())
		if err != nil {
			return err
		}
		told.Became = chain.String()
	}
	told.Since, err = t.since(ctx, e)
	return err
}

// besides bounds what is shown of one transaction, and laters of what happened since.
const (
	besides = 50
	laters  = 20
)

// since is what happened afterwards between the sender and the first recipient.
func (t *Teller) since(ctx context.Context, e *policy.Event) ([]Later, error) {
	if !e.HasSender || len(e.Recipients) == 0 {
		return nil, nil
	}
	q := record.Query{
		Since: e.Time, Sender: cmp.Or(address.Parse(e.Sender).Key(), "<>"), Recipient: address.Parse(e.Recipients[0]).Key(), Forward: true, Limit: laters,
	}
	if e.Dedup != nil {
		q.Since = e.Dedup.Last
	}
	page, err := t.Reader.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	var list []Later
	told := map[string]bool{}
	for _, entry := range page.Entries {
		if entry.Event != nil && entry.Event.Action.Answers() && entry.Event.Action != policy.ActionWould {
			told[entry.Event.ID] = true
		}
	}
	for _, entry := range page.Entries {
		switch {
		case entry.Event != nil && entry.Event.ID == e.ID, entry.Message != nil && sameTransaction(entry.Message, e):
		case entry.Message != nil && told[outcomeFor(entry.Message, e.Recipients[0]).Event]: // the decision says more
		case entry.Event != nil:
			list = append(list, laterEvent(entry.Event))
		default:
			list = append(list, laterMessage(entry.Message, e.Recipients[0]))
		}
	}
	return list, nil
}

func sameTransaction(m *policy.Transaction, e *policy.Event) bool {
	return m.Session == e.Session && m.Number == e.Transaction
}

func laterEvent(e *policy.Event) Later {
	text := e.Line.String()
	if text == "" {
		text = cmp.Or(e.Err, e.Cause)
	}
	return Later{Time: e.Time, What: e.Action.String(), Text: e.Check + ": " + text, ID: e.ID, QueueID: e.QueueID}
}

func laterMessage(m *policy.Transaction, recipient string) Later {
	outcome := outcomeFor(m, recipient)
	text := fateText(outcome.Fate)
	if outcome.Check != "" {
		text += " by the check " + outcome.Check
	}
	return Later{Time: m.Ended, What: outcome.Fate.String(), Text: text, ID: outcome.Event, QueueID: m.QueueID}
}

// outcomeFor is what became of one recipient.
func outcomeFor(m *policy.Transaction, recipient string) policy.Outcome {
	for _, r := range m.Recipients {
		if address.Parse(r.Recipient).Key() == address.Parse(recipient).Key() {
			return r.Outcome
		}
	}
	return m.Outcome
}

// where is a line of a file, as causes name one: an absolute path that stands by itself, perhaps
// behind a kind of table. What follows the name of a host, or the // of a URL, is none.
var where = regexp.MustCompile(`(?m)(?:^|[\s"'(\[<=,;:])(/[^\s:"'/][^\s:"']*):(\d+)\b`)

// placesIn finds the lines of files that a text names, each once.
func placesIn(text string) (places []Place) {
	known := map[Place]bool{}
	for _, m := range where.FindAllStringSubmatch(text, 50) {
		n, err := strconv.Atoi(m[2])
		p := Place{File: m[1], Line: n}
		if err == nil && n > 0 && !known[p] {
			known[p] = true
			places = append(places, p)
		}
	}
	return places
}

func checkOf(e *policy.Event, declared *policy.Check) Check {
	c := Check{Name: e.Check, Mode: e.Mode, Stage: e.Stage, AnsweredAt: e.AnsweredAt}
	if declared != nil {
		c.Title = declared.Title
	}
	switch {
	case e.Err != "":
		c.Says = "it could not judge"
	case e.Mode == policy.Monitor:
		c.Says = "it only records, and the mail went on"
		if e.ByHand != "" {
			c.Says += "; " + e.ByHand
		}
	case e.Mode == policy.Defer:
		c.Says = "it refuses temporarily what it would refuse"
	default:
		c.Says = "its objection is the answer"
	}
	return c
}

func sumOf(e *policy.Event) *Sum {
	d := e.Dedup
	if d == nil {
		return nil
	}
	return &Sum{
		Times: d.Times, Alike: string(d.Alike), First: e.Time, Last: d.Last, Clients: d.Clients, ClientCount: d.ClientCount,
		Senders: d.Senders, SenderCount: d.SenderCount, Recipients: e.Recipients, RecipientCount: e.Count,
	}
}

// fromAddress is the address in a header From, "" where there is not exactly one.
func fromAddress(field string) string {
	list, more := address.HeaderFrom([]string{field}).First(2, false)
	if len(list) != 1 || more || strings.TrimSpace(field) == "" || !isMailbox(list[0]) {
		return ""
	}
	return list[0].Key()
}
