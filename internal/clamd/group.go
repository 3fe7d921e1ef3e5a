package clamd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"
)

// usualPatience is how long a scanner may be silent before the next one is asked as well. Few
// messages take as long.
const usualPatience = 10 * time.Second

// Group is scanners that are used by turn, each for those that fail.
type Group struct {
	scanners []*Scanner
	deadline time.Duration
	late     error // what the deadline says
	patience time.Duration
	turn     atomic.Uint32
}

// NewGroup returns a group of one scanner or more. The deadline is that of a message, however many
// scanners it is shown to.
func NewGroup(deadline time.Duration, scanners ...*Scanner) *Group {
	return &Group{scanners: scanners, deadline: deadline, late: fmt.Errorf("no answer within %s", deadline), patience: usualPatience}
}

// Scan shows the message to one of the scanners, and to the next one when that fails, or is silent
// for long. The first to say something counts. It may open the message several times, even at once.
// Of the result, the time is known even after an error.
func (g *Group) Scan(ctx context.Context, open func() io.Reader) (Result, error) {
	begun := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, g.deadline, g.late)
	defer cancel()
	result, err := g.scan(ctx, open)
	result.Took = time.Since(begun)
	return result, err
}

func (g *Group) scan(ctx context.Context, open func() io.Reader) (Result, error) {
	order := g.order()
	if len(order) == 1 {
		return order[0].Scan(ctx, open)
	}
	ctx, cancel := context.WithCancel(ctx)
	race := &race{begun: time.Now(), order: order, said: make(chan said, len(order)), failed: make([]error, len(order))}
	defer race.end(cancel)
	race.begin(ctx, open)
	late := time.NewTicker(g.patience)
	defer late.Stop()
	for race.under > 0 {
		select {
		case s := <-race.said:
			race.under--
			if s.err == nil || errors.Is(s.err, ErrMessage) {
				race.doubtSilent(s.by, g.patience)
				return s.result, s.err
			}
			race.failed[s.by] = s.err
			late.Reset(g.patience)
			race.begin(ctx, open)
		case <-late.C:
			race.begin(ctx, open)
		}
	}
	return Result{}, errors.Join(race.failed...)
}

// order is the scanners by turn: first those that would begin at once, and last those that are
// lost.
func (g *Group) order() []*Scanner {
	first := int(g.turn.Add(1)-1) % len(g.scanners)
	order := slices.Concat(g.scanners[first:], g.scanners[:first])
	rank := func(s *Scanner) int {
		switch {
		case s.watch.Lost(0) != nil:
			return 2
		case !s.free():
			return 1
		}
		return 0
	}
	slices.SortStableFunc(order, func(a, b *Scanner) int { return rank(a) - rank(b) })
	return order
}

// race is the scanners that one message is shown to.
type race struct {
	begun  time.Time
	order  []*Scanner
	began  int // how many of them have been asked
	under  int // how many have not answered yet
	said   chan said
	failed []error // of each that has
}

// said is what one scanner says, or why it says nothing.
type said struct {
	by     int
	result Result
	err    error
}

// begin asks the next scanner, if there is one.
func (r *race) begin(ctx context.Context, open func() io.Reader) {
	if r.began == len(r.order) {
		return
	}
	i := r.began
	r.began++
	r.under++
	go func() {
		result, err := r.order[i].Scan(ctx, open)
		r.said <- said{i, result, err}
	}()
}

// doubtSilent blames those that have been silent for so long that another one was asked, which has
// answered before them. It is not asked before: nothing may be as good as one that is slow.
func (r *race) doubtSilent(winner int, patience time.Duration) {
	for i := range winner {
		if r.failed[i] == nil {
			r.order[i].suspect(r.begun, fmt.Errorf("no answer within %s, but by another one", patience))
		}
	}
}

// end waits for those that are still at work.
func (r *race) end(cancel func()) {
	cancel()
	for ; r.under > 0; r.under-- {
		<-r.said
	}
}
