package trace

import (
	"slices"
	"sync"
)

// Bounds of a log, of its queries and of the state's answers each. The latter hold for a trace,
// too.
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
	octets  int // of the queries
	leftOut int // of them
	lost    int // what traces could not pass on, at least
	state   answers
}

// remembered is what stood under a name in what is remembered. It is put into words for a record
// only: most answers are never read. Until then it holds on to what the words are made of, which is
// no longer than they are.
type remembered struct {
	name   string
	octets int // of the words, at most
	words  func() string
}

// answers are those of the state, of each name the first.
type answers struct {
	list    []remembered
	octets  int
	leftOut int
}

func (a *answers) add(one remembered) {
	switch {
	case slices.ContainsFunc(a.list, func(known remembered) bool { return known.name == one.name }):
	case len(a.list) == maxLogged || a.octets+one.octets > maxLoggedOctets:
		a.leftOut++
	default:
		a.list, a.octets = append(a.list, one), a.octets+one.octets
	}
}

// reset keeps the room for what comes, and nothing else.
func (a *answers) reset() {
	clear(a.list)
	*a = answers{list: a.list[:0]}
}

func (a *answers) inWords() []string {
	var words []string
	for _, one := range a.list {
		words = append(words, one.words())
	}
	return words
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
	l.state.add(one)
}

// lose is [Trace.lose].
func (l *Log) lose(n int) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = max(l.lost, n)
}

// Sum returns what there is by now in some logs, and how much bounds have left out, at least.
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
		for _, one := range l.state.list {
			sum.addState(one)
		}
		sum.leftOut += l.leftOut + l.state.leftOut + l.lost
		l.mu.Unlock()
	}
	return sum.queries, sum.state.inWords(), sum.leftOut + sum.state.leftOut
}

func (l *Log) any() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queries)+len(l.state.list)+l.leftOut+l.state.leftOut+l.lost > 0
}
