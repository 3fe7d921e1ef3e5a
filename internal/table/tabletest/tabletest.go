// Package tabletest has tables that wait, for tests: they answer what the test says, when it says,
// or fail.
package tabletest

import (
	"context"
	"slices"
	"sync"

	"mailweir/internal/table"
)

// Kind is the type of the tables: a flag names one as "test:NAME".
const Kind = "test"

// Tables are the tables of a test, by name. The zero value has none; a table is made when it is
// first named.
type Tables struct {
	mu     sync.Mutex
	tables map[string]*Table
}

// Table returns the table of that name.
func (t *Tables) Table(name string) *Table {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tables == nil {
		t.tables = map[string]*Table{}
	}
	if t.tables[name] == nil {
		t.tables[name] = &Table{entries: map[string]string{}}
	}
	return t.tables[name]
}

// Open is a [table.Opener].
func (t *Tables) Open(kind, source string) (table.Waiting, error) {
	if kind != Kind {
		return nil, nil
	}
	one := t.Table(source)
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.broken != nil {
		return nil, one.broken
	}
	return one, nil
}

// Table answers from its entries. It is safe for use by many at once.
type Table struct {
	mu      sync.Mutex
	entries map[string]string
	asked   []string
	failure error
	broken  error
	held    chan struct{} // closed when answers may leave; nil while nobody is held
	waiting chan string   // gets the key of whoever waits
}

// Put enters a key, folded as keys are.
func (t *Table) Put(key, value string) *Table {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.entries[key] = value
	return t
}

// Fail makes every question fail from now on; nil ends that.
func (t *Table) Fail(err error) *Table {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failure = err
	return t
}

// Break makes opening fail; nil ends that.
func (t *Table) Break(err error) *Table {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken = err
	return t
}

// Hold keeps every answer back until release is called. Each question that is kept shows its key in
// waiting.
func (t *Table) Hold() (waiting <-chan string, release func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	held := make(chan struct{})
	t.held, t.waiting = held, make(chan string, 1000)
	return t.waiting, sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		close(held)
		t.held = nil
	})
}

// Asked returns the keys asked for so far, in order.
func (t *Table) Asked() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.asked)
}

// Find implements [table.Waiting].
func (t *Table) Find(ctx context.Context, key string) (value string, found bool, err error) {
	t.mu.Lock()
	t.asked = append(t.asked, key)
	held, waiting := t.held, t.waiting
	t.mu.Unlock()
	if held != nil {
		waiting <- key
		select {
		case <-held:
		case <-ctx.Done():
			return "", false, ctx.Err()
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failure != nil {
		return "", false, t.failure
	}
	value, found = t.entries[key]
	return value, found, nil
}
