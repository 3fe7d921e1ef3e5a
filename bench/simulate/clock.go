package main

import "time"

// clock is the time of a simulation and what is to happen in it. What is due at the same time
// happens in the order in which it was asked for.
type clock struct {
	now   time.Duration
	count uint64
	queue []event // a heap, the next one first
}

type event struct {
	at    time.Duration
	order uint64
	do    func()
}

func (e event) before(other event) bool {
	return e.at < other.at || e.at == other.at && e.order < other.order
}

// after has something happen some time from now.
func (c *clock) after(pause time.Duration, do func()) {
	c.count++
	c.queue = append(c.queue, event{at: c.now + pause, order: c.count, do: do})
	q := c.queue
	for i := len(q) - 1; i > 0; {
		parent := (i - 1) / 2
		if !q[i].before(q[parent]) {
			break
		}
		q[i], q[parent] = q[parent], q[i]
		i = parent
	}
}

// run lets everything happen that is due before the end, at which it leaves the clock.
func (c *clock) run(end time.Duration) {
	for len(c.queue) > 0 && c.queue[0].at < end {
		next := c.take()
		c.now = next.at
		next.do()
	}
	c.now = end
}

// take takes the next event out of the queue.
func (c *clock) take() event {
	q := c.queue
	first, last := q[0], len(q)-1
	q[0], q[last] = q[last], event{}
	q = q[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(q) {
			break
		}
		if child+1 < len(q) && q[child+1].before(q[child]) {
			child++
		}
		if !q[child].before(q[i]) {
			break
		}
		q[i], q[child] = q[child], q[i]
		i = child
	}
	c.queue = q
	return first
}
