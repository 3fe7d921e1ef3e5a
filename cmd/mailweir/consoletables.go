package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/resource"
	"mailweir/internal/table"
	"mailweir/internal/web/door"
)

// consoleTables are --console-roles and --console-addresses. They are read again when a file has
// changed; one that has become wrong changes nothing.
type consoleTables struct {
	flags    *consoleFlags
	backends *policy.Backends
	wrong    func(error) // told once of each mistake

	mu     sync.Mutex
	opened *openTables
	looked time.Time
	failed string // what changed files looked like that could not be read
}

// openTables is what is in use.
type openTables struct {
	loader           *table.Loader
	held             *resource.Holder
	roles, addresses *table.List // nil without
}

// lookEvery is how often files are looked at for changes.
const lookEvery = time.Second

func openConsoleTables(c *consoleFlags, backends *policy.Backends, wrong func(error)) (*consoleTables, error) {
	t := &consoleTables{flags: c, backends: backends, wrong: wrong}
	opened, err := t.open(nil)
	t.opened = opened
	return t, err
}

// open reads the tables; what has not changed is taken over.
func (t *consoleTables) open(previous *openTables) (*openTables, error) {
	o := &openTables{held: t.backends.Resources.Hold()}
	var before *table.Loader
	if previous != nil {
		before = previous.loader
	}
	o.loader = table.NewLoader(before)
	o.loader.Waiting = func(kind, source string) (table.Waiting, error) { return t.backends.Tables(o.held, kind, source) }
	var errs []error
	read := func(flag, spec string, check func(string) error) *table.List {
		if spec == "" {
			return nil
		}
		opened, err := o.loader.List(table.ListOptions{Use: table.Use{Values: table.Values{Name: flag, Check: check}}}, spec)
		if err != nil {
			errs = append(errs, errors.New("--"+flag+": "+err.Error()))
		}
		return opened
	}
	o.roles = read("console-roles", *t.flags.roles, door.CheckRole)
	o.addresses = read("console-addresses", *t.flags.addresses, door.CheckAddresses)
	o.loader.Done()
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, o.held.Release())
	}
	return o, nil
}

// now are the tables as their files stand now.
func (t *consoleTables) now() *openTables {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := t.backends.Clock(); now.Sub(t.looked) >= lookEvery {
		t.looked = now
		if changed := t.opened.loader.Changed(); len(changed) > 0 {
			if look := looks(changed); look != t.failed {
				t.failed = ""
				if !t.reload() {
					t.failed = look
				}
			}
		}
	}
	return t.opened
}

// Reload reads every table again.
func (t *consoleTables) Reload() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = ""
	t.reload()
}

func (t *consoleTables) reload() bool {
	opened, err := t.open(t.opened)
	if err != nil {
		t.wrong(err)
		return false
	}
	_ = t.opened.held.Release() // what the new ones hold as well stays open
	t.opened = opened
	return true
}

// files are those that the tables need.
func (t *consoleTables) files() []string { return t.now().loader.Files() }

// Close lets go of what the tables hold.
func (t *consoleTables) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.opened.held.Release()
}

// roles is what the door asks, nil without --console-roles.
func (t *consoleTables) roles() *door.Roles {
	if *t.flags.roles == "" {
		return nil
	}
	r := &door.Roles{Role: lookup(func() *table.List { return t.now().roles })}
	if *t.flags.addresses != "" {
		r.Addresses = lookup(func() *table.List { return t.now().addresses })
	}
	return r
}

func lookup(now func() *table.List) door.Lookup {
	return func(ctx context.Context, key string) (string, bool, error) {
		m, err := now().Key(ctx, key)
		return m.Value, m.Found(), err
	}
}
