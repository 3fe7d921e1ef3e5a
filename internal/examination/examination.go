// Package examination walks over a message once, however many checks of a policy want to know
// something about its content: each has a Reader, says at the first header field what it needs, and
// asks for the result at the end.
package examination

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	"mailweir/internal/content"
	"mailweir/internal/policy"
)

// examinations are what the checks of one policy that look into messages have in common: a message
// is walked over once, however many of them want to know something about it.
type examinations struct {
	env   *policy.Env
	slot  policy.Slot[examination]
	wants []Wants

	// examiner is made by the check that has definitions, or else when it is first used.
	examiner *content.Examiner
	bare     sync.Once
}

// examination is that of one message.
type examination struct {
	feeder *Reader              // whose hooks hand the message on, nil until it has begun
	walk   *content.Examination // nil where nobody wants one
	busy   bool                 // in the walk; a panic leaves it so
	over   bool
	result *content.Result
	err    error
}

// Wants tells what a check needs of the examination of a message, or that it wants none. It is
// asked once for each message, when all of the envelope is known.
type Wants func(*policy.Message) (needs content.Needs, wanted bool)

// Reader is what one check has to do with the examinations of its policy.
type Reader struct{ *examinations }

// For returns a reader for the check that is being built. Its hooks call Header, Body and Settle of
// the reader for every message, whether they want it to be looked at or not.
func For(env *policy.Env, wants Wants) *Reader {
	e := policy.Shared(env, func() *examinations {
		return &examinations{env: env, slot: policy.NewSlot[examination](env)}
	})
	e.wants = append(e.wants, wants)
	return &Reader{e}
}

// Header hands a header field on, if that is this check's task. The walk sees each as it arrives,
// not those that the message keeps: of these a sender can make too many.
func (r *Reader) Header(m *policy.Message, f policy.Field) {
	if state := r.feeds(m); state != nil {
		state.busy = true
		state.walk.Header(f.Name, f.Value)
		state.busy = false
	}
}

// Body hands a chunk on, if that is this check's task.
func (r *Reader) Body(m *policy.Message, chunk []byte) {
	if state := r.feeds(m); state != nil {
		state.busy = true
		state.walk.Body(chunk)
		state.busy = false
	}
}

// feeds returns the examination that is to be fed by this check, nil for none. The first check that
// is called feeds it for the whole message.
func (r *Reader) feeds(m *policy.Message) *examination {
	state := r.slot.Of(m)
	if state.feeder == nil {
		r.begin(m, state)
	}
	if state.feeder != r || state.walk == nil {
		return nil
	}
	return state
}

// begin makes the walk, if anybody wants it.
func (r *Reader) begin(m *policy.Message, state *examination) {
	state.feeder = r
	var all content.Needs
	wanted := false
	for _, wants := range r.wants {
		if needs, does := wants(m); does {
			all, wanted = all|needs, true
		}
	}
	if wanted {
		state.walk = r.ready().Begin(all)
	}
}

// ready returns the examiner; without definitions one that tells facts only.
func (e *examinations) ready() *content.Examiner {
	e.bare.Do(func() {
		if e.examiner == nil {
			e.examiner, _ = content.NewExaminer(nil, content.Options{Now: e.env.Clock}) // without definitions nothing can be wrong
		}
	})
	return e.examiner
}

// errBroken is for those who ask after another check has panicked over the message.
var errBroken = errors.New("the examination of the message has failed")

// JudgeBy makes the walks look for what definition files say, and returns that. The check that has
// them calls it while the policy is built. What has been loaded and compiled of the same files for
// an earlier policy, and its memory, is used again.
func (r *Reader) JudgeBy(files []string, memory int64) ([]*content.Definition, error) {
	sources := content.ReadSources(files...)
	name := fmt.Sprintf("content %x in %d octets", sources.Sum(), memory)
	c, err := policy.Resource(r.env, name, func() (c compiled, err error) {
		if c.definitions, err = sources.Load(); err == nil {
			c.examiner, err = content.NewExaminer(c.definitions, content.Options{Budget: content.NewBudget(memory), Now: r.env.Clock})
		}
		return c, err
	})
	r.examiner = c.examiner
	return c.definitions, err
}

// compiled is what definition files come to.
type compiled struct {
	definitions []*content.Definition
	examiner    *content.Examiner
}

// Finish tells what was found, nil when nobody wants to know; an error means that it could not be
// told.
func (r *Reader) Finish(m *policy.Message) (*content.Result, error) {
	state := r.slot.Of(m)
	if state.feeder == nil {
		r.begin(m, state)
	}
	switch {
	case state.walk != nil && r.env.Recorded:
		return nil, policy.ErrNoBody
	case state.walk == nil || state.over:
		return state.result, state.err
	case state.busy:
		return nil, errBroken
	}
	state.busy = true
	state.result, state.err = state.walk.Finish()
	state.busy, state.over = false, true
	state.walk.Close()
	if state.err == nil {
		m.Attachments = attachments(state.result.Parts)
		for _, at := range state.result.Reached {
			m.Unexamined = append(m.Unexamined, policy.Unexamined{Limit: string(at.Limit), Where: at.String()})
		}
	}
	return state.result, state.err
}

// attachments are the names of the parts, each once, for people to read.
func attachments(parts []content.Part) (names []string) {
	for _, p := range parts {
		if len(names) == policy.MaxAttachments {
			break
		}
		if name := shown(p.Name); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// shown is a name as it can be shown: what is no text, or turns the direction of writing, is
// replaced.
func shown(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, name)
	if len(name) > policy.MaxAttachmentName {
		name = strings.ToValidUTF8(name[:policy.MaxAttachmentName], "")
	}
	return name
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
