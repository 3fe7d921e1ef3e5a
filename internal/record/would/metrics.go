package would

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mailweir/internal/metric"
	"mailweir/internal/record"
)

// Declared are the metrics of would-be refusals, in the order in which they are documented.
func Declared() metric.Group {
	return metric.Group{
		Title: "Would-be refusals",
		About: "What `mailweir would --since=24h` says ([would.md](../start/would.md)), weighed again every hour while somebody scrapes, " +
			"or seldom enough that it takes less than one percent of one processor. Of hosts that share a record each shows all: use the largest, not the sum.",
		Metrics: []*metric.Metric{wouldRefusals, wouldAt},
	}
}

// judgements are the values of a label.
const (
	likelyGood = "likely_good"
	keptOut    = "kept_out"
	notKnown   = "not_known"
)

var (
	wouldRefusals = &metric.Metric{
		Name: "would_refusals", Kind: metric.Gauge, Unit: "would-be refusals of the last 24 hours",
		Labels: []metric.Label{{Name: "check", Meaning: "the [check](checks.md), which only monitors"}, {Name: "judgement", Meaning: "what the record says of that mail", Values: []metric.Value{
			{Name: likelyGood, Meaning: "to enforce the check would have hurt somebody"},
			{Name: keptOut, Meaning: "something else kept it out, or says the same of it"},
			{Name: notKnown, Meaning: "nothing speaks for or against it"},
		}}},
		Help:   "What monitored checks would have refused in the last 24 hours, by what the record says of that mail.",
		Normal: "`likely_good` is 0 for a check that you are about to enforce; greylisting always has some, which would have come later",
		Worry:  "`likely_good` over 1 a day and over 1 of 1,000: do not enforce that check yet. `mailweir would --since=24h --check=CHECK` shows examples",
		When:   "with a record, some seconds after the first scrape, for checks that would have refused something",
	}
	wouldAt = &metric.Metric{
		Name: "would_refusals_timestamp_seconds", Kind: metric.Gauge, Unit: "seconds since 1970",
		Help:   "When that was last weighed.",
		Normal: "within the last two hours", Worry: "older: the record is too large, or does not answer", When: "with a record, some seconds after the first scrape",
	}
)

const (
	weighedSpan = 24 * time.Hour
	// weighEvery is how often it is weighed at most; restFactor is how much longer than that took
	// nothing is weighed again, and tryAgain how soon after an error.
	weighEvery = time.Hour
	restFactor = 100
	tryAgain   = 5 * time.Minute
	// weighWithin bounds it, so that a record that hangs does not keep it from ever being tried
	// again.
	weighWithin = 10 * time.Minute
)

// Collector shows in /metrics what the last day would have been. A scrape never waits for it: one
// that finds it too old has it weighed again in the background, and shows what was known before.
type Collector struct {
	metric.Set
	reader record.Reader
	clock  func() time.Time
	life   context.Context
	end    context.CancelFunc
	work   sync.WaitGroup

	mu     sync.Mutex
	busy   bool
	next   time.Time // when to weigh again
	report *Report   // nil until it has been weighed
}

// NewCollector returns a collector of what a record says. Close ends it.
func NewCollector(reader record.Reader, clock func() time.Time) *Collector {
	c := &Collector{Set: metric.NewSet(wouldRefusals, wouldAt), reader: reader, clock: clock}
	c.life, c.end = context.WithCancel(context.Background())
	return c
}

// Close ends what is under way. Then the record may be closed.
func (c *Collector) Close() {
	c.mu.Lock()
	c.busy = true // nothing begins any more
	c.end()
	c.mu.Unlock()
	c.work.Wait()
}

// Collect tells what was weighed last.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	report := c.known()
	if report == nil {
		return
	}
	c.Tell(ch, wouldAt, float64(report.Until.Unix()))
	for _, one := range report.Checks {
		c.Tell(ch, wouldRefusals, float64(one.Good.N), one.Name, likelyGood)
		c.Tell(ch, wouldRefusals, float64(one.KeptOut.N), one.Name, keptOut)
		c.Tell(ch, wouldRefusals, float64(one.Unknown.N), one.Name, notKnown)
	}
}

// known is the last report, and begins with the next one when its time has come.
func (c *Collector) known() *Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.busy && !c.clock().Before(c.next) {
		c.busy = true
		c.work.Go(c.weigh)
	}
	return c.report
}

// weigh looks at the last day.
func (c *Collector) weigh() {
	ctx, cancel := context.WithTimeout(c.life, weighWithin)
	defer cancel()
	began := c.clock()
	report, err := Look(ctx, c.reader, Options{Since: began.Add(-weighedSpan), Until: began})
	now := c.clock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = c.life.Err() != nil
	rest := tryAgain
	if err == nil {
		c.report, rest = report, weighEvery
	}
	c.next = now.Add(max(rest, restFactor*now.Sub(began)))
}
