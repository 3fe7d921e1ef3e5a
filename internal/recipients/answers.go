// Package recipients remembers which addresses exist, as servers have said. An answer is kept in
// memory and in the state, so that hosts share it and a restart keeps it; what is asked about by
// many at once is one question. It knows neither the protocols of the servers nor what becomes of
// an answer.
package recipients

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/state"
	"mailweir/internal/trace"
)

// How long an answer counts. One that an address exists is kept longer than it counts, for the time
// when the server cannot be asked.
const (
	YesFor   = time.Hour
	NoFor    = 10 * time.Minute
	StaleFor = 7 * 24 * time.Hour
)

const (
	// askFor bounds one question, whoever waits for it: so the answer of a slow server is there
	// when the mail is tried again.
	askFor = 20 * time.Second
	// hurry is how long those wait for a new answer who have an old one.
	hurry = 3 * time.Second
	// mostAsked bounds the questions under way.
	mostAsked = 500
)

// ErrBusy says that too many questions are under way.
var ErrBusy = errors.New("too many recipients are asked about at once")

// Server says which addresses exist; see policy.Mailboxes.
type Server interface {
	Ask(ctx context.Context, to address.Address, wait bool) (exists bool, said string, err error)
}

// Renewer is a server that has connections on which it may not know yet what was changed just now.
type Renewer interface{ Renew() }

// Answer is what a server has said about an address.
type Answer struct {
	Exists bool
	// Said is the server's own words, for the administrator.
	Said string
	// At is when it was asked.
	At time.Time
	// Stale is why an answer counts that is older than it should be; nil for any other.
	Stale error
}

// Until is when the answer no longer counts.
func (a Answer) Until() time.Time {
	if a.Exists {
		return a.At.Add(YesFor)
	}
	return a.At.Add(NoFor)
}

// Answers are what is remembered. They are safe for use by many at once, and must be closed.
type Answers struct {
	store state.Store
	clock func() time.Time
	near  near
	stop  func() // the watching

	ctx     context.Context
	cancel  context.CancelFunc
	working sync.WaitGroup

	mu     sync.Mutex
	asking map[key]*question
}

// New returns the answers that are kept in a state.
func New(store state.Store, clock func() time.Time) *Answers {
	a := &Answers{store: store, clock: clock, asking: map[key]*question{}}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	a.stop = store.Watch(state.Prefix(forgottenSpace), func(string) { a.near.forget() })
	return a
}

// Close ends the questions under way.
func (a *Answers) Close() error {
	a.stop()
	a.cancel()
	a.working.Wait()
	return nil
}

// Known returns the answer of a source about an address, in the form of a key, if it is in memory
// and counts. It neither waits nor allocates.
func (a *Answers) Known(source, address string) (Answer, bool) {
	return a.near.find(key{source, address}, a.clock())
}

// Ask returns the answer of a server about an address: the one that is kept, if it counts, else a
// new one. An error means that it is not known whether the address exists. The source is the name
// under which the server's answers are kept.
func (a *Answers) Ask(ctx context.Context, source string, server Server, to address.Address) (Answer, error) {
	k := key{source, to.Key()}
	if known, ok := a.near.find(k, a.clock()); ok {
		note(ctx, k, known)
		return known, nil
	}
	at := a.near.version()
	old, found, err := a.kept(ctx, k, to)
	if err != nil {
		trace.Add(ctx, "state "+space, err.Error()+"; the server is asked")
		old, found = a.near.any(k)
	}
	if found && a.clock().Before(old.Until()) {
		a.near.put(k, old, at)
		note(ctx, k, old)
		return old, nil
	}
	stale := found && old.Exists && a.clock().Before(old.At.Add(StaleFor))
	answer, err := a.fresh(ctx, k, server, to, stale)
	switch {
	case err == nil:
		note(ctx, k, answer)
	case stale:
		old.Stale = err
		note(ctx, k, old)
		return old, nil
	default:
		trace.Add(ctx, k.source+" "+k.address, "error: "+err.Error())
	}
	return answer, err
}

// fresh asks the server, together with whoever asks the same.
func (a *Answers) fresh(ctx context.Context, k key, server Server, to address.Address, stale bool) (Answer, error) {
	if stale {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, hurry)
		defer cancel()
	}
	q, known, err := a.join(k, server, to, stale)
	if err != nil || q == nil {
		return known, err
	}
	select {
	case <-q.done:
		return q.answer, q.err
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("no answer in time: %w", context.Cause(ctx))
	}
}

// question is one under way.
type question struct {
	version int // what had been forgotten when it began
	done    chan struct{}
	answer  Answer
	err     error
}

// join returns the question that is under way, or begins one; or the answer of one that has ended
// since the caller looked for an answer.
func (a *Answers) join(k key, server Server, to address.Address, stale bool) (*question, Answer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	version := a.near.version()
	if q := a.asking[k]; q != nil && q.version == version {
		return q, Answer{}, nil
	}
	if known, ok := a.near.find(k, a.clock()); ok {
		return nil, known, nil
	}
	if len(a.asking) >= mostAsked {
		return nil, Answer{}, ErrBusy
	}
	if err := a.ctx.Err(); err != nil {
		return nil, Answer{}, err
	}
	q := &question{version: version, done: make(chan struct{})}
	a.asking[k] = q
	a.working.Go(func() {
		q.answer, q.err = a.ask(k, server, to, !stale)
		a.mu.Lock()
		if a.asking[k] == q {
			delete(a.asking, k)
		}
		a.mu.Unlock()
		close(q.done)
	})
	return q, Answer{}, nil
}

// ask asks the server and keeps what it says.
func (a *Answers) ask(k key, server Server, to address.Address, wait bool) (answer Answer, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	ctx, cancel := context.WithTimeout(a.ctx, askFor)
	defer cancel()
	at, before := a.near.version(), a.forgotten(ctx, to)
	if r, ok := server.(Renewer); ok && before != "" {
		r.Renew() // a person has changed something
	}
	answer.At = a.clock()
	if answer.Exists, answer.Said, err = server.Ask(ctx, to, wait); err != nil {
		return Answer{}, err
	}
	answer.Said = clean(answer.Said)
	if a.keep(ctx, k, to, answer, before) {
		a.near.put(k, answer, at)
	}
	return answer, nil
}

// note adds an answer to the query trace.
func note(ctx context.Context, k key, a Answer) { trace.Add(ctx, k.source+" "+k.address, a.String()) }

// String says what was answered, and when.
func (a Answer) String() string {
	words := "no such address"
	if a.Exists {
		words = "exists"
	}
	if a.Said != "" {
		words += ": " + a.Said
	}
	words += " (asked " + a.At.UTC().Format(time.DateTime)
	if a.Stale != nil {
		words += ", and not now: " + a.Stale.Error()
	}
	return words + ")"
}
