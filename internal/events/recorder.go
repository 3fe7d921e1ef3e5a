// Package events is the one observer of decisions. Its [Recorder] gives each its id, brings those
// together that are alike, and hands events and transactions as data to every [Sink]: the log, the
// metrics, and whatever else keeps them.
package events

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/policy"
)

// Sink takes what is recorded. Its methods are called from any goroutine and must not wait; what
// they are given stays as it is.
type Sink interface {
	// Event takes every event once. Those that share an id come one by one, all but the first
	// marked as Repeated, and at their end comes their sum, an event with that id and Dedup set. So
	// who counts leaves the sum out, and who keeps one entry an id leaves out what is repeated and
	// replaces the entry by the sum.
	Event(*policy.Event)
	// Transaction takes what became of a mail transaction, accepted ones too.
	Transaction(*policy.Transaction)
}

// Options are what a [Recorder] works with.
type Options struct {
	Log     *logrus.Logger
	Metrics *Metrics
	Clock   func() time.Time
	// Host names this host in the record.
	Host string
	// Sinks take what is recorded, besides log and metrics.
	Sinks []Sink
}

// Recorder is the observer of the runner.
type Recorder struct {
	Options
	sinks   []Sink
	log     *logSink
	dedups  *dedups
	missing missing
	defects minutely
	dropped minutely
}

// NewRecorder returns a recorder. Close tells of what is still being brought together.
func NewRecorder(o Options) *Recorder {
	// Who has read it in the log finds it in the record: the log comes last.
	log := &logSink{log: o.Log}
	sinks := slices.Concat([]Sink{o.Metrics}, o.Sinks, []Sink{log})
	return &Recorder{Options: o, sinks: sinks, log: log, dedups: newDedups(o.Clock)}
}

// LogAccepted has a line in the log, or none, for every message that is accepted from now on.
func (r *Recorder) LogAccepted(is bool) { r.log.accepted.Store(is) }

// Identify gives the event its id: one of its own, or one that it shares with others.
func (r *Recorder) Identify(e *policy.Event) string {
	id, ended := r.dedups.identify(e)
	r.sum(ended)
	return id
}

// Record tells every sink of the event.
func (r *Recorder) Record(e *policy.Event) {
	e.Version, e.Host, e.Time = policy.EventVersion, r.Host, e.Time.UTC()
	e.Repeated = r.dedups.record(e)
	r.tell(e)
}

func (r *Recorder) tell(e *policy.Event) {
	for _, sink := range r.sinks {
		sink.Event(e)
	}
}

// sum tells of events that shared an id.
func (r *Recorder) sum(ended []*dedup) {
	for _, d := range ended {
		r.tell(d.sum())
	}
}

// Settled tells every sink what became of a transaction.
func (r *Recorder) Settled(t *policy.Transaction) {
	t.Version, t.Host, t.Ended = policy.EventVersion, r.Host, r.Clock().UTC()
	for _, sink := range r.sinks {
		sink.Transaction(t)
	}
	r.incomplete(t)
	r.unexamined(t)
}

// Keeps reports whether there is a sink besides log and metrics.
func (r *Recorder) Keeps() bool { return len(r.Sinks) > 0 }

// Opened counts a connection.
func (r *Recorder) Opened(c *policy.Connection) { r.Metrics.opened(c) }

// Closed counts its end.
func (r *Recorder) Closed(*policy.Connection) { r.Metrics.closed() }

// Took counts how long an answer took.
func (r *Recorder) Took(stage policy.Stage, d time.Duration) { r.Metrics.took(stage, d) }

// Defect logs a panic outside of any answer.
func (r *Recorder) Defect(err error) {
	r.Metrics.defects.Inc()
	switch n := r.defects.next(r.Clock()); {
	case n == defectLines:
		err = fmt.Errorf("%w (further ones of this minute are counted in mailweir_defects_total only)", err)
		fallthrough
	case n < defectLines:
		r.Log.WithError(err).Error("a defect outside of any answer; please report it")
	}
}

// Dropped counts what was neither learned nor recorded, and says so once a minute.
func (r *Recorder) Dropped() {
	r.Metrics.dropped.Inc()
	if r.dropped.next(r.Clock()) == 1 {
		r.Log.Warn("what is learned and recorded after the answers does not keep up; a part is dropped and counted in mailweir_background_dropped_total")
	}
}

// defectLines bounds what a defect that every message meets writes in a minute.
const defectLines = 10

// minutely counts what happens within a minute.
type minutely struct {
	mu    sync.Mutex
	begun time.Time
	count int
}

// next is the number of this time.
func (m *minutely) next(now time.Time) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Sub(m.begun) >= time.Minute {
		m.begun, m.count = now, 0
	}
	m.count++
	return m.count
}

// Sweep tells of the sums whose time has come. Without it they wait for the next event.
func (r *Recorder) Sweep() { r.sum(r.dedups.ended()) }

// SumNow tells of the sums that are still open, before their time.
func (r *Recorder) SumNow() { r.sum(r.dedups.end()) }

// Close tells of the sums that are still open.
func (r *Recorder) Close() { r.SumNow() }
