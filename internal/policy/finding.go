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

// finding is what a check found, until the MTA has been answered: an objection, an error, or work under way.
type finding struct {
	check *bound
	stage Stage    // where it was decided
	due   stageSet // where it is answered
	pos   int      // its place in the printed order
	rcpt  *Recipient
	said  said
	later *later // nil when it was known at once

	reported atomic.Bool // that the check failed has been recorded
}

// said is what a hook returns: a verdict, or the error of a check that failed.
type said struct {
	verdict Verdict
	err     error
}

// idle reports whether it has nothing against the mail.
func (w said) idle() bool {
	return w.verdict.later == nil && w.verdict.reply == nil && w.err == nil
}

// stageSet is a set of stages.
type stageSet uint8

func (s stageSet) has(stage Stage) bool { return s&(1<<stage) != 0 }

// dueAt tells where a finding is answered: as early as its check may be, once the MTA passes the text on.
func (c *Connection) dueAt(b *bound, stage Stage, failed bool) stageSet {
	settings := c.policy.Settings
	switch {
	case c.Local || stage > StageRcpt:
		return 1 << StageEnd
	case b.AnswerAt == StageHelo && stage <= StageHelo && !failed:
		return 1 << StageHelo // for an error, which is no reason to hang up, RCPT does
	case stage <= StageMail && settings.EnforceFor == nil && (b.AnswerAt == StageMail || settings.AnswerAt == StageMail):
		return 1 << StageMail
	}
	return 1 << StageRcpt
}

// later is what a [Later] says. The first to speak counts, be it the work itself or the deadline.
type later struct {
	done   chan struct{}
	once   sync.Once
	said   said
	cancel context.CancelFunc
	trace  trace.Trace
	kept   atomic.Bool // still wanted though the scope has ended
}

func (l *later) say(w said) {
	l.once.Do(func() {
		l.said = w
		close(l.done)
		l.cancel()
		l.cancel = nil // with all that the context holds: a finding lives as long as its connection
	})
}

// wait waits until the check has said something. When the context ends first, that is an error from then on, for
// everyone who asks: a backend that hangs is waited for once.
func (f *finding) wait(ctx context.Context) {
	if f.later == nil {
		return
	}
	select {
	case <-f.later.done:
	case <-ctx.Done():
		f.later.say(said{err: errDeadline})
	}
}

// abandon stops work that nobody waits for.
func (l *later) abandon() {
	if !l.kept.Load() {
		l.say(said{err: errAbandoned})
	}
}

// keep lets the work go on after its scope has ended, because what is only monitored is still to be recorded.
func (f *finding) keep() {
	if f.later != nil {
		f.later.kept.Store(true)
	}
}

// call runs a hook and turns a panic into a fault: nothing that a client sends may end the daemon.
func call[S any](hook func(S) (Verdict, error), where S) (w said) {
	defer func() {
		if r := recover(); r != nil {
			w = said{err: panicked(r, debug.Stack())}
		}
	}()
	v, err := hook(where)
	if err != nil {
		v = Pass
	}
	return said{v, err}
}

// judge runs a check's hook on a scope and keeps what it finds there, if that has anything against the mail.
func judge[S Scope](s *Session, b *bound, stage Stage, hook func(S) (Verdict, error), where S, rcpt *Recipient) {
	w := call(hook, where)
	if also := w.verdict.also; also != nil {
		s.keep(b, stage, said{verdict: *also}, where.base(), rcpt)
	}
	s.keep(b, stage, w, where.base(), rcpt)
}

// keep puts a finding into its scope.
func (s *Session) keep(b *bound, stage Stage, w said, where *scope, rcpt *Recipient) {
	if w.idle() {
		s.explainNothing(b, stage, rcpt, w.verdict.cause)
		return
	}
	f := &finding{check: b, stage: stage, due: s.conn.dueAt(b, stage, w.err != nil), pos: b.pos[stage], rcpt: rcpt, said: w}
	if work := w.verdict.later; work != nil {
		f.said.verdict.later = nil // what it has caught need not outlive it
		s.runner.start(f, work)
	}
	where.findings = append(where.findings, f)
}

// start runs the work of a Later in a goroutine that the runner owns.
func (rn *Runner) start(f *finding, work func(context.Context) (Verdict, error)) {
	l := &later{done: make(chan struct{})}
	var ctx context.Context
	ctx, l.cancel = context.WithTimeout(trace.With(rn.ctx, &l.trace), rn.limits.End)
	f.later = l
	launched := rn.launch(func() {
		w := call(work, ctx)
		if w.verdict.later != nil {
			w = said{err: &fault{cause: errors.New("a Later returned a Later")}}
		}
		l.say(w)
	})
	if !launched {
		l.say(said{err: errBusy})
	}
}
