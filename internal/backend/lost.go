package backend

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Lost returns the error of a part that is known to be lost, and nil for any other.
func (b *Backend) Lost(part int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.causes[part]
}

// AnyLost returns the error of some part that is lost, and nil when none is: for a question to all
// of them.
func (b *Backend) AnyLost() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, err := range b.causes {
		return err
	}
	return nil
}

// Lose marks a part as lost, and returns the error for whoever asked there. OnDown is called under
// the lock, as OnUp is: so the last word is what is so.
func (b *Backend) Lose(cause error, part int) error {
	err := fmt.Errorf("%w: %s: %w", b.options.Unavailable, b.options.Name, cause)
	b.mu.Lock()
	defer b.mu.Unlock()
	first := len(b.causes) == 0
	b.causes[part] = err
	if first {
		b.options.OnDown(err)
	}
	if !b.probing && b.ctx.Err() == nil {
		b.probing = true
		b.work.Go(b.probe)
	}
	return err
}

// probe asks what is lost until nothing is.
func (b *Backend) probe() {
	for pause := b.options.FirstProbe; ; pause = min(2*pause, b.options.LastProbe) {
		lost := b.lost()
		if len(lost) == 0 {
			return
		}
		select {
		case <-time.After(pause):
		case <-b.ctx.Done():
			return
		}
		for _, part := range lost {
			if b.answers(part) {
				b.restore(part)
			}
		}
	}
}

// answers probes a part. Nobody else could catch a panic of the prober's: what makes the probe
// panic is no answer.
func (b *Backend) answers(part int) (answers bool) {
	defer func() {
		if recover() != nil {
			answers = false
		}
	}()
	ctx, cancel := context.WithTimeout(b.ctx, b.options.Deadline)
	defer cancel()
	return b.options.Probe(ctx, part) == nil
}

// lost returns the parts that are lost. When there are none, the prober is to end.
func (b *Backend) lost() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	parts := make([]int, 0, len(b.causes))
	for part := range b.causes {
		parts = append(parts, part)
	}
	slices.Sort(parts)
	b.probing = len(parts) > 0
	return parts
}

func (b *Backend) restore(part int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.causes, part)
	if len(b.causes) == 0 {
		b.options.OnUp()
	}
}
