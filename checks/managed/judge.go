package managed

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"

	"mailweir/internal/address"
	"mailweir/internal/byhand"
	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// question is what is to be known of recipients: whether one of them blocks one of these senders.
type question struct {
	// senders are those to be put to what is asked for a recipient; the error is why there are
	// more.
	senders func(asked ...policy.Waiter) (iter.Seq[address.Address], error)
	reply   func(*hit) *policy.Reply
	work    *atomic.Int64 // the pairs of this message that were looked up; nil where there is one sender
}

// mostPairs bounds how many times one message has a sender of header From looked up for a recipient
// who has entries.
const mostPairs = 100_000

var errPairs = errors.New("header From names too many addresses for so many recipients, and not all were looked up")

// judge objects to the first block that is found. The state is asked only from where it may know
// more than the tables.
func (m *rule) judge(recipients []*policy.Recipient, q question) policy.Verdict {
	return m.tables.Later(func(ctx context.Context) (policy.Verdict, error) {
		for i, r := range recipients {
			own, err := m.ownOf(ctx, r.Address)
			switch {
			case err != nil:
				return policy.Pass, err
			case own.open:
				return m.entries.Later(func(ctx context.Context) (policy.Verdict, error) {
					v, err := m.judgeOne(ctx, own, q)
					if v.Objects() || err != nil && !policy.LetsOn(err) {
						return v, err
					}
					rest, failed := m.judgeAll(ctx, recipients[i+1:], q)
					if !rest.Objects() && failed == nil {
						failed = err
					}
					return rest, failed
				}), nil
			}
			if v, err := m.judgeOne(ctx, own, q); v.Objects() || err != nil {
				return v, err
			}
		}
		return policy.Pass, nil
	})
}

// judgeAll asks tables and state. What could not be known of one recipient keeps the others from
// nothing, where the mail goes on all the same.
func (m *rule) judgeAll(ctx context.Context, recipients []*policy.Recipient, q question) (v policy.Verdict, skipped error) {
	for _, r := range recipients {
		own, err := m.ownOf(ctx, r.Address)
		if err == nil {
			v, err = m.judgeOne(ctx, own, q)
		}
		switch {
		case policy.LetsOn(err):
			skipped = err
		case v.Objects() || err != nil:
			return v, err
		}
	}
	return policy.Pass, skipped
}

// judgeOne judges the senders for one recipient. While the state is unavailable, the tables alone
// count for a recipient of whom no run-time entry is known: an outage stops no mail to those who
// have none.
func (m *rule) judgeOne(ctx context.Context, own own, q question) (policy.Verdict, error) {
	if own.none() {
		return policy.Pass, nil
	}
	return m.judgeSenders(ctx, own, q)
}

// judgeSenders is judgeOne for a recipient who has something to say.
func (m *rule) judgeSenders(ctx context.Context, own own, q question) (policy.Verdict, error) {
	var asked []policy.Waiter
	if own.open {
		asked = append(asked, m.store)
	}
	var skipped error
	senders, unknown := q.senders(asked...)
	for sender := range senders {
		if q.work != nil && q.work.Add(1) > mostPairs {
			return policy.Pass, errPairs
		}
		entry, err := m.find(ctx, own, sender)
		if err != nil && !own.known {
			skipped, own.open = policy.LetOn(err), false
			entry, err = own.inTables(byhand.SendersOf(sender, m.delimiter)), nil
		}
		if err != nil || entry.blocks() {
			return entry.verdict(q.reply), err
		}
	}
	if unknown == nil {
		unknown = skipped
	}
	return policy.Pass, unknown
}

// own is what a recipient may have to say about senders.
type own struct {
	owners []address.Address // the recipient with his extension, and without it
	tabled map[string]*hit   // his entries in the tables, by what they are about
	open   bool              // he may have run-time entries, too
	known  bool              // that he has some
}

// none reports whether he has nothing to say.
func (o *own) none() bool { return !o.open && len(o.tabled) == 0 }

// ownOf looks into the tables.
func (m *rule) ownOf(ctx context.Context, recipient address.Address) (o own, err error) {
	o.owners = []address.Address{recipient}
	if base := recipient.Base(m.delimiter); base.Local != recipient.Local {
		o.owners = append(o.owners, base)
	}
	o.known, o.open = m.owners.include(o.owners)
	for _, owner := range o.owners {
		match, err := m.list.Address(ctx, owner)
		if err != nil {
			return own{}, err
		}
		for _, e := range readEntries(match.Value) {
			o.add(&hit{owner: match.Key, subject: e.subject, permits: e.permits, source: match.Where()})
		}
	}
	return o, nil
}

// add adds an entry of the tables. Of two about the same subject the better counts.
func (o *own) add(e *hit) {
	if o.tabled == nil {
		o.tabled = make(map[string]*hit)
	}
	o.tabled[e.subject] = o.tabled[e.subject].orBetter(e)
}

// inTables is the entry of the tables that decides about these subjects, the most specific first.
func (o *own) inTables(subjects []string) *hit {
	for rank, subject := range subjects {
		if e := o.tabled[subject]; e != nil {
			ranked := *e
			ranked.rank = rank
			return &ranked
		}
	}
	return nil
}

// find returns the entry that decides about a sender, nil when there is none. While the state is
// unavailable, what the tables say stands only if no run-time entry could change it.
func (m *rule) find(ctx context.Context, o own, sender address.Address) (*hit, error) {
	subjects := byhand.SendersOf(sender, m.delimiter)
	best := o.inTables(subjects)
	if !o.open {
		return best, nil
	}
	steps := make([]state.Step, 0, len(o.owners)*len(subjects))
	for _, owner := range o.owners {
		for _, subject := range subjects {
			steps = append(steps, state.Get(entryKey(owner.Key(), subject)))
		}
	}
	found, err := m.store.Do(ctx, steps...)
	switch {
	case err != nil && best.final():
		return best, nil
	case err != nil:
		return nil, fmt.Errorf("state: %w", err)
	}
	for i, f := range found {
		if !f.Found {
			continue
		}
		row, ok := readRow(f.Value)
		if !ok {
			continue
		}
		owner, rank := o.owners[i/len(subjects)].Key(), i%len(subjects)
		one := &hit{owner: owner, subject: subjects[rank], rank: rank, permits: row.Permit}
		one.source = fmt.Sprintf("%s, %s", entry.Until(f.Until), row.Origin)
		best = best.orBetter(one)
	}
	return best, nil
}
