package events

import (
	"time"

	"mailweir/internal/policy"
)

// level brings events together that are alike in one way.
type level struct {
	alike policy.Alike
	span  time.Duration
	open  map[dedupKey]*dedup
	queue []*dedup // what is open, in the order in which it ends
}

func newLevel(alike policy.Alike, span time.Duration) level {
	return level{alike: alike, span: span, open: map[dedupKey]*dedup{}}
}

// id is what events of the key share, "" as long as they stand alone.
func (l *level) id(key dedupKey) string {
	if d := l.open[key]; d != nil {
		return d.id
	}
	return ""
}

// get returns what is open for a key, or opens it. It is nil where no more keys are watched.
func (l *level) get(key dedupKey, now time.Time) *dedup {
	d := l.open[key]
	if d == nil && len(l.open) < dedupKeys {
		d = &dedup{key: key, alike: l.alike, begun: now}
		l.open[key] = d
		l.queue = append(l.queue, d)
	}
	return d
}

// expire takes out the oldest if its span is over; nil says that there is none.
func (l *level) expire(now time.Time) *dedup {
	if len(l.queue) == 0 || now.Sub(l.queue[0].begun) < l.span {
		return nil
	}
	d := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	delete(l.open, d.key)
	return d
}

// dedup are the events of one key in one span. A nil one watches nothing.
type dedup struct {
	key   dedupKey
	alike policy.Alike
	begun time.Time
	lines int    // that its events have cost
	id    string // that they share, "" as long as they stand alone
	// first is the first event of that id; all what it and the others have.
	first *policy.Event
	all   gathering
}

// full reports whether its events have had as many lines.
func (d *dedup) full(lines int) bool { return d != nil && d.lines >= lines }

func (d *dedup) charge(lines int) {
	if d != nil {
		d.lines += lines
	}
}

// sum is the event that stands for all of them.
func (d *dedup) sum() *policy.Event {
	e := *d.first
	e.Repeated = false
	e.Dedup = &policy.Dedup{Alike: d.alike, Times: d.all.times, Last: d.all.last}
	d.all.into(&e)
	return &e
}
