// Package events is the one observer of decisions: it gives each its id, folds those that are alike, and
// writes log and metrics.
package events

import (
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/policy"
)

// Recorder writes one log line for each decision and counts it. It implements [policy.Observer].
type Recorder struct {
	log     *logrus.Logger
	metrics *Metrics
	folds   *folds
	missing missing
}

// NewRecorder returns a recorder. Close writes what is still folded.
func NewRecorder(log *logrus.Logger, metrics *Metrics, clock func() time.Time) *Recorder {
	return &Recorder{log: log, metrics: metrics, folds: newFolds(clock)}
}

// Identify gives the event its id: one of its own, or the one under which it is folded.
func (r *Recorder) Identify(e *policy.Event) string {
	id, ended := r.folds.identify(e)
	for _, f := range ended {
		r.logFold(f)
	}
	return id
}

// Record counts the event, and logs it unless it is folded.
func (r *Recorder) Record(e *policy.Event) {
	r.metrics.decision(e)
	if repeated := r.folds.record(e); repeated {
		return
	}
	r.logEvent(e)
}

// Settled counts the outcome of a message.
func (r *Recorder) Settled(m *policy.Message, o policy.Outcome) {
	r.metrics.message(m, o)
	r.logOutcome(m, o)
	r.incomplete(m, o)
	r.unexamined(m, o)
}

// Opened counts a connection.
func (r *Recorder) Opened(c *policy.Connection) { r.metrics.opened(c) }

// Closed counts its end.
func (r *Recorder) Closed(*policy.Connection) { r.metrics.closed() }

// Took counts how long an answer took.
func (r *Recorder) Took(stage policy.Stage, d time.Duration) { r.metrics.took(stage, d) }

// Defect logs a panic outside of any answer.
func (r *Recorder) Defect(err error) {
	r.metrics.defects.Inc()
	r.log.WithError(err).Error("a defect while learning from an outcome; please report it")
}

// Sweep logs the folds whose span has ended. Without it their lines wait for the next event.
func (r *Recorder) Sweep() {
	for _, f := range r.folds.ended() {
		r.logFold(f)
	}
}

// Close logs the folds that are still open.
func (r *Recorder) Close() {
	for _, f := range r.folds.end() {
		r.logFold(f)
	}
}
