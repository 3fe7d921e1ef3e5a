package main

import (
	"fmt"
	"time"
)

// measured is a figure of the bench, and the model's.
type measured struct {
	what     string
	unit     string
	real     float64
	modelled func(seed uint64) float64
	within   float64 // the factor that the model may be off, either way
}

// Rates of one host, messages a second. The bench has 64 sessions without a pause; the model's have
// the pauses of real mail, and hostFull is about the most for which a host has sessions then.
const (
	oneAtATime = 20
	hostFull   = 2400
)

// measurements are what the model can be held against, as docs/measurements/redis.md has it: one
// host on Redis 7.0, the whole default policy, known clients with one message of one recipient
// each, `go run ./bench -only traffic`; and 150 messages a second of which 30 in 100 are new, `go
// run ./bench -only lost`. A node of the cluster has a replica to feed, which is not modelled.
func measurements() []measured {
	one, many := oneHost(1, oneAtATime, mixture{}), oneHost(1, hostFull, mixture{})
	three, manyOnThree := oneHost(3, oneAtATime, mixture{}), oneHost(3, hostFull, mixture{})
	lost, node := oneHost(1, 150, mixture{spam: 0.3}), oneHost(3, 150, mixture{spam: 0.3})
	reads := func(r result) float64 { return r.reads }
	server := func(r result) float64 { return r.server }
	slow := func(r result) float64 { return r.quantile(0.99).Seconds() * 1000 }
	half := func(r result) float64 { return r.quantile(0.5).Seconds() * 1000 }
	return []measured{
		{"one server, a message at a time", "reads a message", 4.84, after(one, reads), 1.3},
		{"one server, a message at a time", "CPU µs of Redis", 728, after(one, server), 1.5},
		{"one server, 64 messages at a time", "CPU µs of Redis", 271, after(many, server), 1.5},
		{"three nodes, a message at a time", "reads a message", 8.58, after(three, reads), 1.3},
		{"three nodes, a message at a time", "CPU µs of Redis", 1886, after(three, server), 2},
		{"three nodes, 64 messages at a time", "CPU µs of Redis", 512, after(manyOnThree, server), 1.5},
		{"the only server hangs, first second", "ms at RCPT, p50", 1003.2, after(hangs(lost, 0), half), 1.2},
		{"the only server hangs, first second", "ms at RCPT, p99", 1035.2, after(hangs(lost, 0), slow), 1.2},
		{"a node of three hangs, first second", "ms at RCPT, p50", 1003.2, after(hangs(node, 0), half), 1.2},
		{"a node of three hangs, first second", "ms at RCPT, p99", 1063.3, after(hangs(node, 0), slow), 1.2},
		{"a node of three hangs, from then on", "ms at RCPT, p50", 1.6, after(hangs(node, 2), half), 4},
	}
}

func oneHost(shards int, rate float64, mail mixture) window {
	s := size{
		hosts: 1, cores: 2, shards: shards, prefix: usualPrefix, writers: 1, rate: rate, mail: mail,
	}
	return window{size: s, settles: time.Second, lasts: 2 * time.Second}
}

// hangs has the busiest server hang some seconds before the second that is looked at, and lets come
// what was asked in it.
func hangs(v window, before int) window {
	v.lasts = time.Duration(before+3) * time.Second
	v.befalls = func(w *site) {
		w.busiest().dead = true
		w.clock.run(w.clock.now + time.Duration(before)*time.Second)
		w.measure()
		w.seen.until = w.clock.now + time.Second
	}
	return v
}

func after(v window, of func(result) float64) func(uint64) float64 {
	return func(seed uint64) float64 { return of(v.play(seed)) }
}

// comparison writes what was measured beside what the model says.
func (r report) comparison() {
	fmt.Fprint(r.to, "\n## The model beside what was measured\n\n")
	r.row("one host", "figure", "measured", "model", "model / measured")
	r.row("---", "---", "--:", "--:", "--:")
	for _, m := range measurements() {
		got := m.modelled(r.seed)
		r.row(m.what, m.unit, fmt.Sprintf("%.4g", m.real), fmt.Sprintf("%.4g", got), fmt.Sprintf("%.2f", got/m.real))
	}
}
