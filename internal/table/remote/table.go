package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"mailweir/internal/backend"
	"mailweir/internal/table/postfixcf"
)

// askWithin is how long one question may take, room for it included. Mail waits 8 s for all that is
// asked at one command.
const askWithin = 7 * time.Second

// grain is how much earlier than the context a connection may notice that its time is up.
const grain = 100 * time.Millisecond

// mostQuestions bounds the keys that are asked for at once, room or not.
const mostQuestions = 1000

// Table is a [table.Waiting] that keeps answers, and watches over its server.
type Table struct {
	spec      string
	driver    Driver
	backend   *backend.Backend
	file      *postfixcf.File
	wholeKeys bool

	mu        sync.Mutex
	cache     cache
	questions map[string]*question
}

// question is what is asked just now, for everybody who wants to know.
type question struct {
	done  chan struct{}
	value string
	found bool
	err   error
	fault any // what the driver panicked with
}

func newTable(k Kind, s Source, d Driver, keep time.Duration, observer *backend.Observer) *Table {
	t := &Table{spec: s.Spec, driver: d, file: s.File, wholeKeys: k.WholeKeys, cache: newCache(keep), questions: map[string]*question{}}
	t.backend = backend.New(observer.Watch(backend.Options{
		Name: s.Spec, Deadline: askWithin, InFlight: k.inFlight(), Answered: losesNothing,
		Probe: func(ctx context.Context, _ int) (err error) {
			defer caught(&err)
			return d.Probe(ctx)
		},
	}))
	return t
}

// Find implements [table.Waiting]. Who leaves early does not end the question: others may wait for
// it, and its answer is kept.
func (t *Table) Find(ctx context.Context, key string) (value string, found bool, err error) {
	t.mu.Lock()
	if a, ok := t.cache.get(key, time.Now()); ok {
		t.mu.Unlock()
		return a.value, a.found, nil
	}
	q, err := t.question(ctx, key)
	t.mu.Unlock()
	if err != nil {
		return "", false, err
	}
	select {
	case <-q.done:
	case <-ctx.Done():
		return "", false, ctx.Err()
	}
	if q.fault != nil {
		panic(q.fault)
	}
	return q.value, q.found, q.err
}

// question is the one that is under way, or a new one. It needs the lock.
func (t *Table) question(ctx context.Context, key string) (*question, error) {
	if q := t.questions[key]; q != nil {
		return q, nil
	}
	if err := t.backend.Lost(0); err != nil {
		return nil, t.unnamed(err)
	}
	if len(t.questions) >= mostQuestions {
		return nil, fmt.Errorf("%w: %d questions wait for their answers", backend.ErrBusy, mostQuestions)
	}
	key = strings.Clone(key) // it may be a piece of something large
	q := &question{done: make(chan struct{})}
	t.questions[key] = q
	go t.ask(context.WithoutCancel(ctx), key, q)
	return q, nil
}

func (t *Table) ask(ctx context.Context, key string, q *question) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	defer func() {
		q.fault = recover()
		t.mu.Lock()
		if q.fault == nil && q.err == nil {
			t.cache.put(key, answer{q.value, q.found}, time.Now())
		}
		delete(t.questions, key)
		t.mu.Unlock()
		close(q.done)
	}()
	q.err = t.backend.Call(ctx, 0, func(ctx context.Context) (err error) {
		begun := time.Now()
		q.value, q.found, err = t.driver.Find(ctx, key)
		if end, _ := ctx.Deadline(); err != nil && time.Until(end) < grain && time.Since(begun) < askWithin/2 {
			return backend.ErrBusy // it waited for room so long that the server had no fair chance
		}
		return t.shown(err)
	})
	if q.err != nil {
		q.value, q.found, q.err = "", false, t.unnamed(q.err)
	}
	if errors.Is(q.err, context.DeadlineExceeded) && !errors.Is(q.err, backend.ErrUnavailable) {
		q.err = backend.ErrBusy
	}
}

// losesNothing reports errors that say nothing against the server.
func losesNothing(err error) bool { return isAnswer(err) || errors.Is(err, backend.ErrBusy) }

// unnamed is an error without the table's name, which [table.Table] puts in front.
func (t *Table) unnamed(err error) error {
	return unnamed{err, strings.Replace(err.Error(), ": "+t.spec+": ", ": ", 1)}
}

type unnamed struct {
	error
	text string
}

func (u unnamed) Error() string { return u.text }
func (u unnamed) Unwrap() error { return u.error }

// shown is an error without secrets.
func (t *Table) shown(err error) error {
	switch {
	case t.file == nil:
		return err
	case isAnswer(err):
		return Answered{t.file.Redact(err)}
	}
	return t.file.Redact(err)
}

// Inspect implements [table.Inspector].
func (t *Table) Inspect(ctx context.Context) (text string, remarks []string, err error) {
	defer caught(&err)
	text, remarks, err = t.driver.Inspect(ctx)
	return text, remarks, t.shown(err)
}

// caught makes an error of a panic where nobody else would: whatever a server says must not end the
// process.
func caught(err *error) {
	if fault := recover(); fault != nil {
		*err = fmt.Errorf("panic: %v", fault)
	}
}

// File implements [table.Described].
func (t *Table) File() string {
	if t.file == nil {
		return ""
	}
	return t.file.Path()
}

// Paths implements [table.Described].
func (t *Table) Paths() []string {
	if t.file == nil {
		return nil
	}
	return t.file.Paths()
}

// WholeKeys implements [table.Described].
func (t *Table) WholeKeys() bool { return t.wholeKeys }

// Remarks implements [table.Described].
func (t *Table) Remarks() []string {
	if t.file == nil {
		return nil
	}
	return t.file.Remarks()
}

// Close ends the connections, when the last policy with the table has ended.
func (t *Table) Close() error {
	t.backend.Close()
	return t.driver.Close()
}
