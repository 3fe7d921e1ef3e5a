package runner

import (
	"context"
	"sync"

	"mailweir/internal/policy"
)

// Inspected is what an inspection has found, or why it has found nothing.
type Inspected struct {
	Name string
	policy.Found
	Err error
}

// Inspect asks everything outside that the policy depends on whether it works, all at once, and
// each for as long as the context lasts.
func (p *Policy) Inspect(ctx context.Context) []Inspected {
	list := p.inspections()
	answers := make([]Inspected, len(list))
	var asking sync.WaitGroup
	for i, one := range list {
		asking.Go(func() {
			answers[i].Name = one.Name
			answers[i].Found, answers[i].Err = one.Look(ctx)
		})
	}
	asking.Wait()
	return answers
}

// Inspect asks on behalf of the current policy, which stays open meanwhile.
func (rn *Runner) Inspect(ctx context.Context) []Inspected {
	p := rn.acquire()
	defer rn.leave(p)
	return p.Inspect(ctx)
}

// inspections are those of the tables and then those of the checks, in the order of declaration.
// What several checks depend on is asked once.
func (p *Policy) inspections() []policy.Inspection {
	var list []policy.Inspection
	known := map[string]bool{}
	add := func(one policy.Inspection) {
		if !known[one.Name] {
			known[one.Name] = true
			list = append(list, one)
		}
	}
	names, tables := p.tables.Inspectors()
	for i, name := range names {
		add(policy.Inspection{Name: name, Look: func(ctx context.Context) (found policy.Found, err error) {
			found.Text, found.Remarks, err = tables[i].Inspect(ctx)
			return found, err
		}})
	}
	for _, b := range p.checks {
		for _, one := range b.hooks.Inspections {
			add(one)
		}
	}
	return list
}
