package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
)

// garbage is how much of it there may be: the events of a window are short-lived, and little lasts.
const garbage = 500

func main() {
	seed := flag.Uint64("seed", 1, "of the random numbers: the same seed gives the same tables")
	workers := flag.Int("workers", 2, "windows that are played at once")
	flag.Usage = usage
	flag.Parse()
	debug.SetGCPercent(garbage)
	report{to: os.Stdout, seed: *seed, workers: *workers}.all(fullScale)
}

func usage() {
	fmt.Fprintln(os.Stderr, "Plays a site of 200 hosts that share a Redis Cluster, and prints what it comes to:\n"+
		"docs/measurements/scaling.md. It takes both processors for minutes.")
	flag.PrintDefaults()
}

// heading makes the tables a page of the documentation.
const heading = `# A site of many hosts, simulated

    go run ./bench/simulate > docs/measurements/scaling.md

%.0f hosts, %.0f messages a second on average, seed %d. What it means is in [scaling.md](../scaling.md), what is modelled in
bench/simulate/doc.go, and the figures that the model rests on, with their sources, in bench/simulate/parameters.go.
`

// all writes every table.
func (r report) all(c scale) {
	fmt.Fprintf(r.to, heading, 200*c.of, mean*c.of, r.seed)
	r.comparison()
	r.section("A day on twelve shards, prefix=mw8&place=net", "at", c.theDay(), ofMail)
	r.section("One Redis for eight hosts", "messages/s", c.oneServer(), ofOneRedis)
	r.section("More shards at the mean rate", "shards", c.ofShards(), ofMail)
	r.section("More hosts in the busiest hour", "hosts", c.ofHosts(), ofMail)
	r.section("Faults at the mean rate, of 10,000 messages", "fault", c.faults(), ofFaults)
	r.rows()
	r.ofBuckets()
}
