package main

import "time"

// kind is what a command has a shard do.
type kind uint8

const (
	get    kind = iota // HGET: a row is read
	step               // a script that writes a row
	lease              // a script that takes a place
	giveUp             // ZREM: a place is given back
	kinds
)

// command is one command for a bucket, asked by a question.
type command struct {
	kind   kind
	bucket uint8
	of     *question
}

// shard is one server of the cluster: one thread. Each time round it reads what every connection
// has sent, executes it, and answers all of them.
type shard struct {
	clock *clock
	costs shardCosts
	delay time.Duration // to a host

	dead bool          // it takes everything and answers nothing
	lag  time.Duration // each time round takes so much longer
	slow time.Duration // each command takes so much longer

	ready    []*link // with something to be read
	next     []*link // those that come meanwhile
	turning  bool
	worked   time.Duration
	reads    int
	commands int
	octets   int
}

// arrive takes what a connection has brought.
func (s *shard) arrive(l *link, sent []command) {
	if s.dead {
		return
	}
	if len(l.arrived) == 0 {
		s.next = append(s.next, l)
	}
	l.arrived = append(l.arrived, sent...)
	if !s.turning {
		s.turn(s.costs.wake)
	}
}

// turn goes round once, after what it takes to begin.
func (s *shard) turn(begins time.Duration) {
	s.turning = true
	s.ready, s.next = s.next, s.ready[:0]
	takes := begins + s.costs.turn + s.lag
	answers := make([][]command, len(s.ready))
	for i, l := range s.ready {
		answers[i], l.arrived = l.arrived, nil
		takes += s.costs.read
		s.reads++
		for _, c := range answers[i] {
			takes += s.costs.of[c.kind] + s.slow
			s.octets += s.costs.octets[c.kind]
		}
		s.commands += len(answers[i])
	}
	s.worked += takes
	s.clock.after(takes, func() { s.answer(answers) })
}

func (s *shard) answer(answers [][]command) {
	if s.dead {
		return
	}
	s.clock.after(s.delay, func() {
		for _, of := range answers {
			for _, c := range of {
				c.of.answered(c)
			}
		}
	})
	if s.turning = len(s.next) > 0; s.turning {
		s.turn(0)
	}
}
