package replay

import (
	"context"
	"fmt"
	"sync"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// Sums are what a replay comes to.
type Sums struct {
	// Oldest and Newest are when the first and the last message of the record began.
	Oldest time.Time `json:"oldest,omitzero"`
	Newest time.Time `json:"newest,omitzero"`
	// Messages counts mail transactions, Decisions their recipients; one without any counts as one.
	Messages  int `json:"messages"`
	Decisions int `json:"decisions"`
	// Kinds counts the decisions of each kind, Checks those that changed by the check which decides
	// now or, for what is accepted now, decided then.
	Kinds  map[Kind]int            `json:"kinds"`
	Checks map[Kind]map[string]int `json:"checks"`
	// Blind counts, by check and reason, what could not be told.
	Blind map[Unknown]int `json:"-"`
	// Unnamed counts recipients beyond those that a transaction names, who were not judged.
	Unnamed int `json:"unnamed_recipients,omitempty"`
	// LeftOut counts messages of whose queries bounds of the record have left out a part.
	LeftOut int `json:"queries_left_out,omitempty"`
}

func newSums() *Sums {
	return &Sums{Kinds: map[Kind]int{}, Checks: map[Kind]map[string]int{}, Blind: map[Unknown]int{}}
}

func (s *Sums) add(r Result) {
	s.Decisions++
	s.Kinds[r.Kind]++
	check := r.To.Check
	switch r.Kind {
	case Unchanged:
		return
	case CannotTell:
		for _, u := range r.Unknown {
			s.Blind[Unknown{u.Check, reason(u.Why)}]++
		}
		return
	case Accepted:
		check = r.From.Check
	}
	if s.Checks[r.Kind] == nil {
		s.Checks[r.Kind] = map[string]int{}
	}
	s.Checks[r.Kind][check]++
}

// changed is how many decisions are others now.
func (s *Sums) changed() int { return s.Kinds[Refused] + s.Kinds[Accepted] + s.Kinds[Changed] }

// Verdict is what a replay comes to in one number: 0 if nothing changes, 1 if something does, 2 if
// of more than half it cannot be told, or there are none.
func (s *Sums) Verdict() int {
	switch {
	case 2*s.Kinds[CannotTell] > s.Decisions || s.Decisions == 0:
		return 2
	case s.changed() > 0:
		return 1
	}
	return 0
}

// pageSize is how many messages are held at once.
const pageSize = 1000

// Run judges all mail of the record from since to until, the oldest first, and tells of each
// decision. It holds one page of the record at a time.
func (j *Judge) Run(ctx context.Context, since, until time.Time, tell func(Result) error) (*Sums, error) {
	sums := newSums()
	q := record.Query{Kind: record.Messages, Since: since, Until: until, Forward: true, Limit: pageSize}
	for {
		page, err := j.reader.Search(ctx, q)
		if err != nil {
			return sums, err
		}
		if err := j.page(ctx, page.Entries, sums, tell); err != nil {
			return sums, err
		}
		if len(page.Entries) == 0 || !page.More {
			return sums, nil
		}
		q.After = page.Entries[len(page.Entries)-1].Position
	}
}

func (j *Judge) page(ctx context.Context, entries []record.Entry, sums *Sums, tell func(Result) error) error {
	events, err := j.events(ctx, entries)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		t := e.Message
		if sums.Messages++; sums.Messages == 1 {
			sums.Oldest = t.Begun
		}
		sums.Newest = t.Begun
		sums.Unnamed += max(t.RecipientCount-len(t.Recipients), 0)
		if t.LeftOut > 0 {
			sums.LeftOut++
		}
		for _, r := range j.Judge(t, events, j.decisionsOf(ctx, t)) {
			sums.add(r)
			if err := tell(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// events are the decisions that the outcomes of a page name, by their ids.
func (j *Judge) events(ctx context.Context, entries []record.Entry) (map[string]*policy.Event, error) {
	found := map[string]*policy.Event{}
	var ids []string
	add := func(id string) {
		if _, known := found[id]; id != "" && !known {
			found[id] = nil
			ids = append(ids, id)
		}
	}
	for _, e := range entries {
		add(e.Message.Event)
		for _, r := range e.Message.Recipients {
			add(r.Event)
		}
	}
	for len(ids) > 0 {
		n := min(len(ids), pageSize)
		page, err := j.reader.Search(ctx, record.Query{Kind: record.Decisions, IDs: ids[:n], Limit: n})
		if err != nil {
			return nil, fmt.Errorf("decisions of recorded messages: %w", err)
		}
		for _, e := range page.Entries {
			found[e.Event.ID] = e.Event
		}
		ids = ids[n:]
	}
	return found, nil
}

// decisionsOf looks for the decisions about a transaction when they are needed, once.
func (j *Judge) decisionsOf(ctx context.Context, t *policy.Transaction) func() ([]*policy.Event, error) {
	return sync.OnceValues(func() (events []*policy.Event, err error) {
		page, err := j.reader.Search(ctx, record.Query{
			Kind: record.Decisions, Session: t.Session, Transaction: t.Number, Forward: true, Limit: pageSize,
		})
		for _, e := range page.Entries {
			events = append(events, e.Event)
		}
		return events, err
	})
}
