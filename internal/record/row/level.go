package row

import (
	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// Level is what is left out of a day that has grown too large, so that a flood evicts no month.
type Level int

const (
	Everything Level = iota // all is kept
	NoAccepted              // no messages that were accepted
	NoQueries               // nor what was asked
	Nothing                 // nor anything else: it is only counted
)

// LevelOf is the level of a day that has so many octets, where so many are its share; a share of 0
// is no bound.
func LevelOf(have, share int64) Level {
	switch {
	case share <= 0 || have < share/4*3:
		return Everything
	case have < share/8*7:
		return NoAccepted
	case have < share:
		return NoQueries
	}
	return Nothing
}

// String says what is left out from here on.
func (l Level) String() string {
	return [...]string{
		Everything: "all is kept",
		NoAccepted: "accepted messages are left out of the record from here on",
		NoQueries:  "what was asked for decisions is left out of the record, too",
		Nothing:    "nothing more of it is kept, only counted",
	}[l]
}

// LeavesOut reports whether the entry is left out.
func (l Level) LeavesOut(e record.Entry) bool {
	return l == Nothing || l >= NoAccepted && e.Message != nil && e.Message.Fate == policy.Accepted
}

// Thin takes out of an entry what was asked, where the level has no room for it, and reports
// whether there was any. What the entry was made of stays as it is.
func (l Level) Thin(e *record.Entry) bool {
	switch v, m := e.Event, e.Message; {
	case l < NoQueries:
	case v != nil && len(v.Trace) > 0:
		thin := *v
		thin.Trace = nil
		e.Event = &thin
		return true
	case m != nil && len(m.Queries)+len(m.State) > 0:
		thin := *m
		thin.Queries, thin.State, thin.LeftOut = nil, nil, thin.LeftOut+len(m.Queries)+len(m.State)
		e.Message = &thin
		return true
	}
	return false
}
