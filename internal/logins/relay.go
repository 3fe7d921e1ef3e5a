package logins

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"mailweir/internal/policy"
)

// Relay brings the decisions about logins to the milter, which keeps them in its record: so a
// bounce or a line of the log that has their id can be looked up. It is a sink of events that never
// waits: what the milter does not take in time is dropped and counted.
type Relay struct {
	client *Client

	mu     sync.Mutex // of the end of the queue
	queue  chan *policy.Event
	closed bool

	closing context.Context
	close   context.CancelFunc
	working sync.WaitGroup
	dropped atomic.Uint64
}

// Bounds of the relay.
const (
	maxWaiting = 1000      // events
	maxEvent   = 128 << 10 // octets of one
	// againAfter is how long the relay waits for a milter that is down: one that is started again
	// misses nothing.
	againAfter = time.Second
	// lastWithin is how long what waits at the end may take.
	lastWithin = 2 * time.Second
)

// NewRelay returns a relay that asks by a client. Close it before the client.
func NewRelay(c *Client) *Relay {
	r := &Relay{client: c, queue: make(chan *policy.Event, maxWaiting)}
	r.closing, r.close = context.WithCancel(context.Background())
	r.working.Go(r.work)
	return r
}

// Event takes an event. Those that share an id with one before come again as their sum.
func (r *Relay) Event(e *policy.Event) {
	if e.Repeated {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		r.dropped.Add(1)
		return
	}
	select {
	case r.queue <- e:
	default:
		r.dropped.Add(1)
	}
}

// Transaction does nothing: who logs in sends nothing here.
func (r *Relay) Transaction(*policy.Transaction) {}

// Dropped is how many events the milter has not had.
func (r *Relay) Dropped() uint64 { return r.dropped.Load() }

// Close brings what waits to the milter, if that answers, and ends.
func (r *Relay) Close() {
	r.mu.Lock()
	r.closed = true
	close(r.queue)
	r.mu.Unlock()
	stop := time.AfterFunc(lastWithin, r.close)
	defer stop.Stop()
	r.working.Wait()
	r.close()
}

func (r *Relay) work() {
	for e := range r.queue {
		if !r.bring(e) {
			r.dropped.Add(1)
		}
	}
}

// bring tries until the milter has the event, or does not want it.
func (r *Relay) bring(e *policy.Event) bool {
	body, err := json.Marshal(e)
	if err != nil || len(body) > maxEvent {
		return false
	}
	for {
		wanted, err := r.once(body)
		if err == nil {
			return wanted
		}
		select {
		case <-r.closing.Done():
			return false
		case <-time.After(againAfter):
		}
	}
}

// once asks the milter to keep an event. That it does not want it, as one of an earlier version, is
// an answer: it is not lost for logins.
func (r *Relay) once(body []byte) (wanted bool, err error) {
	err = r.client.backend.Call(r.closing, 0, func(ctx context.Context) error {
		err := r.client.send(ctx, eventPath, body, nil)
		var answer *statusError
		if errors.As(err, &answer) && answer.code/100 == 4 {
			return nil
		}
		wanted = err == nil
		return err
	})
	return wanted, err
}
