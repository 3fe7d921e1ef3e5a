package state

import (
	"bytes"
	"slices"
)

// proposals are the steps of one call to a store that is not in this process. Updates become swaps
// there, which are proposed until nobody comes between.
type proposals struct {
	steps   []Step
	results []Result
}

// begin returns the steps as they are to be sent, and which of those of these numbers are.
func (b *proposals) begin(todo []int) (sent []Step, send []int) {
	if !slices.ContainsFunc(todo, b.isUpdate) {
		return b.steps, todo
	}
	sent = slices.Clone(b.steps)
	return sent, slices.DeleteFunc(slices.Clone(todo), func(i int) bool {
		return b.isUpdate(i) && !b.propose(sent, i, b.steps[i].hint)
	})
}

// again returns which of the steps that were sent are to be sent again, as they stand in sent then.
func (b *proposals) again(sent []Step, todo []int) (again []int) {
	for _, i := range todo {
		if b.isUpdate(i) && b.lost(sent, i) {
			again = append(again, i)
		}
	}
	return again
}

func (b *proposals) isUpdate(i int) bool { return b.steps[i].op == opUpdate }

// propose makes a swap of an update, on what it would replace.
func (b *proposals) propose(sent []Step, i int, was Result) bool {
	swap, err := b.steps[i].swap(was)
	if err != nil {
		b.results[i] = Result{Err: err}
		return false
	}
	sent[i] = swap
	sent[i].hint = was
	return true
}

// lost says that something else was there than what the update would replace, and proposes again.
func (b *proposals) lost(sent []Step, i int) bool {
	s, r := sent[i], &b.results[i]
	if r.Err != nil || !s.reads() && r.Done {
		return false
	}
	now := Result{Found: r.Found, Value: r.Value, Until: r.Until}
	if s.reads() && now.Found == s.hint.Found && bytes.Equal(now.Value, s.hint.Value) {
		r.Done = false // it is to stay as it is
		return false
	}
	return b.propose(sent, i, now)
}
