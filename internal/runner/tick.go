package runner

import (
	"context"

	"mailweir/internal/policy"
)

// Tick lets the checks of the current policy do what is due without any mail. The daemon calls it
// from time to time, never twice at once.
func (rn *Runner) Tick(ctx context.Context) {
	p := rn.acquire()
	defer rn.leave(p)
	for _, b := range p.hooks.tick {
		w := call(func(b *bound) (policy.Verdict, error) {
			b.hooks.Tick(ctx, func(e *policy.Event) { rn.tell(p, b, e) })
			return policy.Pass, nil
		}, b)
		if w.err != nil {
			rn.observer.Defect(w.err)
		}
	}
}

// tell records what a check found without any mail.
func (rn *Runner) tell(p *Policy, b *bound, e *policy.Event) {
	e.Time, e.Check, e.Mode = p.backends.Clock(), b.Name, b.modeNow(p.entered.monitored.Now(rn.ctx))
	e.ID = rn.observer.Identify(e)
	rn.observer.Record(e)
}
