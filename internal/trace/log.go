package trace

import (
	"slices"
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
	mu      sync.Mutex
	queries []Query
	state   []remembered
	octets  int // of the queries
	leftOut int
}

// remembered is what stood under a name in what is remembered. It is put into words for a record
// only: most answers are never read.
type remembered struct {
	name  string
	words func() string
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

func (l *Log) addState(one remembered) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case slices.ContainsFunc(l.state, func(known remembered) bool { return known.name == one.name }):
	case len(l.state) == maxLogged:
		l.leftOut++
	default:
		l.state = append(l.state, one)
	}
}

// inWords are the answers as they are recorded, and how many of them the bounds leave out.
func inWords(answers []remembered) (words []string, leftOut int) {
	octets := 0
	for _, one := range answers {
		text := one.words()
		if octets+len(text) > maxLoggedOctets {
			leftOut++
			continue
		}
		words, octets = append(words, text), octets+len(text)
	}
	return words, leftOut
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
		for _, one := range l.state {
			sum.addState(one)
		}
		sum.leftOut += l.leftOut
		l.mu.Unlock()
	}
	state, more := inWords(sum.state)
	return sum.queries, state, sum.leftOut + more
}

func (l *Log) any() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queries)+len(l.state)+l.leftOut > 0
}
