package events

import (
	"github.com/prometheus/client_golang/prometheus"

	"mailweir/internal/dns"
	"mailweir/internal/metric"
	"mailweir/rbl"
)

// WatchLists adds what is known of DNS lists and of the resolver.
func (m *Metrics) WatchLists(lists *rbl.Lists, resolver *dns.Resolver) {
	m.Registry.MustRegister(&listCollector{
		metric.NewSet(listQueries, listHits, listErrors, listKnownGood, listAsked, dnsCacheHits, dnsCacheMisses, dnsFailures, dnsCacheNames), lists, resolver,
	})
}

// listCollector reads the counters of package rbl when it is asked.
type listCollector struct {
	metric.Set
	lists *rbl.Lists
	dns   *dns.Resolver
}

// Collect reads the counters. A paid zone's key stands as {NAME} in its zone.
func (c *listCollector) Collect(ch chan<- prometheus.Metric) {
	for _, l := range c.lists.Status() {
		c.Tell(ch, listQueries, float64(l.Queries), l.Zone)
		c.Tell(ch, listHits, float64(l.Hits), l.Zone)
		c.Tell(ch, listErrors, float64(l.Errors), l.Zone)
		c.Tell(ch, listKnownGood, float64(l.KnownGood), l.Zone)
		c.Tell(ch, listAsked, metric.Bool(l.Asked), l.Zone)
	}
	s := c.dns.Stats()
	c.Tell(ch, dnsCacheHits, float64(s.Hits))
	c.Tell(ch, dnsCacheMisses, float64(s.Misses))
	for failure, n := range s.Failures {
		c.Tell(ch, dnsFailures, float64(n), failure.String())
	}
	c.Tell(ch, dnsCacheNames, float64(s.Names))
}
