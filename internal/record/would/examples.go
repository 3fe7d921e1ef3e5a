package would

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// mostExamples is how many examples stand for a check.
const mostExamples = 10

// example is a finding that is likely good.
type example struct {
	index  int
	reason reason
	f      *finding
}

// better puts the stronger reason first, and then the newer one.
func (x example) better(y example) int {
	return cmp.Or(cmp.Compare(x.reason, y.reason), cmp.Compare(y.f.begun, x.f.begun), cmp.Compare(x.index, y.index))
}

// pick keeps the best examples of a check, one a sender.
func pick(list []example, x example) []example {
	same := slices.IndexFunc(list, func(y example) bool { return x.f.sender == y.f.sender })
	switch {
	case same < 0:
		list = append(list, x)
	case x.better(list[same]) < 0:
		list[same] = x
	}
	slices.SortFunc(list, example.better)
	return list[:min(len(list), mostExamples)]
}

// examples reads what is told of them.
func (e *evidence) examples(ctx context.Context, r record.Reader, list []example) (all []Example, err error) {
	for _, x := range list {
		entry, err := at(ctx, r, x.f.entry)
		if err != nil {
			return nil, err
		}
		decision := entry
		if x.f.sum >= 0 {
			if decision, err = at(ctx, r, e.findings[x.f.sum].entry); err != nil {
				return nil, err
			}
		}
		if decision.Event == nil {
			continue // it is gone
		}
		all = append(all, exampleOf(decision, entry, reasonWords[x.reason]))
	}
	return all, nil
}

// at reads the entry at a position; it is empty where there is none any more.
func at(ctx context.Context, r record.Reader, p record.Position) (record.Entry, error) {
	page, err := r.Search(ctx, record.Query{After: p - 1, Before: p + 1, Limit: 1})
	if err != nil || len(page.Entries) == 0 {
		return record.Entry{}, err
	}
	return page.Entries[0], nil
}

// exampleOf tells of a decision, and of the message where that is one of several that share it.
func exampleOf(decision, entry record.Entry, why string) Example {
	d := decision.Event
	x := Example{ID: d.ID, Time: d.Time, Client: client(d.Client), Sender: d.Sender, Action: d.Action, Cause: d.Cause, Why: why}
	m := entry.Message
	switch {
	case m != nil:
		x.Time, x.Client, x.Sender, x.Recipient = m.Begun, client(m.Client), m.Sender, concernedOf(m, d.Check)
	case len(d.Recipients) > 0:
		x.Recipient = d.Recipients[0]
	}
	return x
}

// concernedOf is the first recipient for whom the check objected, or the first of all.
func concernedOf(m *policy.Transaction, check string) string {
	for _, one := range m.Recipients {
		if slices.Contains(one.Would, check) {
			return one.Recipient
		}
	}
	if len(m.Recipients) == 0 {
		return ""
	}
	return m.Recipients[0].Recipient
}

// client writes a client's address, "" where it is unknown.
func client(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
