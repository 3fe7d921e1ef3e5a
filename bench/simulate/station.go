package main

import "time"

// station serves jobs, some at once, in the order in which they came: the processors of a host, the
// writers of a database.
type station struct {
	clock   *clock
	servers int
	busy    int
	waiting fifo[job]
	worked  time.Duration // of all servers together
}

type job struct {
	takes time.Duration
	then  func()
}

// serve has a job done that takes that long, and then calls then.
func (s *station) serve(takes time.Duration, then func()) {
	if s.busy == s.servers {
		s.waiting.push(job{takes, then})
		return
	}
	s.begin(job{takes, then})
}

func (s *station) begin(j job) {
	s.busy++
	s.worked += j.takes
	s.clock.after(j.takes, func() {
		s.busy--
		if s.waiting.len() > 0 {
			s.begin(s.waiting.pop())
		}
		j.then()
	})
}

// fifo is a queue.
type fifo[T any] struct {
	items []T
	first int
}

func (f *fifo[T]) len() int { return len(f.items) - f.first }

func (f *fifo[T]) push(item T) { f.items = append(f.items, item) }

func (f *fifo[T]) head() T { return f.items[f.first] }

func (f *fifo[T]) pop() T {
	var none T
	item := f.items[f.first]
	f.items[f.first] = none
	f.first++
	if f.first == len(f.items) {
		f.items, f.first = f.items[:0], 0
	} else if f.first >= 1024 && f.first > len(f.items)/2 {
		f.items, f.first = f.items[:copy(f.items, f.items[f.first:])], 0
	}
	return item
}
