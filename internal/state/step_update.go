package state

import (
	"fmt"
	"slices"
	"time"
)

// Update sets the value that change makes of what is there, a result without Found if there is
// nothing; a nil value leaves it as it is. Then the step is not done. Whatever others do meanwhile,
// change has seen what it replaces; so it may be called more than once, and the last call is the
// one that counts. It must be quick, and must not use the store.
//
// hint is what was there when the caller last looked: it spares a shared store a round trip if
// nothing has changed since. An update is the last step on its key in a call.
func Update(key string, hint Result, change func(was Result) (value []byte, lifetime time.Duration)) Step {
	return Step{op: opUpdate, key: key, hint: hint, update: change}
}

// change is [Update] on a row.
func (s Step) change(r Result, was row, now int64) (Result, row, effect, error) {
	set, err := s.swap(r)
	if err != nil {
		return r, was, keeps, err
	}
	if set.reads() {
		return r, was, keeps, nil
	}
	r.Done = true
	return r, row{value: set.value, until: set.until(now), entered: s.entered}, writes, nil
}

// swap is what the update comes to where was is there: a swap, or a look at whether that is so.
func (s Step) swap(was Result) (Step, error) {
	was.Value = slices.Clip(was.Value) // change may append
	value, lifetime := s.update(was)
	if value == nil {
		return Get(s.key), nil
	}
	set := Swap(s.key, nil, value, lifetime)
	if was.Found {
		set.old = append([]byte{}, was.Value...)
	}
	set.entered = s.entered
	if err := set.check(); err != nil {
		return set, fmt.Errorf("%w (made by an update)", err)
	}
	return set, nil
}
