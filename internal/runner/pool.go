package runner

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// pool is the worker pool: it runs pieces of work off the sessions' path, each in a goroutine. One
// that has finished stays for the next piece: its stack has grown to what such work needs, and to
// grow a new one for each question about a message costs more than most of the answers.
type pool struct {
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

func newPool(ctx context.Context) *pool {
	return &pool{ctx: ctx, jobs: make(chan func())}
}

// do has the work done, beside whoever asks.
func (p *pool) do(work func()) {
	p.working.Add(1)
	select {
	case p.jobs <- work:
	default:
		p.members.Add(1)
		go p.member(work)
	}
}

func (p *pool) member(work func()) {
	defer p.members.Done()
	wait := time.NewTimer(waitsFor)
	defer wait.Stop()
	for work != nil {
		work()
		p.working.Done()
		wait.Reset(waitsFor)
		work = p.next(wait.C)
	}
}

// next waits for another piece of work; nil means that there is none for this goroutine.
func (p *pool) next(enough <-chan time.Time) func() {
	defer p.waiting.Add(-1)
	if p.waiting.Add(1) > maxWaiting {
		return nil
	}
	select {
	case work := <-p.jobs:
		return work
	case <-enough:
		return nil
	case <-p.ctx.Done():
		return nil
	}
}

// wait returns when all work is done and, the context having ended, nobody is left.
func (p *pool) wait() {
	p.working.Wait()
	p.members.Wait()
}
