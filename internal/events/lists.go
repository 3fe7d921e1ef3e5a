package events

import (
	"github.com/prometheus/client_golang/prometheus"

	"mailweir/internal/dns"
	"mailweir/rbl"
)

// WatchLists adds what is known of DNS lists and of the resolver.
func (m *Metrics) WatchLists(lists *rbl.Lists, resolver *dns.Resolver) {
	m.Registry.MustRegister(&listCollector{lists: lists, dns: resolver})
}

// listCollector reads the counters of package rbl when it is asked.
type listCollector struct {
	lists *rbl.Lists
	dns   *dns.Resolver
}

var (
	listQueries = prometheus.NewDesc("mailweir_dns_list_queries_total", "Clients and names looked up in a list.", []string{"zone"}, nil)
	listHits    = prometheus.NewDesc("mailweir_dns_list_hits_total", "Of these, listed.", []string{"zone"}, nil)
	listErrors  = prometheus.NewDesc("mailweir_dns_list_errors_total", "Of these, without a usable answer.", []string{"zone"}, nil)
	listGood    = prometheus.NewDesc("mailweir_dns_list_known_good_hits_total", "Hits on clients whose mail is known to be good.", []string{"zone"}, nil)
	listAsked   = prometheus.NewDesc("mailweir_dns_list_asked", "Whether the list is asked: 1, or 0 while it is suspended.", []string{"zone"}, nil)
	dnsHits     = prometheus.NewDesc("mailweir_dns_cache_hits_total", "Questions answered from the cache.", nil, nil)
	dnsMisses   = prometheus.NewDesc("mailweir_dns_cache_misses_total", "Questions that went to the DNS.", nil, nil)
	dnsFailures = prometheus.NewDesc("mailweir_dns_failures_total", "Questions without a usable answer.", []string{"failure"}, nil)
	dnsNames    = prometheus.NewDesc("mailweir_dns_cache_names", "Answers in the cache.", nil, nil)
)

// Describe names the metrics.
func (c *listCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{listQueries, listHits, listErrors, listGood, listAsked, dnsHits, dnsMisses, dnsFailures, dnsNames} {
		ch <- d
	}
}

// Collect reads the counters. A paid zone's key stands as {NAME} in its zone.
func (c *listCollector) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	for _, l := range c.lists.Status() {
		zone := l.Zone
		counter(listQueries, l.Queries, zone)
		counter(listHits, l.Hits, zone)
		counter(listErrors, l.Errors, zone)
		counter(listGood, l.KnownGood, zone)
		asked := 0.0
		if l.Asked {
			asked = 1
		}
		ch <- prometheus.MustNewConstMetric(listAsked, prometheus.GaugeValue, asked, zone)
	}
	s := c.dns.Stats()
	counter(dnsHits, s.Hits)
	counter(dnsMisses, s.Misses)
	for failure, n := range s.Failures {
		counter(dnsFailures, n, failure.String())
	}
	ch <- prometheus.MustNewConstMetric(dnsNames, prometheus.GaugeValue, float64(s.Names))
}
