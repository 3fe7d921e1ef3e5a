package policy

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"mailweir/internal/fact"
)

// Limits bound what one answer may take.
type Limits struct {
	// Stage is the deadline of an answer before the end of the message. Sendmail gives up after 10 s.
	Stage time.Duration
	// End is the deadline of the answer at the end of the message.
	End time.Duration
	// Questions is how many pieces of work may be under way at once, for all sessions.
	Questions int
}

// DefaultLimits are those of section 2 of the specification.
var DefaultLimits = Limits{Stage: 8 * time.Second, End: 60 * time.Second, Questions: 20_000}

// Runner runs sessions under the current policy.
type Runner struct {
	current  atomic.Pointer[Policy]
	observer Observer
	limits   Limits

	ctx    context.Context
	stop   context.CancelFunc
	places chan struct{}
	crew   *crew
}

// NewRunner returns a runner for a policy. Close ends what it has under way.
func NewRunner(p *Policy, observer Observer, limits Limits) *Runner {
	rn := &Runner{observer: observer, limits: limits, places: make(chan struct{}, limits.Questions)}
	rn.ctx, rn.stop = context.WithCancel(context.Background())
	rn.crew = newCrew(rn.ctx)
	rn.current.Store(p)
	return rn
}

// launch runs work in a goroutine that the runner owns, and reports false when too much is under way.
func (rn *Runner) launch(work func()) bool {
	select {
	case rn.places <- struct{}{}:
	default:
		return false
	}
	rn.crew.do(func() {
		defer func() { <-rn.places }()
		work()
	})
	return true
}

// find returns a fact that the runner has found out once for all who ask, within the deadline of a stage.
func find[T any](ctx context.Context, rn *Runner, f *fact.Fact[T], how func(context.Context) (T, error)) (T, error) {
	launch := func(work func(context.Context)) bool { return rn.launch(func() { work(rn.ctx) }) }
	return f.Get(ctx, launch, rn.limits.Stage, how)
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

// Close stops all work and waits for it to end. Sessions must have ended before.
func (rn *Runner) Close() {
	rn.stop()
	rn.crew.wait()
	rn.leave(rn.current.Load())
}

// idAlphabet has no letters that are taken for one another when an id is read out.
const idAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// NewID returns eight random letters and digits: 40 bits.
func NewID() string {
	bits := rand.Uint64()
	var id [8]byte
	for i := range id {
		id[i] = idAlphabet[bits&31]
		bits >>= 5
	}
	return string(id[:])
}
