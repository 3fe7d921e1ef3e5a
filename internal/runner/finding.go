package runner

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"mailweir/internal/fact"
	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

var (
	errDeadline  = fact.ErrDeadline
	errBusy      = fact.ErrBusy
	errAbandoned = errors.New("nobody waits for the answer any more")
	errStopped   = errors.New("mailweir was stopped before there was an answer")
)

func isDone(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// fault is a defect of mailweir itself: a panic, or an error from a check that has no backend to
// fail.
type fault struct {
	cause error
	stack []byte
}

func panicked(value any, stack []byte) *fault {
	return &fault{cause: fmt.Errorf("panic: %v", value), stack: stack}
}

func (f *fault) Error() string { return f.cause.Error() }
func (f *fault) Unwrap() error { return f.cause }

// finding is what a check found, until the MTA has been answered: an objection, an error, or work
// under way.
type finding struct {
	check *bound
	stage policy.Stage // where it was decided
	due   stageSet     // where it is answered
	pos   int          // its place in the printed order
	rcpt  *recipient
	said  said
	// queries are those of questions that never wait.
	queries []trace.Query
	later   *later // nil when it was known at once
	// monitors says that what comes later is only to be recorded.
	monitors bool

	reported atomic.Bool // that the check failed, or what it noted, has been recorded
}

// said is what a hook returns: a verdict, or the error of a check that failed.
type said struct {
	verdict policy.Verdict
	err     error
}

// idle reports whether it has nothing to say about the mail.
func (w said) idle() bool {
	return w.verdict.Work() == nil && !w.verdict.Finds() && !w.verdict.IsNoted() && w.err == nil
}

// stageSet is a set of stages.
type stageSet uint8

func (s stageSet) has(stage policy.Stage) bool { return s&(1<<stage) != 0 }

// dueAt tells where a finding is answered: as early as its check may be, once the MTA passes the
// text on.
func (c *connection) dueAt(b *bound, stage policy.Stage, failed bool) stageSet {
	settings := c.policy.Settings
	switch {
	case c.Local || stage > policy.StageRcpt:
		return 1 << policy.StageEnd
	case b.AnswerAt == policy.StageHelo && stage <= policy.StageHelo && !failed:
		return 1 << policy.StageHelo // for an error, which is no reason to hang up, RCPT does
	case stage <= policy.StageMail && !settings.ByRecipient() &&
		(b.AnswerAt == policy.StageMail || settings.AnswerAt == policy.StageMail || b == c.policy.fault):
		return 1 << policy.StageMail
	}
	return 1 << policy.StageRcpt
}

// later is a question that waits. The first to speak counts, be it the work itself or the deadline.
type later struct {
	done  chan struct{}
	trace trace.Trace
	kept  atomic.Bool // still wanted though the scope has ended

	mu     sync.Mutex
	work   func(context.Context) (policy.Verdict, error) // until it has been begun
	cancel context.CancelFunc
	said   said            // once done is closed
	recall func(said) said // of a recorded case
}

func (l *later) say(w said) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if isDone(l.done) {
		return
	}
	l.said, l.work = w, nil
	close(l.done)
	if l.cancel != nil {
		l.cancel()
		l.cancel = nil // with all that the context holds: a finding lives as long as its connection
	}
}

// begin takes the work, once.
func (l *later) begin(rn *Runner) (work func(context.Context) (policy.Verdict, error), ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if work = l.work; work != nil {
		l.work = nil
		ctx, l.cancel = context.WithTimeout(trace.With(rn.ctx, &l.trace), rn.limits.End)
	}
	return work, ctx
}

// start has the question asked in a goroutine that the runner owns, if it has not been yet.
func (rn *Runner) start(l *later) {
	work, ctx := l.begin(rn)
	if work == nil {
		return
	}
	launched := rn.launch(func() {
		w := ask(ctx, work)
		for n := 0; w.verdict.Work() != nil; n++ {
			w = next(ctx, w, n)
		}
		if l.recall != nil {
			w = l.recall(w)
		}
		if rn.ctx.Err() != nil && errors.Is(w.err, context.Canceled) {
			w.err = errStopped
		}
		l.say(w)
	})
	if !launched {
		l.say(said{err: errBusy})
	}
}

// maxQuestions is how many questions one judgement may take, one after the other.
const maxQuestions = 8

// next asks what an answer has led to.
func next(ctx context.Context, w said, n int) said {
	if n == maxQuestions {
		return said{err: &fault{cause: errors.New("a Later returned a Later, again and again")}}
	}
	return ask(ctx, w.verdict.Work())
}

