package record

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mailweir/internal/metric"
)

// Declared are the metrics of the record, in the order in which they are documented.
func Declared() metric.Group {
	return metric.Group{
		Title: "The record", About: "Where decisions are kept (`--record`); none of these without one.",
		Metrics: []*metric.Metric{recordUp, recordDropped, recordEntriesTotal, recordWaiting, recordOctets, recordEntries, recordLeftOut, recordOldest},
	}
}

var (
	labelKind = metric.Label{Name: "kind", Meaning: "what they are about", Values: []metric.Value{
		{Name: "decision", Meaning: "a decision against mail"},
		{Name: "message", Meaning: "what became of a message"},
		{Name: "change", Meaning: "what a person has changed, and policies that were loaded"},
	}}

	recordUp = &metric.Metric{
		Name: "record_up", Kind: metric.Gauge, Unit: "1 or 0",
		Help:   "Whether the record takes entries: 1, or 0 after a commit that failed.",
		Normal: "1", Worry: "0 for 10 minutes: entries wait in memory, and are dropped when there are too many. Look at the disk or the database of `--record`; mail is not concerned",
		When: "with a record",
	}
	recordDropped = &metric.Metric{
		Name: "record_dropped_total", Kind: metric.Counter, Unit: "entries", Labels: []metric.Label{labelKind},
		Help:   "Entries that were lost, because the queue was full or they could not be written.",
		Normal: "0", Worry: "any: `mailweir why` does not find them. They are in the log", When: "with a record",
	}
	recordEntriesTotal = &metric.Metric{
		Name: "record_entries_total", Kind: metric.Counter, Unit: "entries", Labels: []metric.Label{labelKind},
		Help:   "Entries that the record has taken.",
		Normal: "follows the mail", Worry: "nothing to worry about by itself", When: "with a record",
	}
	recordWaiting = &metric.Metric{
		Name: "record_waiting_entries", Kind: metric.Gauge, Unit: "entries",
		Help:   "Entries that wait to be written: a crash would lose them.",
		Normal: "those of the last second", Worry: "it grows for minutes: the disk or the database is slow", When: "with a record",
	}
	recordOctets = &metric.Metric{
		Name: "record_octets", Kind: metric.Gauge, Unit: "octets",
		Help:   "Size of the record.",
		Normal: "grows until `--record-for` or `--record-max` ends it", Worry: "it nears the size of its disk", When: "with a record that answers",
	}
	recordEntries = &metric.Metric{
		Name: "record_entries", Kind: metric.Gauge, Unit: "entries",
		Help:   "Entries in the record.",
		Normal: "grows until `--record-for` or `--record-max` ends it", Worry: "nothing to worry about by itself", When: "with a record that answers",
	}
	recordLeftOut = &metric.Metric{
		Name: "record_left_out", Kind: metric.Gauge, Unit: "entries",
		Help:   "Entries of the record's days of which a bound of the day has left out all or a part.",
		Normal: "0", Worry: "more: a day had more than a quarter of `--record-max`. Give it more room, or keep fewer accepted messages ([record.md](../operate/record.md))",
		When: "with a record that answers",
	}
	recordOldest = &metric.Metric{
		Name: "record_oldest_timestamp_seconds", Kind: metric.Gauge, Unit: "seconds since 1970",
		Help:   "The time back to which the record goes, 0 while it is empty.",
		Normal: "up to `--record-for` ago", Worry: "days later than that: `--record-max` is reached first", When: "with a record that answers",
	}
)

// Collector returns what /metrics shows of the record.
func (s *Sink) Collector() prometheus.Collector {
	return &collector{
		Set:  metric.NewSet(recordUp, recordDropped, recordEntriesTotal, recordWaiting, recordOctets, recordEntries, recordLeftOut, recordOldest),
		sink: s,
	}
}

// collector asks the sink when it is asked, and its store once in a while.
type collector struct {
	metric.Set
	sink *Sink

	mu     sync.Mutex
	extent Extent
	asked  time.Time // when the store said so
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
	stats := c.sink.Stats()
	for kind, n := range map[string][2]uint64{
		"decision": {stats.Decisions, stats.DroppedDecisions},
		"message":  {stats.Messages, stats.DroppedMessages},
		"change":   {stats.Changes, stats.DroppedChanges},
	} {
		c.Tell(ch, recordEntriesTotal, float64(n[0]), kind)
		c.Tell(ch, recordDropped, float64(n[1]), kind)
	}
	c.Tell(ch, recordWaiting, float64(stats.Waiting))
	c.Tell(ch, recordUp, metric.Bool(!stats.Failing))
	x, err := c.known()
	if err != nil {
		return
	}
	c.Tell(ch, recordOctets, float64(x.Octets))
	c.Tell(ch, recordEntries, float64(x.Entries))
	var leftOut int64
	for _, d := range x.Days {
		leftOut += d.LeftOut
	}
	c.Tell(ch, recordLeftOut, float64(leftOut))
	oldest := 0.0
	if !x.Oldest.IsZero() {
		oldest = float64(x.Oldest.Unix())
	}
	c.Tell(ch, recordOldest, oldest)
}
