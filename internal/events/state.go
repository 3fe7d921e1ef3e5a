package events

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mailweir/internal/metric"
	"mailweir/internal/state"
)

// WatchState adds what the store of checks holds.
func (m *Metrics) WatchState(store state.Store) {
	m.Registry.MustRegister(&stateCollector{metric.NewSet(stateUp, stateRows, stateEvictions, stateBytes, statePending, stateWritable), store})
}

// stateCollector asks the store when it is asked.
type stateCollector struct {
	metric.Set
	store state.Store
}

// stateWithin bounds the question, so that a store that hangs does not hold up the other metrics.
const stateWithin = time.Second

// Collect asks the store how it is.
func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), stateWithin)
	defer cancel()
	stats, err := c.store.Stats(ctx)
	c.Tell(ch, stateUp, metric.Bool(err == nil))
	if err != nil {
		return
	}
	c.Tell(ch, stateWritable, metric.Bool(!stats.Unwritten))
	for _, s := range stats.Spaces {
		c.Tell(ch, stateRows, float64(s.Rows), s.Space)
		c.Tell(ch, stateEvictions, float64(s.Evicted), s.Space)
	}
	c.Tell(ch, stateBytes, float64(stats.Bytes))
	c.Tell(ch, statePending, float64(stats.Pending))
}