// ask asks a question. Its answer is one judgement: a second one would be lost.
func ask(ctx context.Context, work func(context.Context) (policy.Verdict, error)) said {
	return call(func(ctx context.Context) (policy.Verdict, error) {
		v, err := work(ctx)
		if v.Also() != nil {
			panic("Verdict.And: a Later answers with one judgement")
		}
		return v, err
	}, ctx)
}

// wait waits until the check has said something. When the context ends first, that is an error from
// then on, for everyone who asks: a backend that hangs is waited for once. Where it is the daemon
// that ends, the check has heard so, too, and says itself what it knows by now.
func (f *finding) wait(ctx context.Context, rn *Runner) {
	if f.later == nil {
		return
	}
	rn.start(f.later)
	select {
	case <-f.later.done:
	case <-ctx.Done():
		if rn.ctx.Err() != nil {
			<-f.later.done
			return
		}
		f.later.say(said{err: errDeadline})
	}
}

// abandon stops work that nobody waits for.
func (l *later) abandon() {
	if !l.kept.Load() {
		l.say(said{err: errAbandoned})
	}
}

// keep lets the work go on after its scope has ended, because what is only monitored is still to be
// recorded.
func (f *finding) keep() {
	if f.later != nil {
		f.later.kept.Store(true)
	}
}

// call runs a hook and turns a panic into a fault: nothing that a client sends may end the daemon.
func call[S any](hook func(S) (policy.Verdict, error), where S) (w said) {
	defer func() {
		if r := recover(); r != nil {
			w = said{err: panicked(r, debug.Stack())}
			if err, ok := r.(error); ok && notRecorded(err) {
				w.err = err
			}
		}
	}()
	v, err := hook(where)
	if err != nil {
		v = policy.Pass
	}
	return said{v, err}
}

// judge runs a check's hook on a scope and keeps what it finds there, if that has anything against
// the mail.
func judge[S policy.Scope](s *Session, b *bound, stage policy.Stage, hook func(S) (policy.Verdict, error), on S, where *scope, rcpt *recipient) {
	w := call(hook, on)
	if also := w.verdict.Also(); also != nil {
		s.keep(b, stage, said{verdict: *also}, where, rcpt)
	}
	s.keep(b, stage, w, where, rcpt)
}

// asked is where it is kept what the scope under way asks: the message, or the client before it;
// nil where nobody keeps it.
func (s *Session) asked() *trace.Log {
	if s.msg != nil {
		return s.msg.log()
	}
	return s.runner.kept(&s.conn.asked)
}

// log is where it is kept what is asked about the message, nil where nobody keeps it.
func (m *message) log() *trace.Log { return m.runner.kept(&m.asked) }

// kept is the log, if anybody keeps transactions.
func (rn *Runner) kept(log *trace.Log) *trace.Log {
	if !rn.observer.Keeps() {
		return nil
	}
	return log
}

// keep puts a finding into its scope, unless it has nothing against the mail. A question that never
// waits is asked here and now; one that does is begun, unless its answer can only be recorded: that
// is asked for after the reply.
func (s *Session) keep(b *bound, stage policy.Stage, w said, where *scope, rcpt *recipient) {
	var queries []trace.Query
	monitors := false
	if w.verdict.Work() != nil {
		s.carrier.To(s.asked())
	}
	for n := 0; w.verdict.Work() != nil && !w.verdict.Waits(); n++ {
		monitors = monitors || w.verdict.OnlyMonitors()
		w = next(&s.carrier, w, n)
		queries = append(queries, s.carrier.Take()...)
	}
	if s.past != nil {
		w = recall(s.past, b, stage, rcpt, w)
	}
	if w.idle() && !s.explaining() {
		return
	}
	f := &finding{check: b, stage: stage, pos: b.pos[stage], rcpt: rcpt, said: w, monitors: monitors, queries: queries}
	f.due = s.conn.dueAt(b, stage, w.err != nil)
	if w.idle() {
		s.explainNothing(f)
		return
	}
	if work := w.verdict.Work(); work != nil {
		f.said, f.monitors = said{}, monitors || w.verdict.OnlyMonitors() // what the work has caught need not outlive it
		f.later = &later{done: make(chan struct{}), work: work}
		f.later.trace.Start(queries)
		f.later.trace.To(s.asked())
		if s.past != nil {
			past := s.past
			f.later.recall = func(w said) said { return recall(past, b, stage, rcpt, w) }
		}
	}
	where.findings = append(where.findings, f)
	if f.later != nil && (s.explaining() || f.mode(rcpt, s.orders) > policy.Monitor) {
		s.runner.start(f.later)
	}
}
