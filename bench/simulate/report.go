package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// report writes tables.
type report struct {
	to      io.Writer
	seed    uint64
	workers int // windows that are played at once
}

// section plays windows and writes a table of them.
func (r report) section(title, first string, windows []window, columns []column) {
	fmt.Fprintf(r.to, "\n## %s\n\n", title)
	head, rule := []string{first}, []string{"---"}
	for _, c := range columns {
		head, rule = append(head, c.name), append(rule, "--:")
	}
	r.row(head...)
	r.row(rule...)
	for _, result := range r.play(windows) {
		cells := []string{result.name}
		for _, c := range columns {
			cells = append(cells, c.of(&result))
		}
		r.row(cells...)
	}
}

// play plays windows, some at once. Each has random numbers of its own, so that neither the order
// nor what else is played changes it.
func (r report) play(windows []window) []result {
	results := make([]result, len(windows))
	places := make(chan struct{}, r.workers)
	var all sync.WaitGroup
	for i, v := range windows {
		places <- struct{}{}
		all.Go(func() {
			results[i] = v.play(r.seed)
			<-places
		})
	}
	all.Wait()
	return results
}

func (r report) row(cells ...string) { fmt.Fprintln(r.to, "| "+strings.Join(cells, " | ")+" |") }

// column is one figure of a result.
type column struct {
	name string
	of   func(*result) string
}

var (
	ofMail     = []column{messages, busiest, allShards, redisCPU, redisReads, wire, hostsWork, databaseWorks, half, most, nearlyAll}
	ofFaults   = []column{messages, busiest, half, most, nearlyAll, slowest, refusedFalsely, turnedAway, firstForgotten, uncheckedMail, sessionsOpen}
	ofOneRedis = []column{busiest, redisCPU, redisReads, half, most, nearlyAll, refusedFalsely, turnedAway, uncheckedMail}
)

var (
	messages = column{"messages/s", func(r *result) string {
		return fmt.Sprintf("%.0f", float64(r.messages)/r.lasts.Seconds())
	}}
	busiest        = column{"busiest shard", func(r *result) string { return percent(r.busiest) }}
	allShards      = column{"shards", func(r *result) string { return percent(r.shards) }}
	wire           = column{"its Mbit/s", func(r *result) string { return fmt.Sprintf("%.0f", r.octets*8/1e6) }}
	hostsWork      = column{"hosts", func(r *result) string { return percent(r.hosts) }}
	databaseWorks  = column{"record", func(r *result) string { return percent(r.database) }}
	redisCPU       = column{"CPU µs of Redis a message", func(r *result) string { return r.lasting(fmt.Sprintf("%.0f", r.server)) }}
	redisReads     = column{"reads a message", func(r *result) string { return r.lasting(fmt.Sprintf("%.1f", r.reads)) }}
	half           = column{"p50", middle}
	most           = column{"p99", func(r *result) string { return r.lasting(short(r.quantile(0.99))) }}
	nearlyAll      = column{"p99.9", func(r *result) string { return r.lasting(short(r.quantile(0.999))) }}
	slowest        = column{"slowest", func(r *result) string { return r.lasting(short(r.quantile(1))) }}
	refusedFalsely = column{"false 451, recipients", func(r *result) string { return perMessage(r, r.falsely) }}
	turnedAway     = column{"false 421, connections", func(r *result) string { return perMessage(r, r.turnedAway) }}
	firstForgotten = column{"first sights forgotten", func(r *result) string { return perMessage(r, r.forgotten) }}
	uncheckedMail  = column{"unchecked", func(r *result) string { return perMessage(r, r.unchecked) }}
	sessionsOpen   = column{"sessions a host", func(r *result) string {
		return fmt.Sprintf("%.0f", r.sessions.mean(r.from, r.from+r.lasts)/float64(r.size.hosts))
	}}
)

// middle is the median, or that there is none: where work piles up, what is measured depends on for
// how long it has.
func middle(r *result) string {
	if r.full {
		return "does not keep up"
	}
	return short(r.quantile(0.5))
}

// lasting is a figure that means something only where the shards keep up.
func (r *result) lasting(figure string) string {
	if r.full {
		return "–"
	}
	return figure
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// perMessage is how many of ten thousand messages.
func perMessage(r *result, n int) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%.1f", 1e4*float64(n)/float64(max(r.messages, 1)))
}

// short rounds a time to what is of interest.
func short(d time.Duration) string {
	if d >= 10*time.Millisecond {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}
