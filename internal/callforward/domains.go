package callforward

import (
	"context"
	"fmt"
	"sync"
	"time"

	"mailweir/internal/state"
)

// The rows of the state: whom a server has accepted, and where it is used for nothing.
const (
	space         = "callforward"
	acceptedFor   = 7 * 24 * time.Hour
	suspendedFor  = 24 * time.Hour // unless it is found out again
	acceptedAgain = time.Hour      // how often it is written
	testAgain     = time.Hour      // after a test that told something
	testSoon      = 5 * time.Minute
	mostDomains   = 10_000 // of which memory is kept; senders choose sub-domains where a table allows them
	stateTimeout  = 2 * time.Second
)

// domains is what is known of a server, domain by domain.
type domains struct {
	server  string
	store   state.Store
	changed func(domain, why string)

	mu   sync.Mutex
	seen map[string]*facts
}

type facts struct {
	loaded   bool
	accepted time.Time // when that was written last
	why      string    // it is used for nothing; "" when it is used
	nextTest time.Time
	testing  bool
}

// of returns the facts of a domain; the lock is held.
func (d *domains) of(domain string) *facts {
	if f := d.seen[domain]; f != nil {
		return f
	}
	if d.seen == nil {
		d.seen = map[string]*facts{}
	}
	if len(d.seen) >= mostDomains {
		d.forget()
	}
	f := &facts{}
	d.seen[domain] = f
	return f
}

// forget makes room: what matters is in the state.
func (d *domains) forget() {
	for domain, f := range d.seen {
		if !f.testing {
			delete(d.seen, domain)
		}
	}
}

func (d *domains) key(row, domain string) string { return state.Key(space, row, d.server, domain) }

// load reads what an earlier process or another host has found out, once. Without the state the
// server is asked.
func (d *domains) load(ctx context.Context, domain string) {
	d.mu.Lock()
	loaded := d.of(domain).loaded
	d.mu.Unlock()
	if loaded {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	why, found, err := d.store.Get(ctx, d.key("suspended", domain))
	d.mu.Lock()
	f := d.of(domain)
	f.loaded = err == nil
	news := found && f.why == ""
	if news {
		f.why = string(why)
	}
	d.mu.Unlock()
	if news {
		d.changed(domain, string(why))
	}
}

// suspended says why the server is used for nothing; "" when it is used.
func (d *domains) suspended(domain string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.seen[domain]; f != nil {
		return f.why
	}
	return ""
}

// all returns where the server is used for nothing, and why.
func (d *domains) all() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[string]string{}
	for domain, f := range d.seen {
		if f.why != "" {
			all[domain] = f.why
		}
	}
	return all
}

// accept notes that the server has accepted somebody. What cannot be written is written next time.
func (d *domains) accept(ctx context.Context, domain string) {
	d.mu.Lock()
	fresh := time.Since(d.of(domain).accepted) < acceptedAgain
	d.mu.Unlock()
	if fresh {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	if _, err := d.store.Do(ctx, state.Put(d.key("accepted", domain), []byte("1"), acceptedFor)); err == nil {
		d.mu.Lock()
		d.of(domain).accepted = time.Now()
		d.mu.Unlock()
	}
}

// hasAccepted reports whether the server has accepted somebody within a week.
func (d *domains) hasAccepted(ctx context.Context, domain string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	_, found, err := d.store.Get(ctx, d.key("accepted", domain))
	if err != nil {
		return false, fmt.Errorf("whether it has accepted anybody: %w", err)
	}
	return found, nil
}

// suspend has the server used for nothing for a domain, or used again if why is "". What it
// accepted while it was used for nothing shows nothing, so that is forgotten.
func (d *domains) suspend(ctx context.Context, domain, why string) {
	d.mu.Lock()
	f := d.of(domain)
	was := f.why
	f.why, f.loaded = why, true
	if why != "" {
		f.accepted = time.Time{}
	}
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	switch {
	case why != "":
		_, _ = d.store.Do(ctx, state.Put(d.key("suspended", domain), []byte(why), suspendedFor), state.Delete(d.key("accepted", domain)))
	case was != "":
		_, _ = d.store.Do(ctx, state.Delete(d.key("suspended", domain)))
	}
	if was != why {
		d.changed(domain, why)
	}
}

// startTest says that a test of the domain is due, and counts it as begun.
func (d *domains) startTest(domain string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.of(domain)
	if f.testing || time.Now().Before(f.nextTest) {
		return false
	}
	f.testing = true
	return true
}

func (d *domains) endTest(domain string, next time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.of(domain)
	f.testing, f.nextTest = false, time.Now().Add(next)
}
