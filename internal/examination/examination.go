// Package examination walks over a message once, however many checks of a policy want to know
// something about its content: each has a Reader, says before the body what it needs, and asks for
// the result at the end.
package examination

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"mailweir/internal/content"
	"mailweir/internal/policy"
)

// examinations are what the checks of one policy that look into messages have in common: a message
// is walked over once, however many of them want to know something about it.
type examinations struct {
	env  *policy.Env
	slot policy.Slot[examination]

	// examiner is made by the check that has definitions, or else when it is first used.
	examiner *content.Examiner
	bare     sync.Once
}

// examination is that of one message.
type examination struct {
	needs  content.Needs
	feeder *Reader // whose body hook hands the body on
	walk   *content.Examination
	busy   bool // in the walk; a panic leaves it so
	over   bool
	result *content.Result
	err    error
}

// Reader is what one check has to do with the examinations of its policy.
type Reader struct{ *examinations }

// For returns a reader for the check that is being built.
func For(env *policy.Env) *Reader {
	return &Reader{policy.Shared(env, func() *examinations {
		return &examinations{env: env, slot: policy.NewSlot[examination](env)}
	})}
}

// Want has a check's needs met in this message. It is called before the body comes.
func (r *Reader) Want(m *policy.Message, needs content.Needs) {
	state := r.slot.Of(m)
	state.needs |= needs
	if state.feeder == nil {
		state.feeder = r
	}
}

// Body hands a chunk on, if that is this check's task.
func (r *Reader) Body(m *policy.Message, chunk []byte) {
	state := r.slot.Of(m)
	if state.feeder != r {
		return
	}
	r.begin(m, state)
	state.busy = true
	state.walk.Body(chunk)
	state.busy = false
}

// begin makes the walk, with the header section.
func (e *examinations) begin(m *policy.Message, state *examination) {
	if state.walk != nil {
		return
	}
	state.busy = true
	state.walk = e.compiled().Begin(state.needs)
	for _, f := range m.Fields {
		state.walk.Header(f.Name, f.Value)
	}
	state.busy = false
}

// compiled returns the examiner; without definitions one that tells facts only.
func (e *examinations) compiled() *content.Examiner {
	e.bare.Do(func() {
		if e.examiner == nil {
			e.examiner, _ = content.NewExaminer(nil, content.Options{Now: e.env.Clock}) // without definitions nothing can be wrong
		}
	})
	return e.examiner
}

// errBroken is for those who ask after another check has panicked over the message.
var errBroken = errors.New("the examination of the message has failed")

// JudgeBy makes the walks look for these definitions. The check that has them calls it while the
// policy is built. What has been compiled of them for an earlier policy, and its memory, is
// used again.
func (r *Reader) JudgeBy(definitions []*content.Definition, memory int64) (err error) {
	name := fmt.Sprintf("content %s in %d octets", content.Fingerprint(definitions), memory)
	r.examiner, err = policy.Resource(r.env, name, func() (*content.Examiner, error) {
		return content.NewExaminer(definitions, content.Options{Budget: content.NewBudget(memory), Now: r.env.Clock})
	})
	return err
}

// Finish tells what was found, nil when nobody has asked; an error means that it could not be told.
func (e *examinations) Finish(m *policy.Message) (*content.Result, error) {
	state := e.slot.Of(m)
	switch {
	case state.feeder == nil || state.over:
		return state.result, state.err
	case state.busy:
		return nil, errBroken
	}
	e.begin(m, state)
	state.busy = true
	state.result, state.err = state.walk.Finish()
	state.busy, state.over = false, true
	state.walk.Close()
	if state.err == nil {
		for _, at := range state.result.Reached {
			m.Unexamined = append(m.Unexamined, policy.Unexamined{Limit: string(at.Limit), Where: at.String()})
		}
	}
	return state.result, state.err
}

// Settle gives back what the walk of a message holds that has no end.
func (e *examinations) Settle(_ context.Context, m *policy.Message, _ policy.Outcome) {
	if state := e.slot.Of(m); state.walk != nil {
		state.walk.Close()
	}
}

// LimitsReached tells what the examination did not look at, behind a separator; "" if it went
// everywhere.
func LimitsReached(result *content.Result, separator string) string {
	if result == nil || len(result.Reached) == 0 {
		return ""
	}
	var list []string
	for _, at := range result.Reached {
		list = append(list, at.String())
	}
	return separator + "limits reached: " + strings.Join(list, ", ")
}
