package replay

import (
	"context"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/runner"
)

// whole and permits stand beside the names of checks in a row of [record.PolicyLoad].
const (
	whole   = record.PolicyItself
	permits = "permits"
)

// Alterations are what a row of the audit says of a policy that comes into force, in the place of
// another one, which may be nil.
func Alterations(p, before *runner.Policy) []policy.Alteration {
	was := map[string]string{}
	if before != nil {
		was = digests(before)
	}
	now := digests(p)
	var list []policy.Alteration
	add := func(what string) {
		a := policy.Alteration{What: what, After: now[what]}
		if was[what] != a.After {
			a.Before = was[what]
		}
		list = append(list, a)
	}
	add(whole)
	add(permits)
	for _, c := range p.Checks() {
		add(c.Check.Name)
	}
	return list
}

func digests(p *runner.Policy) map[string]string {
	all := map[string]string{whole: p.Digest(), permits: p.Permits()}
	for _, c := range p.Checks() {
		all[c.Check.Name] = c.Digest
	}
	return all
}

// Known are the policies that the audit knows of, by their digests.
func Known(ctx context.Context, reader record.Reader) (map[string]Policy, error) {
	known := map[string]Policy{}
	q := record.ChangeQuery{Operation: record.PolicyLoad, Limit: pageSize}
	for {
		rows, err := reader.Changes(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			one, digest := Policy{}, ""
			for _, a := range row.Changes {
				if a.What == whole {
					digest = a.After
				} else {
					one[a.What] = a.After
				}
			}
			if digest != "" {
				known[digest] = one
			}
		}
		if len(rows) < pageSize {
			return known, nil
		}
		q.Before = rows[len(rows)-1].Position
	}
}
