package attempts

import (
	"time"

	"mailweir/internal/record"
)

// thread are attempts that are taken for one mail's, in the order of time.
type thread struct {
	id       string // Message-Id
	attempts []*Attempt
}

func (t *thread) last() *Attempt { return t.attempts[len(t.attempts)-1] }

// open reports whether the mail is still to come back at that time.
func (t *thread) open(at time.Time) bool {
	last := t.last()
	return last.comesBack() && at.Sub(last.Time) <= Silence
}

func (t *thread) add(a *Attempt, id string) {
	a.ByMessageID = id != "" && t.id == id
	t.attempts = append(t.attempts, a)
	if t.id == "" {
		t.id = id
	}
}

// link sorts attempts of one sender and recipient by mail.
func link(all []*Attempt) (threads []*thread) {
	for _, a := range all {
		id := a.messageID()
		t := choose(threads, id, a.Time)
		if t == nil {
			t = new(thread)
			threads = append(threads, t)
		}
		t.add(a, id)
	}
	return threads
}

// choose finds the mail of an attempt: that of its Message-Id, or else the one that has been to
// come back for longest and is not known to have another.
func choose(threads []*thread, id string, at time.Time) (found *thread) {
	for _, t := range threads {
		switch {
		case id != "" && t.id == id:
			return t
		case id != "" && t.id != "" || !t.open(at):
			continue
		case found == nil || t.last().Time.Before(found.last().Time):
			found = t
		}
	}
	return found
}

// chainOf makes the chain of a mail from what the record has around one of its attempts.
func chainOf(m Mail, entries []record.Entry, now time.Time) Chain {
	c := Chain{Mail: m}
	t := threadOf(m, link(gather(m, entries)))
	if t == nil {
		return c
	}
	for _, a := range t.attempts {
		c.Attempts = append(c.Attempts, *a)
	}
	if c.MessageID == "" {
		c.MessageID = t.id
	}
	c.judge(now)
	return c
}

// threadOf finds the mail that is meant: by the attempt's name, by Message-Id, by time.
func threadOf(m Mail, threads []*thread) (found *thread) {
	var nearest time.Duration
	for _, t := range threads {
		for _, a := range t.attempts {
			if a.is(m.Session, m.Transaction) {
				return t
			}
		}
	}
	id := messageID(m.MessageID)
	for _, t := range threads {
		if id != "" && t.id == id {
			return t
		}
		for _, a := range t.attempts {
			if away := a.away(m.At); found == nil || away < nearest {
				found, nearest = t, away
			}
		}
	}
	return found
}
