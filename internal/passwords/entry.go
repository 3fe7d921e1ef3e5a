package passwords

import (
	"crypto/sha256"
	"errors"
	"time"
)

// dummies has one for each cost that the entries of a file have. A guess does the work of all, so
// that time tells neither which logins exist nor how their passwords are stored: while users move
// from one scheme to another, both stand in a file.
type dummies map[string]hash

// maxEffort is the most that a guess may take: Postfix waits 10 s, and others have to wait, too.
const maxEffort = 5 * time.Second

var errEffort = errors.New("the entries differ so much in cost that one guess, which does the work of each cost, would take longer than 5 s; give those that stand out new passwords with mailweir auth passwd LOGIN")

func newDummies(entries map[string]line) (dummies, error) {
	d := dummies{}
	for _, e := range entries {
		h := e.hash
		if d[h.cost()] == nil {
			d[h.cost()] = h.dummy()
		}
	}
	if len(d) == 0 {
		u := usual()
		d[u.cost()] = u.dummy()
	}
	if d.effort() > maxEffort {
		return nil, errEffort
	}
	return d, nil
}

func (d dummies) effort() (all time.Duration) {
	for _, h := range d {
		all += time.Duration(h.effort()) * time.Microsecond
	}
	return all
}

// Entry is what the file has under a login, or that it has nothing.
type Entry struct {
	line    line // without a hash where there is none
	dummies dummies
}

// Known reports whether the login exists.
func (e Entry) Known() bool { return e.line.hash != nil }

// Fields are what stands behind the hash.
func (e Entry) Fields() []string { return e.line.fields }

// Stamp changes with anything in the entry, and tells nothing of it.
func (e Entry) Stamp() [sha256.Size]byte { return e.line.stamp }

// Memory is how many octets Matches takes.
func (e Entry) Memory() (most int) {
	for _, h := range e.dummies {
		most = max(most, h.memory())
	}
	return most
}

// Effort is about how long Matches takes.
func (e Entry) Effort() time.Duration { return e.dummies.effort() }

// Matches reports whether the password is right. It does the same work for all logins of a file,
// whether or not they exist.
func (e Entry) Matches(password []byte) (right bool) {
	for cost, dummy := range e.dummies {
		if e.Known() && e.line.hash.cost() == cost {
			right = e.line.hash.matches(password)
			continue
		}
		dummy.matches(password)
	}
	return right
}
