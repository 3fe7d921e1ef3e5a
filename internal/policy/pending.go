package policy

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"mailweir/internal/fact"
	"mailweir/internal/trace"
)

var (
	errDeadline  = fact.ErrDeadline
	errBusy      = fact.ErrBusy
	errAbandoned = errors.New("nobody waits for the answer any more")
)

func isDone(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// fault is a defect of mailweir itself: a panic, or an error from a check that has no backend to fail.
type fault struct {
	cause error
	stack []byte
}

func panicked(value any, stack []byte) *fault {
	return &fault{cause: fmt.Errorf("panic: %v", value), stack: stack}
}

func (f *fault) Error() string { return f.cause.Error() }
func (f *fault) Unwrap() error { return f.cause }

// pending is a check's word that has not been answered yet: an objection, an error, or work under way.
type pending struct {
	check *bound
	stage Stage // where it was decided
	pos   int   // its place in the printed order
	rcpt  *Recipient
	word  word
	later *later // nil when the word was known at once
	// anywhere: answered at RCPT and at the end, whichever are still to come.
	anywhere bool

	reported atomic.Bool // that the check could not tell has been recorded
}

// word is what a check says: a verdict, or an error when it could not tell.
type word struct {
	verdict Verdict
	err     error
}

// idle reports whether the word has nothing against the mail.
func (w word) idle() bool {
	return w.verdict.later == nil && w.verdict.reply == nil && w.err == nil
}

// later is the word of a [Later]. The first one to be said counts, be it the work's own or the deadline's.
type later struct {
	done   chan struct{}
	once   sync.Once
	word   word
	cancel context.CancelFunc
	trace  trace.Trace
	kept   atomic.Bool // still wanted though the scope has ended
}

func (l *later) say(w word) {
	l.once.Do(func() {
		l.word = w
		close(l.done)
		l.cancel()
		l.cancel = nil // with all that the context holds: a word lives as long as its connection
	})
}

// known reports whether the word is there.
func (p *pending) known() bool {
	return p.later == nil || isDone(p.later.done)
}

// monitored reports whether the check itself said that its objection is only to be recorded, as far as is known.
func (p *pending) monitored() bool {
	return p.word.verdict.own.monitored || p.known() && p.said().verdict.own.monitored
}

// said is the word that is known.
func (p *pending) said() word {
	if p.later == nil {
		return p.word
	}
	return p.later.word
}

// wait returns the word when it is there. When the context ends first, the word is an error from then on, for
// everyone who asks: a backend that hangs is waited for once.
func (p *pending) wait(ctx context.Context) word {
	if p.later == nil {
		return p.word
	}
	select {
	case <-p.later.done:
	case <-ctx.Done():
		p.later.say(word{err: errDeadline})
		<-p.later.done
	}
	return p.said()
}

// abandon stops work that nobody waits for.
func (p *pending) abandon() {
	if p.later != nil && !p.later.kept.Load() {
		p.later.say(word{err: errAbandoned})
	}
}

// keep lets the work go on after its scope has ended, because a monitored word is still to be recorded.
func (p *pending) keep() {
	if p.later != nil {
		p.later.kept.Store(true)
	}
}

func (p *pending) queries() []trace.Query {
	if p.later == nil {
		return nil
	}
	return p.later.trace.Queries()
}

// call runs a hook and turns a panic into a fault: nothing that a client sends may end the daemon.
func call[S any](hook func(S) (Verdict, error), where S) (w word) {
	defer func() {
		if r := recover(); r != nil {
			w = word{err: panicked(r, debug.Stack())}
		}
	}()
	v, err := hook(where)
	if err != nil {
		v = Pass
	}
	return word{v, err}
}

// judge runs a check's hook on a scope and keeps its word there, unless it has nothing against it.
func judge[S Scope](s *Session, c *bound, stage Stage, hook func(S) (Verdict, error), where S, rcpt *Recipient) *pending {
	w := call(hook, where)
	if also := w.verdict.also; also != nil {
		keep(s, c, stage, word{verdict: *also}, where, rcpt)
	}
	return keep(s, c, stage, w, where, rcpt)
}

// keep puts a word into its scope, unless it has nothing against the mail.
func keep[S Scope](s *Session, c *bound, stage Stage, w word, where S, rcpt *Recipient) *pending {
	if w.idle() {
		s.explainNothing(c, stage, rcpt, w.verdict.cause)
		return nil
	}
	p := &pending{check: c, stage: stage, pos: c.pos[stage], rcpt: rcpt, word: w}
	if work := w.verdict.later; work != nil {
		p.word.verdict.later = nil // what it has caught need not outlive it
		s.runner.start(p, work)
	}
	scope := where.base()
	scope.pending = append(scope.pending, p)
	return p
}

// start runs the work of a Later in a goroutine that the runner owns.
func (rn *Runner) start(p *pending, work func(context.Context) (Verdict, error)) {
	l := &later{done: make(chan struct{})}
	var ctx context.Context
	ctx, l.cancel = context.WithTimeout(trace.With(rn.ctx, &l.trace), rn.limits.End)
	p.later = l
	launched := rn.launch(func() {
		w := call(work, ctx)
		if w.verdict.later != nil {
			w = word{err: &fault{cause: errors.New("a Later returned a Later")}}
		}
		l.say(w)
	})
	if !launched {
		l.say(word{err: errBusy})
	}
}
