package main

import (
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"mailweir/test/testbed"
)

// lostRate is at which rate mail comes while a server is lost or slow.
const lostRate = 150

// lostCase is what happens to one of the servers.
type lostCase struct {
	name    string
	cluster bool
	option  string
	all     bool // to the replica that could take over, too
	// duty is what part of a tenth of a second the server stands still; 1 is until it wakes.
	duty float64
}

// lost prints what becomes of answers while a server hangs, and when it wakes.
func (b *bench) lost() error {
	fmt.Printf("Mail at %d a second, 30 of 100 from new triplets, --greylist=enforce, all else default; the server hangs for %v (in a cluster one "+
		"of three primaries). Wrong are a known triplet that has to wait and a new one that passes:\n\n", lostRate, b.duration)
	row("what hangs", "when", "answers", "p50 ms", "p99 ms", "longest ms", "known that waits", "new that passes")
	row("---", "---", "--:", "--:", "--:", "--:", "--:", "--:")
	for _, c := range []lostCase{
		{name: "the only server", duty: 1},
		{name: "the only server, 20 of each 100 ms", duty: 0.2},
		{name: "one node and its replica", cluster: true, all: true, duty: 1},
		{name: "one node and its replica, place=net", cluster: true, option: "&place=net", all: true, duty: 1},
		{name: "one node, its replica takes over", cluster: true, duty: 1},
		{name: "one node, 20 of each 100 ms", cluster: true, duty: 0.2},
	} {
		if err := b.lostCase(c); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	fmt.Println()
	return nil
}

func (b *bench) lostCase(c lostCase) error {
	h := b.Part()
	defer h.Close()
	spec, victims := lostServers(h, c)
	p, err := policyOnRedis(h, spec)
	if err != nil {
		return err
	}
	stands := make(chan struct{})
	var standing sync.WaitGroup
	for _, phase := range []struct {
		name          string
		before, after func()
		during        time.Duration
	}{
		{"before", func() {}, func() {}, b.duration},
		{"the first second", func() { standing.Go(func() { hang(victims, c.duty, stands) }) }, func() {}, time.Second},
		{"from then on", func() {}, func() { close(stands); standing.Wait() }, b.duration - time.Second},
		{"awake, the first second", func() {}, func() {}, time.Second},
		{"from then on", func() {}, func() {}, b.duration},
	} {
		phase.before()
		f := p.atRate(lostRate, phase.during)
		phase.after()
		row(c.name, phase.name, len(f.took), f.quantile(0.5), f.quantile(0.99), f.quantile(1), f.waits, f.passes)
	}
	return nil
}

// lostServers starts what is asked, and returns those that will hang.
func lostServers(h testbed.TB, c lostCase) (spec string, victims []*testbed.Redis) {
	if !c.cluster {
		one := testbed.StartRedis(h)
		return "redis://" + one.Address, []*testbed.Redis{one}
	}
	cluster := testbed.StartRedisCluster(h)
	primaries := cluster.Primaries()
	victims = primaries[:1:1] // what is appended leaves the other primaries alone
	if c.all {
		victims = append(victims, cluster.ReplicasOf(primaries[0])...)
	}
	return "redis://" + primaries[1].Address + "?cluster=yes" + c.option, victims
}

// hang stops the servers, for that part of each tenth of a second, until the end.
func hang(servers []*testbed.Redis, duty float64, end <-chan struct{}) {
	const cycle = 100 * time.Millisecond
	signal := func(s syscall.Signal) {
		for _, r := range servers {
			_ = r.Signal(s)
		}
	}
	defer signal(syscall.SIGCONT)
	for {
		signal(syscall.SIGSTOP)
		stands := time.Duration(duty * float64(cycle))
		select {
		case <-time.After(stands):
		case <-end:
			return
		}
		if duty == 1 {
			continue
		}
		signal(syscall.SIGCONT)
		select {
		case <-time.After(cycle - stands):
		case <-end:
			return
		}
	}
}

// atRateFigures is what became of mail at a steady rate.
type atRateFigures struct {
	took          []float64 // ms from the moment at which a mail should come to the answer to RCPT
	waits, passes int
}

func (f *atRateFigures) quantile(q float64) string {
	slices.Sort(f.took)
	if len(f.took) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", f.took[min(int(q*float64(len(f.took))), len(f.took)-1)])
}

// atRate has mail come at that rate, however long answers take, and waits for all of them.
func (w *wholePolicy) atRate(rate int, during time.Duration) atRateFigures {
	var f atRateFigures
	var mu sync.Mutex
	var work sync.WaitGroup
	begun, pause := time.Now(), time.Second/time.Duration(rate)
	for due := begun; due.Sub(begun) < during; due = due.Add(pause) {
		time.Sleep(time.Until(due))
		work.Go(func() {
			t, isNew := someTriplet(redisRows)
			_, waits, _ := w.decide(t) // an error is a refusal: here there is none
			took := time.Since(due)
			mu.Lock()
			defer mu.Unlock()
			f.took = append(f.took, took.Seconds()*1000)
			if waits && !isNew {
				f.waits++
			}
			if isNew && !waits {
				f.passes++
			}
		})
	}
	work.Wait()
	return f
}
