package main

import (
	"fmt"
	"time"
)

// bodySize is that of the usual message: 8 KiB.
const bodySize = 8 << 10

// wire measures messages a second and CPU a message over the milter protocol.
func (b *bench) wire() error {
	fmt.Printf("Over the milter protocol (unix socket, 20 header fields, 8 KiB body; median of %d rounds of %v, lowest and highest in brackets):\n\n",
		b.rounds, b.duration)
	row("filter", "connections at once", "messages a connection", "messages/s", "CPU µs a message", "of the C filter", "of before")
	row("---", "--:", "--:", "--:", "--:", "--:", "--:")
	for _, messages := range []int{1, 5} {
		for _, connections := range []int{1, 20} {
			if err := b.wireCase(connections, messages); err != nil {
				return err
			}
		}
	}
	fmt.Println()
	return nil
}

// wireCase lets the contenders take turns at one kind of load.
func (b *bench) wireCase(connections, messages int) error {
	h := b.Part()
	defer h.Close()
	pids, loads := make([]int, len(b.contenders)), make([]load, len(b.contenders))
	rates, costs := make([]sample, len(b.contenders)), make([]sample, len(b.contenders))
	for i, c := range b.contenders {
		pid, socket := b.start(h, c, "")
		pids[i], loads[i] = pid, load{socket: socket, connections: connections, letters: usualLetters(messages, bodySize)}
		if _, _, err := measure(pid, loads[i], b.duration/4); err != nil { // warm up
			return fmt.Errorf("%v: %w", c, err)
		}
	}
	for range b.rounds {
		for i, c := range b.contenders {
			rate, cost, err := measure(pids[i], loads[i], b.duration)
			if err != nil {
				return fmt.Errorf("%v: %w", c, err)
			}
			rates[i], costs[i] = append(rates[i], rate), append(costs[i], cost)
		}
	}
	for i, c := range b.contenders {
		row(c, connections, messages, rates[i], costs[i], costs[i].against(costs[0]), ofBefore(b.contenders, costs, i))
	}
	return nil
}

// measure returns messages a second and microseconds of CPU a message.
func measure(pid int, l load, duration time.Duration) (rate, cost float64, err error) {
	m, err := measureLoad(pid, l, duration)
	return m.rate(), m.cost(m.cpu), err
}

// measured is what came of a load.
type measured struct {
	messages int
	took     time.Duration
	cpu      time.Duration // of the filter
}

func (m measured) rate() float64 { return float64(m.messages) / m.took.Seconds() }

// cost is a time by messages, in microseconds.
func (m measured) cost(t time.Duration) float64 {
	return float64(t.Microseconds()) / float64(m.messages)
}

func measureLoad(pid int, l load, duration time.Duration) (m measured, err error) {
	before, err := cpuTime(pid)
	if err != nil {
		return m, err
	}
	stop := make(chan struct{})
	timer := time.AfterFunc(duration, func() { close(stop) })
	defer timer.Stop()
	begun := time.Now()
	m.messages, err = l.run(stop)
	m.took = time.Since(begun)
	if err != nil {
		return m, err
	}
	after, err := cpuTime(pid)
	m.cpu = after - before
	return m, err
}
