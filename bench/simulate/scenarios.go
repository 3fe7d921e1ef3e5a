package main

import (
	"fmt"
	"time"
)

// Prefixes of the keys. By the even ones no shard of 4, 6 or 12 has more buckets than it must; by
// the usual one some have.
const (
	usualPrefix = "mailweir"
	evenPrefix  = "mw42"
	evenByNet   = "mw8" // with place=net
)

// spread has rows about a client lie anywhere, as they do without place=net.
func spread(s *size) { s.byNet, s.prefix = false, evenPrefix }

// scale is by how much a site and its mail are smaller than what is asked for, and how long windows
// last.
type scale struct {
	of              float64
	settles, lasts  time.Duration
	afterThatBefall time.Duration // how long is looked at what befalls a site
}

var fullScale = scale{of: 1, settles: time.Second, lasts: 2 * time.Second, afterThatBefall: 5 * time.Second}

// site is the usual one at a rate.
func (c scale) site(times float64) size {
	return size{
		hosts: int(200 * c.of), cores: 1, shards: 12, prefix: evenByNet, byNet: true, writers: 8, rate: mean * times * c.of, mail: usualMail,
	}
}

func (c scale) window(name string, of size) window {
	return window{name: name, size: of, settles: c.settles, lasts: c.lasts}
}

// theDay are the rates of a day.
func (c scale) theDay() (list []window) {
	for _, at := range []struct {
		name  string
		times float64
	}{{"night", night}, {"mean", 1}, {"busiest hour", busiestHour}, {"busiest minute", burstOfDay}} {
		list = append(list, c.window(at.name, c.site(at.times)))
	}
	return list
}

// oneServer is a single Redis and ever more mail.
func (c scale) oneServer() (list []window) {
	for _, rate := range []float64{500, 1000, 2000, 2500, 3000, 3500, 4000} {
		s := c.site(0)
		s.hosts, s.shards, s.prefix, s.byNet, s.rate = 8, 1, usualPrefix, false, rate*c.of
		list = append(list, c.window(fmt.Sprintf("%.0f", rate), s))
	}
	return list
}

// ofShards are more and more shards at the mean rate.
func (c scale) ofShards() (list []window) {
	add := func(shards int, prefix string, byNet bool) {
		s := c.site(1)
		s.shards, s.prefix, s.byNet = shards, prefix, byNet
		name := fmt.Sprintf("%d, prefix=%s", shards, prefix)
		if byNet {
			name += "&place=net"
		}
		list = append(list, c.window(name, s))
	}
	for _, shards := range []int{1, 4, 8, 12} {
		add(shards, usualPrefix, false)
	}
	for _, shards := range []int{4, 6, 12} {
		add(shards, evenPrefix, false)
	}
	for _, shards := range []int{4, 6, 8, 12} {
		add(shards, evenByNet, true)
	}
	return list
}

// ofHosts is the same mail on fewer and more hosts.
func (c scale) ofHosts() (list []window) {
	for _, hosts := range []float64{25, 50, 100, 200, 400} {
		s := c.site(busiestHour)
		s.hosts = int(hosts * c.of)
		list = append(list, c.window(fmt.Sprint(s.hosts), s))
	}
	return list
}

// faults are what may befall the site at the mean rate.
func (c scale) faults() (list []window) {
	add := func(name string, change func(*size), befalls func(*site)) {
		s := c.site(1)
		change(&s)
		v := c.window(name, s)
		v.lasts, v.befalls = c.afterThatBefall, befalls
		if s.flood > 0 {
			v.settles += 2 * floodHolds // nine of ten places of the flood are taken
		}
		list = append(list, v)
	}
	same, nothing := func(*size) {}, func(*site) {}
	dies := func(w *site) { w.busiest().dead = true }
	add("none", same, nothing)
	add("a shard dies", same, dies)
	add("a shard dies, without place=net", spread, dies)
	add("a shard pauses 50 ms each time round", same, func(w *site) { w.busiest().lag = 50 * time.Millisecond })
	add("a shard takes 50 ms a command", same, func(w *site) { w.busiest().slow = 50 * time.Millisecond })
	for _, pause := range []float64{4, 1} { // seconds between two connections of an address
		add(fmt.Sprintf("100,000 addresses, each every %.0f s", pause), func(s *size) { s.flood = 100_000 / pause * c.of }, nothing)
	}
	return list
}
