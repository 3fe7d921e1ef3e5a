package main

import (
	"fmt"
	"math"
	"time"
)

// rows writes what the bound of a space comes to: with more first sights than it has room for, the
// oldest go before their time, and with them those whose mail is still to come back.
func (r report) rows() {
	fmt.Fprint(r.to, "\n## First sights that greylisting remembers (computed)\n\n")
	r.row("at", "first sights/s", "a row lives for", "comes back too late")
	r.row("---", "--:", "--:", "--:")
	each := (usualMail.fresh + usualMail.spam) / (1 - usualMail.others) // of a message
	for _, at := range []struct {
		name  string
		times float64
		flood float64
	}{
		{"a tenth of the mail", 0.1, 0},
		{"mean", 1, 0},
		{"busiest hour", busiestHour, 0},
		{"busiest hour, 100,000 addresses, each every 4 s", busiestHour, 25_000},
		{"busiest hour, 100,000 addresses, each every 1 s", busiestHour, 100_000},
	} {
		rate := mean*at.times*each + at.flood
		lives := rowsLive(rate)
		r.row(at.name, fmt.Sprintf("%.0f", rate), lives.Round(time.Second).String(), percent(tooLate(lives)))
	}
}

// rowsLive is how long a first sight is remembered when so many come a second.
func rowsLive(rate float64) time.Duration {
	return min(pendingLives, time.Duration(rowsOfASpace/rate*float64(time.Second)))
}

// tooLate is the share of mail that comes back after so long: it has to wait once more.
func tooLate(after time.Duration) float64 {
	return min(1, math.Exp(-float64(after-firstRetry)/float64(retriesAfter)))
}

// ofBuckets writes how the buckets fall to shards.
func (r report) ofBuckets() {
	fmt.Fprint(r.to, "\n## Buckets of the busiest shard, of 16 (computed)\n\n")
	shards := []int{2, 3, 4, 5, 6, 8, 10, 12, 16, 20}
	head, rule := []string{"prefix"}, []string{"---"}
	for _, n := range shards {
		head, rule = append(head, fmt.Sprint(n)), append(rule, "--:")
	}
	r.row(head...)
	r.row(rule...)
	for _, of := range []size{
		{prefix: usualPrefix}, {prefix: evenPrefix}, {prefix: usualPrefix, byNet: true}, {prefix: evenByNet, byNet: true},
	} {
		cells := []string{"prefix=" + of.prefix}
		if of.byNet {
			cells[0] += "&place=net"
		}
		for _, n := range shards {
			cells = append(cells, fmt.Sprint(mostBuckets(of.words(), n)))
		}
		r.row(cells...)
	}
}
