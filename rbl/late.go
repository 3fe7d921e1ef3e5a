package rbl

import (
	"context"
	"sync"

	"mailweir/internal/dns"
)

// late collects what monitored lists say after the verdict: nobody waits for them, and yet they are
// heard.
type late struct {
	set      *Set
	remember func(*Result, int64)
	done     chan struct{} // closed when result is complete

	mu      sync.Mutex
	missing int // lists that have not answered
	news    []lateNews
	result  *Result // nil until the verdict is told, complete when done is closed
	expires int64
}

// lateNews is the judged answer of one monitored list.
type lateNews struct {
	i        int
	list     ListResult
	exchange Exchange
	expires  int64
}

// Complete returns the result with what monitored lists said, too, as soon as they have all
// answered. When ctx ends first it is the result as it is. It costs nothing where no list is
// monitored.
func (r *Result) Complete(ctx context.Context) *Result {
	if r.late == nil {
		return r
	}
	select {
	case <-r.late.done:
		return r.late.result
	case <-ctx.Done():
		return r
	}
}

// listen hears a monitored list after the verdict. False: its answer is there already, or about to
// be.
func (b *board) listen(i int, w *dns.Wait) bool {
	if b.late == nil {
		b.late = &late{set: b.set, remember: b.remember, done: make(chan struct{})}
	}
	l, m, q := b.late, b.set.members[i], b.question(i, dns.A)
	l.add(1, nil)
	heard := w.HandOver(func(a dns.Arrival) {
		if a.Answer.Err != nil && a.Answer.Err.Failure == dns.Cancelled {
			l.add(-1, nil)
			return
		}
		n := lateNews{i: i, list: m.judge(a.Answer), exchange: Exchange{q, *a.Answer}, expires: a.Expires}
		n.list.Took = b.set.lists.now().Sub(b.began)
		b.set.lists.account(m.list, n.list.State, a.Answer, n.list.Err)
		l.add(-1, &n)
	})
	if !heard {
		l.add(-1, nil)
	}
	return heard
}

// add changes the number of lists that are missing, and completes the result when the last of them
// has answered.
func (l *late) add(missing int, n *lateNews) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.missing += missing
	if n != nil {
		l.news = append(l.news, *n)
	}
	l.complete()
}

// told takes the result with which the verdict was told.
func (l *late) told(r *Result, expires int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	full := *r
	full.Lists = append([]ListResult(nil), r.Lists...)
	full.Exchanges = append([]Exchange(nil), r.Exchanges...)
	l.result, l.expires = &full, expires
	l.complete()
}

// complete needs the lock.
func (l *late) complete() {
	if l.result == nil || l.missing > 0 {
		return
	}
	r := l.result
	r.late = nil
	for _, n := range l.news {
		m := l.set.members[n.i]
		if n.list.State == Hit {
			n.list.Reason = m.list.reason(nil, r.Subject)
			r.Would += n.list.Score
		}
		r.Lists[n.i] = n.list
		r.Exchanges = append(r.Exchanges, n.exchange)
		l.expires = min(l.expires, n.expires)
	}
	l.set.count(r)
	if l.expires != 0 && r.Err() == nil {
		l.remember(r, l.expires)
	}
	close(l.done)
}
