package events

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mailweir/internal/state"
)

// WatchState adds what the store of checks holds.
func (m *Metrics) WatchState(store state.Store) {
	m.Registry.MustRegister(&stateCollector{store})
}

// stateCollector asks the store when it is asked.
type stateCollector struct{ store state.Store }

// stateWithin bounds the question, so that a store that hangs does not hold up the other metrics.
const stateWithin = time.Second

var (
	stateUp      = prometheus.NewDesc("mailweir_state_up", "Whether the store answers: 1 or 0.", nil, nil)
	stateRows    = prometheus.NewDesc("mailweir_state_rows", "Rows that checks remember.", []string{"space"}, nil)
	stateEvicted = prometheus.NewDesc("mailweir_state_evictions_total", "Rows that had to go before their end because their space was full.", []string{"space"}, nil)
	stateBytes   = prometheus.NewDesc("mailweir_state_bytes", "Size of the store, 0 where it is not known.", nil, nil)
	stateWrites  = prometheus.NewDesc("mailweir_state_writable", "Whether the disk takes what is remembered: 1 or 0, when it is full or fails.", nil, nil)
	statePending = prometheus.NewDesc("mailweir_state_pending_rows", "Rows that a crash would lose now.", nil, nil)
)

// Describe names the metrics.
func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{stateUp, stateRows, stateEvicted, stateBytes, statePending, stateWrites} {
		ch <- d
	}
}

// Collect asks the store how it is.
func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), stateWithin)
	defer cancel()
	stats, err := c.store.Stats(ctx)
	if err != nil {
		ch <- prometheus.MustNewConstMetric(stateUp, prometheus.GaugeValue, 0)
		return
	}
	ch <- prometheus.MustNewConstMetric(stateUp, prometheus.GaugeValue, 1)
	writable := 1.0
	if stats.Unwritten {
		writable = 0
	}
	ch <- prometheus.MustNewConstMetric(stateWrites, prometheus.GaugeValue, writable)
	for _, s := range stats.Spaces {
		ch <- prometheus.MustNewConstMetric(stateRows, prometheus.GaugeValue, float64(s.Rows), s.Space)
		ch <- prometheus.MustNewConstMetric(stateEvicted, prometheus.CounterValue, float64(s.Evicted), s.Space)
	}
	ch <- prometheus.MustNewConstMetric(stateBytes, prometheus.GaugeValue, float64(stats.Bytes))
	ch <- prometheus.MustNewConstMetric(statePending, prometheus.GaugeValue, float64(stats.Pending))
}
