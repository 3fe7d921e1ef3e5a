package main

import (
	"slices"
	"time"
)

// tally is what is seen in a window.
type tally struct {
	from     time.Duration
	until    time.Duration // answers count to what was asked before; 0 is no bound
	messages int           // of those who are no flood
	overload int           // connections that were one too many
	// falsely are recipients that were put off and would have passed; forgotten those that will be,
	// for their first sight was not remembered.
	falsely, forgotten int
	turnedAway         int // connections of mail that found no session
	unchecked          int // recipients whom greylisting let pass because the state was unavailable
	unlearned          int
	answers            []time.Duration // to RCPT, without the flood's
	sessions           level
}

// answer notes how long an answer took.
func (t *tally) answer(asked, now time.Duration) {
	if t.until == 0 || asked >= t.from && asked < t.until {
		t.answers = append(t.answers, now-asked)
	}
}

// quantile is the time within which that share of the answers came. The answers are sorted.
func (t *tally) quantile(share float64) time.Duration {
	if len(t.answers) == 0 {
		return 0
	}
	return t.answers[min(int(share*float64(len(t.answers))), len(t.answers)-1)]
}

func (t *tally) sort() { slices.Sort(t.answers) }

// level is a number that goes up and down, and its mean over time.
type level struct {
	now   int
	since time.Duration
	sum   float64 // of the number times the seconds
}

func (l *level) change(at time.Duration, by int) {
	l.sum += float64(l.now) * (at - l.since).Seconds()
	l.now, l.since = l.now+by, at
}

// mean is the mean from the beginning of the window on.
func (l *level) mean(from, to time.Duration) float64 {
	l.change(to, 0)
	return l.sum / (to - from).Seconds()
}
