// Package managed refuses the senders that a recipient blocks, and grants the permits of those that
// he permits. It asks the tables of --managed-list and the entries that mailweir managed makes in
// the state (entries.go); owners.go knows who has any.
package managed

import (
	"context"
	"fmt"
	"slices"

	"mailweir/internal/address"
	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/internal/table"
)

// Check goes by the senders that recipients themselves block and permit.
var Check = &policy.Check{
	Name:  "managed",
	Title: "senders that the recipient blocks",
	Help: `Each recipient may have entries of senders and domains, to block and to permit: in the tables of ` + "`--managed-list`" + `, and at run time by
` + "`mailweir managed add`" + `. The most specific entry decides (an address before its domain, a domain before its parent), and a permit when both are
equally specific. The entries of an address count for all its extensions, too.

A blocked envelope sender is refused at RCPT, for that recipient alone. A blocked address in header From is seen when the message can only be
answered as a whole: ` + "`--managed-header-action=remove`" + ` takes the recipients that block it off the message (in enforce only) and refuses when no
one remains; ` + "`reject`" + ` refuses the message for all. A permitted envelope sender passes greylisting, DNS lists and reputation for that
recipient, if SPF or a permitted client vouches for it.

While the state is unavailable, the tables still apply to recipients of whom no run-time entry is known. For the others the check fails: what
they block is let on, and what DNS lists and reputation object to is answered temporarily if something vouches for the sender, because they
might permit it.`,
	Mode:      policy.Enforce,
	OnError:   policy.Accept,
	Exempt:    policy.ExemptPermitClient | policy.ExemptPermitSender | policy.ExemptAlwaysAccept,
	Aggregate: policy.AggregateRemove,
	Replies:   []*policy.Reply{replyAddress, replyDomain, replyHeader},
	Setup: func(f *policy.Flags) policy.Build {
		operations(f)
		specs := f.Tables("list", "recipients and what they block and permit: block SENDER|DOMAIN … permit SENDER|DOMAIN …")
		action := f.String("header-action", "remove", "remove|reject", "what becomes of a message with several recipients of whom one blocks its header From")
		return func(env *policy.Env) (policy.Hooks, error) {
			if *action != "remove" && *action != "reject" {
				return policy.Hooks{}, fmt.Errorf("--managed-header-action: %q is neither remove nor reject", *action)
			}
			list, err := env.List("list", *specs, table.Values{Name: "managed senders", Check: validEntries})
			if err != nil {
				return policy.Hooks{}, err
			}
			m := &rule{list: list, store: env.State, delimiter: env.Settings.Delimiter, owners: owners{env.Mirror(state.MirrorOptions{Space: space, KeysOnly: true})}, tables: policy.Asks(list), entries: policy.Asks(env.State)}
			hooks := policy.Hooks{Rcpt: m.envelope, Grant: m.grant, GrantAtOnce: !env.State.Waits() && !list.Waits(), Tick: m.owners.tick}
			if !env.Explaining { // which asks for one case, and is done
				hooks.Ready = m.owners.refresh
			}
			if *action == "remove" {
				hooks.HeadersFor = m.headersFor
			} else {
				hooks.Headers = m.headers
			}
			return hooks, nil
		}
	},
}

type rule struct {
	list      *table.List
	store     state.Store
	delimiter string
	owners    owners
	tables    policy.PlainQuestion
	entries   policy.PlainQuestion // that people have made at run time
}

// envelope judges the envelope sender for one recipient.
func (m *rule) envelope(r *policy.Recipient) (policy.Verdict, error) {
	sender := r.Msg.Sender
	if sender.IsNull() {
		return policy.Pass, nil
	}
	return m.judge([]pair{{r.Address, sender}}, func(entry *hit) *policy.Reply {
		if entry.isDomain() {
			return replyDomain
		}
		return replyAddress
	}), nil
}

// headersFor judges header From for one recipient.
func (m *rule) headersFor(r *policy.Recipient) (policy.Verdict, error) {
	return m.header(r.Msg, []*policy.Recipient{r}), nil
}

// headers judges header From for the message as a whole: one recipient who blocks it is enough.
func (m *rule) headers(msg *policy.Message) (policy.Verdict, error) {
	return m.header(msg, slices.Collect(msg.Recipients())), nil
}

// mostFrom bounds the addresses of one header From that are looked up: the sender chose them.
const mostFrom = 10

func (m *rule) header(msg *policy.Message, recipients []*policy.Recipient) policy.Verdict {
	from := msg.HeaderFrom().Addresses
	from = from[:min(len(from), mostFrom)]
	if len(from) == 0 {
		return policy.Pass
	}
	var all []pair
	for _, r := range recipients {
		for _, a := range from {
			all = append(all, pair{r.Address, a})
		}
	}
	return m.judge(all, func(*hit) *policy.Reply { return replyHeader })
}

