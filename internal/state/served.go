package state

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Served shows a store to one other process of this host, whose [Remote] asks. The places that it
// holds are free again at Close.
type Served struct {
	store  Store
	news   *news
	stop   func() // of the watch
	mu     sync.Mutex
	held   map[string][]Lease
	closed bool
}

// servedWithin bounds one question; whoever asks waits for no longer.
const servedWithin = 30 * time.Second

// NewServed shows a store. call asks the other process.
func NewServed(store Store, call Caller) *Served {
	news := &news{call: call, more: make(chan struct{}, 1), end: make(chan struct{}), own: map[string]int{}, hidden: map[string]bool{}}
	s := &Served{store: store, news: news, held: map[string][]Lease{}}
	stop := store.Watch("", news.add)
	var telling sync.WaitGroup
	telling.Go(news.run)
	s.stop = sync.OnceFunc(func() {
		stop()
		close(news.end)
		telling.Wait()
	})
	return s
}

// Adopt goes on with places that the other process holds.
func (s *Served) Adopt(held []string) {
	to, adopts := s.store.(adopter)
	if !adopts {
		return
	}
	for _, key := range held {
		s.keep(key, to.adopt(key))
	}
}

// keep holds a place for the other process, unless that has gone meanwhile.
func (s *Served) keep(key string, lease Lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		lease.Release()
		return
	}
	s.held[key] = append(s.held[key], lease)
}

// Close ends what the other process began. It has gone.
func (s *Served) Close() {
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for key, leases := range s.held {
		for _, lease := range leases {
			lease.Release()
		}
		delete(s.held, key)
	}
}

// Handle answers what a [Remote] asks.
func (s *Served) Handle(ctx context.Context, method string, body []byte) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, servedWithin)
	defer cancel()
	switch method {
	case methodDo:
		return answer(body, func(asked []wireStep) (any, error) { return s.do(ctx, asked), nil })
	case methodAsk:
		return answer(body, func(q Question) (any, error) { return q.Answer(ctx, s.store) })
	case methodAcquire:
		return answer(body, func(p wirePlace) (any, error) { return s.acquire(ctx, p) })
	case methodRelease:
		return answer(body, func(p wirePlace) (any, error) { return struct{}{}, s.release(string(p.Key)) })
	case methodStats:
		return s.store.Stats(ctx)
	}
	return nil, fmt.Errorf("state: nothing here answers %q", method)
}

func answer[In any](body []byte, of func(In) (any, error)) (any, error) {
	var in In
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	return of(in)
}

// do does the steps that are understood.
func (s *Served) do(ctx context.Context, asked []wireStep) []wireResult {
	answers := make([]wireResult, len(asked))
	var steps []Step
	var of []int
	for i, w := range asked {
		step, err := w.step()
		if err != nil {
			answers[i] = wireResultOf(Result{Err: err})
			continue
		}
		steps, of = append(steps, step), append(of, i)
	}
	entered := enteredSteps(steps)
	s.news.begin(entered)
	results, _ := s.store.Do(ctx, steps...) // each has its own error
	s.news.over(entered, enteredKeys(steps, results))
	for n, r := range results {
		answers[of[n]] = wireResultOf(r)
	}
	return answers
}

func (s *Served) acquire(ctx context.Context, p wirePlace) (wireTaken, error) {
	lease, ok, err := s.store.Acquire(ctx, string(p.Key), p.Limit)
	if ok && err == nil {
		s.keep(string(p.Key), lease)
	}
	return wireTaken{ok}, err
}

func (s *Served) release(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	leases := s.held[key]
	if len(leases) == 0 {
		return fmt.Errorf("state: no place of %s is held", key)
	}
	leases[0].Release() // one is like the other
	if s.held[key] = leases[1:]; len(leases) == 1 {
		delete(s.held, key)
	}
	return nil
}
