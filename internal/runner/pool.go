package runner

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// crew runs pieces of work off the sessions' path, each in a goroutine. One that has finished stays for the next piece: its stack has
// grown to what such work needs, and to grow a new one for each question about a message costs more than most of the answers.
type crew struct {
	ctx     context.Context // ends those who wait
	jobs    chan func()
	waiting atomic.Int32
	working sync.WaitGroup // pieces of work
	members sync.WaitGroup // goroutines
}

const (
	// maxWaiting is how many stay when there is nothing to do,
	maxWaiting = 32
	// waitsFor is for how long: under load one is soon wanted again, and an idle daemon keeps none.
	waitsFor = 100 * time.Millisecond
)

func newCrew(ctx context.Context) *crew {
	return &crew{ctx: ctx, jobs: make(chan func())}
}

// do has the work done, beside whoever asks.
func (c *crew) do(work func()) {
	c.working.Add(1)
	select {
	case c.jobs <- work:
	default:
		c.members.Add(1)
		go c.member(work)
	}
}

func (c *crew) member(work func()) {
	defer c.members.Done()
	wait := time.NewTimer(waitsFor)
	defer wait.Stop()
	for work != nil {
		work()
		c.working.Done()
		wait.Reset(waitsFor)
		work = c.next(wait.C)
	}
}

// next waits for another piece of work; nil means that there is none for this goroutine.
func (c *crew) next(enough <-chan time.Time) func() {
	defer c.waiting.Add(-1)
	if c.waiting.Add(1) > maxWaiting {
		return nil
	}
	select {
	case work := <-c.jobs:
		return work
	case <-enough:
		return nil
	case <-c.ctx.Done():
		return nil
	}
}

// wait returns when all work is done and, the context having ended, nobody is left.
func (c *crew) wait() {
	c.working.Wait()
	c.members.Wait()
}
