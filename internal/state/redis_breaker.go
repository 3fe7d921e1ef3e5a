package state

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// breakers remember which parts of the server are out of reach, so that only the prober asks there. In a cluster each
// bucket has one, for a lost node takes only its buckets with it; else there is one for all.
type breakers struct {
	name   string // of the server
	mu     sync.Mutex
	causes map[int]error
	onDown func(error)
	onUp   func()
	probe  chan struct{}
}

// cause returns an error that is ErrDown when the part is known to be out of reach.
func (b *breakers) cause(part int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.causes[part]
}

// trip marks parts as out of reach and wakes the prober.
func (b *breakers) trip(cause error, parts ...int) error {
	if strings.HasPrefix(b.name, "rediss:") && errors.Is(cause, context.DeadlineExceeded) {
		cause = fmt.Errorf("%w (does it speak TLS on that port?)", cause)
	}
	cause = fmt.Errorf("%w: %s: %w", ErrDown, b.name, cause)
	b.lose(cause, parts)
	select {
	case b.probe <- struct{}{}:
	default: // it is awake
	}
	return cause
}

// lose tells under the lock that the store goes, as restore tells that it is back: so the last word is what is so.
func (b *breakers) lose(cause error, parts []int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := len(b.causes) == 0
	for _, part := range parts {
		b.causes[part] = cause
	}
	if first {
		b.onDown(cause)
	}
}

// restore marks a part as within reach.
func (b *breakers) restore(part int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, was := b.causes[part]
	delete(b.causes, part)
	if was && len(b.causes) == 0 {
		b.onUp()
	}
}

func (b *breakers) lost() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	parts := make([]int, 0, len(b.causes))
	for part := range b.causes {
		parts = append(parts, part)
	}
	return parts
}

// Pace of the prober: quick after a hiccup, patient with a server that is gone.
const (
	firstProbe = 100 * time.Millisecond
	lastProbe  = time.Second
)

// probes asks what is lost until nothing is.
func (r *Redis) probes() {
	defer r.work.Done()
	for {
		select {
		case <-r.breakers.probe:
		case <-r.ctx.Done():
			return
		}
		wait := firstProbe
		for len(r.breakers.lost()) > 0 {
			select {
			case <-time.After(wait):
			case <-r.ctx.Done():
				return
			}
			wait = min(2*wait, lastProbe)
			if r.cluster != nil {
				r.cluster.ReloadState(r.ctx) // whose is it now? The library asks only whom it can reach
			}
			for _, part := range r.breakers.lost() {
				if err := r.ask(r.ctx, part); err == nil {
					r.breakers.restore(part)
					r.leases.renew()
				}
			}
		}
	}
}
