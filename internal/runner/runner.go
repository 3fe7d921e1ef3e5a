package runner

import (
	"context"
	"sync/atomic"
	"time"

	"mailweir/internal/fact"
	"mailweir/internal/policy"
)

// Limits bound what one answer may take.
type Limits struct {
	// Stage is the deadline of an answer before the end of the message. Sendmail gives up after 10
	// s.
	Stage time.Duration
	// End is the deadline of the answer at the end of the message.
	End time.Duration
	// Questions is how many pieces of work may be under way at once, for all sessions.
	Questions int
}

// DefaultLimits are those of section 2 of the specification.
var DefaultLimits = Limits{Stage: 8 * time.Second, End: 60 * time.Second, Questions: 20_000}

// Observer sees every decision and every outcome. It is the one place that writes log, metrics and,
// later, a record. Its methods are called from any goroutine and must not wait.
type Observer interface {
	// Identify returns the id for an event before its reply is built. Events that are alike share
	// one when there are too many of them.
	Identify(*policy.Event) string
	// Record takes the finished event.
	Record(*policy.Event)
	// Settled takes what became of a transaction, accepted ones too. Version, host and time of the
	// end are the observer's.
	Settled(*policy.Transaction)
	// Keeps reports whether what Settled takes is kept, to be judged again; else what was asked for
	// it is left out.
	Keeps() bool
	// Defect takes a panic outside of any answer: in a Settle hook, a tick, or what gives back at
	// the end of a scope.
	Defect(error)
	// Dropped is told that something was neither learned nor recorded, because a session's work
	// behind the answers does not come to its end.
	Dropped()
	// Opened and Closed count connections.
	Opened(*policy.Connection)
	Closed(*policy.Connection)
	// Took is told how long mailweir worked and waited for an answer.
	Took(policy.Stage, time.Duration)
}

// Runner runs sessions under the current policy.
type Runner struct {
	current  atomic.Pointer[Policy]
	observer Observer
	limits   Limits

	ctx    context.Context
	stop   context.CancelFunc
	places chan struct{}
	pool   *pool
}

// NewRunner returns a runner for a policy. Close ends what it has under way.
func NewRunner(p *Policy, observer Observer, limits Limits) *Runner {
	rn := &Runner{observer: observer, limits: limits, places: make(chan struct{}, limits.Questions)}
	rn.ctx, rn.stop = context.WithCancel(context.Background())
	rn.pool = newPool(rn.ctx)
	rn.current.Store(p)
	return rn
}

// launch runs work in a goroutine that the runner owns, and reports false when too much is under
// way.
func (rn *Runner) launch(work func()) bool {
	select {
	case rn.places <- struct{}{}:
	default:
		return false
	}
	rn.pool.do(func() {
		defer func() { <-rn.places }()
		work()
	})
	return true
}

// find returns a fact that the runner has found out once for all who ask, within the deadline of a
// stage.
func find[T any](ctx context.Context, rn *Runner, f *fact.Fact[T], how func(context.Context) (T, error)) (T, error) {
	return findWithin(ctx, rn, rn.limits.Stage, f, how)
}

// findWithin is find with a deadline of its own.
func findWithin[T any](
	ctx context.Context, rn *Runner, limit time.Duration, f *fact.Fact[T], how func(context.Context) (T, error),
) (T, error) {
	launch := func(work func(context.Context)) bool { return rn.launch(func() { work(rn.ctx) }) }
	return f.Get(ctx, launch, limit, how)
}

// Policy returns the current policy.
func (rn *Runner) Policy() *Policy { return rn.current.Load() }

// acquire returns the current policy for a connection scope, which releases it at its end.
func (rn *Runner) acquire() *Policy {
	for {
		if p := rn.current.Load(); p.retain() {
			return p
		}
	}
}

// Swap makes p the current policy. Transactions under way keep theirs.
func (rn *Runner) Swap(p *Policy) { rn.leave(rn.current.Swap(p)) }

// leave ends one use of a policy. The last one closes it.
func (rn *Runner) leave(p *Policy) {
	if err := p.release(); err != nil {
		rn.observer.Defect(err)
	}
}

// closing is how long work under way may take once the sessions have ended: what is late is then
// recorded and learned as ever, and a backend that hangs holds nobody up.
const closing = 2 * time.Second

// Close waits a little for the work under way, ends the rest, and waits for that. Sessions must
// have ended before.
func (rn *Runner) Close() {
	cut := time.AfterFunc(closing, rn.stop)
	defer cut.Stop()
	rn.pool.working.Wait()
	rn.stop()
	rn.pool.wait()
	rn.leave(rn.current.Load())
}
