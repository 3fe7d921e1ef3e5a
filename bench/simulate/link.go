package main

import "time"

// link is the connection of a host to a shard, which all its sessions share.
type link struct {
	clock   *clock
	shard   *shard
	write   time.Duration // what a write takes
	delay   time.Duration // to the shard
	outbox  []command
	writing bool
	arrived []command // at the shard, and not read yet
}

// send sends a command. What comes while a write is under way goes out with the next one.
func (l *link) send(c command) {
	l.outbox = append(l.outbox, c)
	if !l.writing {
		l.flush()
	}
}

func (l *link) flush() {
	l.writing = true
	l.clock.after(l.write, func() {
		sent := l.outbox
		l.outbox = nil
		l.clock.after(l.delay, func() { l.shard.arrive(l, sent) })
		if l.writing = false; len(l.outbox) > 0 {
			l.flush()
		}
	})
}
