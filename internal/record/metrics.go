package record

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	recordEntries = prometheus.NewDesc("mailweir_record_entries_total", "Entries that the record has taken.", []string{"kind"}, nil)
	recordDropped = prometheus.NewDesc("mailweir_record_dropped_total", "Entries that were lost, because the queue was full or they could not be written.", []string{"kind"}, nil)
	recordLeftOut = prometheus.NewDesc("mailweir_record_left_out", "Entries of the record's days of which a bound of the day has left out all or a part.", nil, nil)
	recordWaiting = prometheus.NewDesc("mailweir_record_waiting_entries", "Entries that wait to be written: a crash would lose them.", nil, nil)
	recordUp      = prometheus.NewDesc("mailweir_record_up", "Whether the record takes entries: 1, or 0 after a commit that failed.", nil, nil)
	recordOctets  = prometheus.NewDesc("mailweir_record_octets", "Size of the record.", nil, nil)
	recordRows    = prometheus.NewDesc("mailweir_record_entries", "Entries in the record.", nil, nil)
	recordOldest  = prometheus.NewDesc("mailweir_record_oldest_timestamp_seconds", "The time back to which the record goes, 0 while it is empty.", nil, nil)
)

// Collector returns what /metrics shows of the record.
func (s *Sink) Collector() prometheus.Collector { return &collector{sink: s} }

// collector asks the sink when it is asked, and its store once in a while.
type collector struct {
	sink *Sink

	mu     sync.Mutex
	extent Extent
	asked  time.Time // when the store said so
}

// Describe names the metrics.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{recordEntries, recordDropped, recordLeftOut, recordWaiting, recordUp, recordOctets, recordRows, recordOldest} {
		ch <- d
	}
}

// extentWithin bounds the question to the store, so that one that hangs does not hold up the other
// metrics.
const extentWithin = time.Second

// extentFor is how long what the store has said is told again: each scrape would have it count.
const extentFor = 15 * time.Second

// known is the extent of the store, at most [extentFor] old.
func (c *collector) known() (Extent, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if !c.asked.IsZero() && now.Sub(c.asked) < extentFor {
		return c.extent, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), extentWithin)
	defer cancel()
	x, err := c.sink.store.Extent(ctx)
	if err == nil {
		c.extent, c.asked = x, now
	}
	return x, err
}

// Collect asks how the record is.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	tell := func(d *prometheus.Desc, kind prometheus.ValueType, n float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, n, labels...)
	}
	stats := c.sink.Stats()
	for kind, n := range map[string][2]uint64{
		"decision": {stats.Decisions, stats.DroppedDecisions},
		"message":  {stats.Messages, stats.DroppedMessages},
		"change":   {stats.Changes, stats.DroppedChanges},
	} {
		tell(recordEntries, prometheus.CounterValue, float64(n[0]), kind)
		tell(recordDropped, prometheus.CounterValue, float64(n[1]), kind)
	}
	tell(recordWaiting, prometheus.GaugeValue, float64(stats.Waiting))
	up := 1.0
	if stats.Failing {
		up = 0
	}
	tell(recordUp, prometheus.GaugeValue, up)
	x, err := c.known()
	if err != nil {
		return
	}
	tell(recordOctets, prometheus.GaugeValue, float64(x.Octets))
	tell(recordRows, prometheus.GaugeValue, float64(x.Entries))
	var leftOut int64
	for _, d := range x.Days {
		leftOut += d.LeftOut
	}
	tell(recordLeftOut, prometheus.GaugeValue, float64(leftOut))
	oldest := 0.0
	if !x.Oldest.IsZero() {
		oldest = float64(x.Oldest.Unix())
	}
	tell(recordOldest, prometheus.GaugeValue, oldest)
}
