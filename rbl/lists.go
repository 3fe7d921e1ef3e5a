package rbl

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mailweir/internal/dns"
)

// ListsOptions configures [Lists].
type ListsOptions struct {
	// OnChange is told of every change of a list's health, each exactly once, one after the other.
	// It must not block for long and must not call Suspend, Resume or KnownGood.
	OnChange func(Change)
	// Recorded says that the answers are those of a record: no list is tested or suspended.
	Recorded bool
	// Tick is how often due tests and ends of suspensions are looked for; 5s.
	Tick time.Duration
}

// Lists is what is known of the health and use of every list in use. Like the [dns.Resolver] it
// outlives any one configuration: a [Set] is a configuration's view of it.
type Lists struct {
	resolver *dns.Resolver
	opt      ListsOptions
	now      func() time.Time
	good     goodNets
	overlap  overlaps

	changes atomic.Uint64 // grows with every change of health: what was remembered before is no longer true
	notify  sync.Mutex    // one OnChange at a time

	cancel context.CancelFunc
	ctx    context.Context
	tests  sync.WaitGroup // running now
	wake   chan struct{}
	done   chan struct{}

	mu    sync.Mutex
	lists map[listID]*list
}

// listID tells lists apart: the same zone with another key is another list. A hash, so that no key
// can be printed.
type listID struct {
	kind Kind
	zone [sha256.Size]byte
}

// NewLists starts the one goroutine that tests lists.
func NewLists(r *dns.Resolver, opt ListsOptions) *Lists {
	if opt.Tick <= 0 {
		opt.Tick = 5 * time.Second
	}
	if opt.OnChange == nil {
		opt.OnChange = func(Change) {}
	}
	l := &Lists{
		resolver: r, opt: opt, now: r.Now,
		lists: map[listID]*list{}, wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	go l.run()
	return l
}

// Close ends the tests and waits for their goroutines. Close the Lists before the Resolver.
func (l *Lists) Close() {
	l.cancel()
	<-l.done
}

func (l *Lists) run() {
	defer close(l.done)
	defer l.tests.Wait()
	tick := time.NewTicker(l.opt.Tick)
	defer tick.Stop()
	for {
		l.startDue()
		select {
		case <-tick.C:
		case <-l.wake:
		case <-l.ctx.Done():
			return
		}
	}
}

// startDue ends suspensions whose time is over and starts the tests that are due, all at once. A
// list that is slow to answer its test does not keep others waiting, so nobody waits for the tests
// but tests of this package.
func (l *Lists) startDue() *sync.WaitGroup {
	now := l.now()
	var started sync.WaitGroup
	for _, li := range l.all() {
		l.report(li.expire(now)...)
		if !li.takeTest(now) {
			continue
		}
		started.Add(1)
		l.tests.Go(func() {
			defer started.Done()
			outcome := l.selfTest(l.ctx, li)
			if l.ctx.Err() == nil {
				l.report(li.tested(l.now(), outcome)...)
				li.markReady()
			}
		})
	}
	return &started
}

func (l *Lists) all() []*list {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]*list, 0, len(l.lists))
	for _, li := range l.lists {
		all = append(all, li)
	}
	return all
}

// report makes changes known. The caller holds no lock of a list.
func (l *Lists) report(changes ...Change) {
	if len(changes) == 0 {
		return
	}
	l.changes.Add(1)
	l.notify.Lock()
	defer l.notify.Unlock()
	for _, c := range changes {
		if c.Cause != Untested {
			l.opt.OnChange(c)
		}
	}
}

// acquire finds or adds the list of an entry, with one more user.
func (l *Lists) acquire(e *Entry, wire *string, opt SetOptions) *list {
	zone := e.Zone
	if wire != nil {
		zone = *wire
	}
	id := listID{e.Kind, sha256.Sum256([]byte(zone))}
	l.mu.Lock()
	defer l.mu.Unlock()
	li, ok := l.lists[id]
	if !ok {
		li = &list{
			zone: e.Zone, kind: e.Kind, info: e.info, wire: wire,
			causes: map[Cause]suspension{Untested: {why: "not tested yet"}}, ready: make(chan struct{}),
		}
		if l.opt.Recorded {
			li.causes, li.testing = map[Cause]suspension{}, true
			li.markReady()
		}
		li.publish()
		l.lists[id] = li
	}
	li.users++
	li.setUntested(opt.skipsTest(e.Zone) || (e.info != nil && e.info.untested))
	return li
}

func (l *Lists) release(li *list) {
	l.mu.Lock()
	defer l.mu.Unlock()
	li.users--
	if li.users > 0 {
		return
	}
	for id, other := range l.lists {
		if other == li {
			delete(l.lists, id)
		}
	}
	l.good.forget(li)
}

func (l *Lists) wakeUp() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Suspend stops asking a list by hand, until Resume or for a time if d is not 0. why is shown in
// its status.
func (l *Lists) Suspend(zone string, d time.Duration, why string) error {
	return l.each(zone, func(li *list) []Change {
		r := suspension{why: why}
		if d > 0 {
			r.until = l.now().Add(d)
		}
		return li.set(l.now(), Manual, r)
	})
}

// Resume asks a list again that is suspended by hand or for its hits on known-good clients. Failed
// tests go on counting.
func (l *Lists) Resume(zone string) error {
	return l.each(zone, func(li *list) []Change {
		return append(li.clear(l.now(), Manual), li.clear(l.now(), KnownGood)...)
	})
}

// Adopt suspends lists as those of another process do: by hand, or for their hits on known-good
// mail. What tests find is found here.
func (l *Lists) Adopt(others []ListStatus) {
	for _, s := range others {
		if s.Cause != Manual && s.Cause != KnownGood {
			continue
		}
		r := suspension{why: strings.TrimPrefix(s.Why, s.Cause.String()+": "), until: s.Until}
		_ = l.each(s.Zone, func(li *list) []Change { // a list that is not in use here needs no suspension
			if li.kind != s.Kind {
				return nil
			}
			return li.set(l.now(), s.Cause, r)
		})
	}
}

func (l *Lists) each(zone string, do func(*list) []Change) error {
	found := false
	for _, li := range l.all() {
		if li.zone == zone {
			found = true
			l.report(do(li)...)
		}
	}
	if !found {
		return fmt.Errorf("no list %s is in use", hideKey(zone))
	}
	return nil
}
