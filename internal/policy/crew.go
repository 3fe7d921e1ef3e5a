package policy

import (
	"context"
	"sync"
	"sync/atomic"
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

// maxWaiting is how many stay when there is nothing to do.
const maxWaiting = 32

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
	for work != nil {
		work()
		c.working.Done()
		work = c.next()
	}
}

// next waits for another piece of work; nil means that there is none for this goroutine.
func (c *crew) next() func() {
	defer c.waiting.Add(-1)
	if c.waiting.Add(1) > maxWaiting {
		return nil
	}
	select {
	case work := <-c.jobs:
		return work
	case <-c.ctx.Done():
		return nil
	}
}

// wait returns when all work is done and, the context having ended, nobody is left.
func (c *crew) wait() {
	c.working.Wait()
	c.members.Wait()
}
