package trace

import (
	"slices"
	"strings"
	"sync"
)

// Bounds of a log, of its queries and of the state's answers each.
const (
	maxLogged       = 64
	maxLoggedOctets = 8 << 10
)

// Log collects what the traces of several pieces of work are told, each query once, and the state's
// answers, of each thing the first. The zero Log is empty and ready; a nil one keeps nothing. It
// may be used from several goroutines.
type Log struct {
	mu              sync.Mutex
	queries         []Query
	state           []string
	octets, ofState int
	leftOut         int
}

func (l *Log) add(q Query) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	octets := len(q.Question) + len(q.Answer)
	switch {
	case slices.Contains(l.queries, q):
	case len(l.queries) == maxLogged || l.octets+octets > maxLoggedOctets:
		l.leftOut++
	default:
		l.queries, l.octets = append(l.queries, q), l.octets+octets
	}
}

func (l *Log) addState(answer string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	name, _, _ := strings.Cut(answer, " ")
	switch {
	case slices.ContainsFunc(l.state, func(known string) bool { return strings.HasPrefix(known, name+" ") }):
	case len(l.state) == maxLogged || l.ofState+len(answer) > maxLoggedOctets:
		l.leftOut++
	default:
		l.state, l.ofState = append(l.state, answer), l.ofState+len(answer)
	}
}

// Sum returns what there is by now in some logs, and how much their bounds have left out.
func Sum(logs ...*Log) (queries []Query, state []string, leftOut int) {
	if !slices.ContainsFunc(logs, (*Log).any) {
		return nil, nil, 0
	}
	sum := new(Log)
	for _, l := range logs {
		l.mu.Lock()
		for _, q := range l.queries {
			sum.add(q)
		}
		for _, answer := range l.state {
			sum.addState(answer)
		}
		sum.leftOut += l.leftOut
		l.mu.Unlock()
	}
	return sum.queries, sum.state, sum.leftOut
}

func (l *Log) any() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queries)+len(l.state)+l.leftOut > 0
}