// judge objects to the first block that is found. The state is asked only from where it may know
// more than the tables.
func (m *rule) judge(all []pair, reply func(*hit) *policy.Reply) policy.Verdict {
	return m.tables.Later(func(ctx context.Context) (policy.Verdict, error) {
		for i, one := range all {
			s, err := m.search(ctx, one)
			switch {
			case err != nil:
				return policy.Pass, err
			case s.open:
				return m.entries.Later(func(ctx context.Context) (policy.Verdict, error) { return m.judgeAll(ctx, all[i:], reply) }), nil
			case s.best.blocks():
				return s.best.verdict(reply), nil
			}
		}
		return policy.Pass, nil
	})
}

// judgeAll asks tables and state.
func (m *rule) judgeAll(ctx context.Context, all []pair, reply func(*hit) *policy.Reply) (policy.Verdict, error) {
	for _, one := range all {
		entry, err := m.find(ctx, one)
		if err != nil || entry.blocks() {
			return entry.verdict(reply), err
		}
	}
	return policy.Pass, nil
}

// grant yields the recipient's permit of the envelope sender. Something has to vouch for the
// sender.
func (m *rule) grant(ctx context.Context, r *policy.Recipient) ([]policy.Grant, error) {
	if r.Msg.Sender.IsNull() {
		return nil, nil
	}
	entry, err := m.find(ctx, pair{r.Address, r.Msg.Sender})
	if err != nil || entry == nil || !entry.permits {
		return nil, err
	}
	return []policy.Grant{{By: policy.ExemptRecipientPermit, Source: entry.String()}}, nil
}

// pair is a recipient, and a sender about whom he may have an entry.
type pair struct{ recipient, sender address.Address }

// search is one pair, and what the tables say.
type search struct {
	owners   []address.Address // the recipient with his extension, and without it
	subjects []string          // what an entry about the sender may name, the most specific first
	best     *hit              // nil when the tables say nothing
	open     bool              // the recipient may have run-time entries, too
}

// search looks into the tables.
func (m *rule) search(ctx context.Context, p pair) (s search, err error) {
	s = search{subjects: subjectsOf(p.sender, m.delimiter), owners: []address.Address{p.recipient}}
	if base := p.recipient.Base(m.delimiter); base.Local != p.recipient.Local {
		s.owners = append(s.owners, base)
	}
	s.open = m.owners.mayInclude(s.owners)
	s.best, err = m.inTables(ctx, s.owners, s.subjects)
	return s, err
}

// find returns the entry that decides, nil when there is none. While the state is unavailable, what
// the tables say stands only if no run-time entry could change it.
func (m *rule) find(ctx context.Context, p pair) (*hit, error) {
	s, err := m.search(ctx, p)
	if err != nil || !s.open {
		return s.best, err
	}
	best := s.best
	steps := make([]state.Step, 0, len(s.owners)*len(s.subjects))
	for _, owner := range s.owners {
		for _, subject := range s.subjects {
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
		owner, rank := s.owners[i/len(s.subjects)].Key(), i%len(s.subjects)
		one := &hit{owner: owner, subject: s.subjects[rank], rank: rank, permits: row.Permit}
		one.source = fmt.Sprintf("%s, %s", entry.Until(f.Until), row.Origin)
		best = best.orBetter(one)
	}
	return best, nil
}

// inTables looks for the entry that decides in --managed-list.
func (m *rule) inTables(ctx context.Context, owners []address.Address, subjects []string) (best *hit, err error) {
	for _, owner := range owners {
		match, err := m.list.Address(ctx, owner)
		if err != nil {
			return nil, err
		}
		for _, e := range readEntries(match.Value) {
			for rank, subject := range subjects {
				if e.subject == subject {
					best = best.orBetter(&hit{owner: match.Key, subject: subject, rank: rank, permits: e.permits, source: match.Where()})
				}
			}
		}
	}
	return best, nil
}

var replyAddress = &policy.Reply{
	ID: "managed-address", Row: "P5", Code: 550, Enhanced: "5.7.1", Text: "Envelope blocked - User Entry",
	Description: "The recipient has blocked the address of the envelope sender.",
	Resolution:  "The recipient takes the entry back that the event names, or permits the address (mailweir managed, or the list).",
}

var replyDomain = &policy.Reply{
	ID: "managed-domain", Row: "P6", Code: 550, Enhanced: "5.7.1", Text: "Envelope blocked - User Domain Entry",
	Description: "The recipient has blocked the domain of the envelope sender, or a domain above it.",
	Resolution:  "The recipient takes the entry back that the event names, or permits this one address of the domain (mailweir managed, or the list).",
}

var replyHeader = &policy.Reply{
	ID: "managed-header", Row: "P10", Code: 550, Enhanced: "5.7.1", Text: "Rejected by header based manually Blocked Senders - block for manual block",
	Description: "Every recipient of the message, or with --managed-header-action=reject one of them, has blocked an address of header From.",
	Resolution:  "The recipient takes the entry back that the event names, or permits the address (mailweir managed, or the list).",
}
