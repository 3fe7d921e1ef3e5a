package events

import (
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"mailweir/internal/policy"
)

// Metrics are what /metrics shows. No label holds an address.
type Metrics struct {
	Registry *prometheus.Registry

	decisions   *prometheus.CounterVec
	failures    *prometheus.CounterVec
	unwritten   *prometheus.CounterVec
	limits      *prometheus.CounterVec
	messages    *prometheus.CounterVec
	octets      prometheus.Counter
	connections *prometheus.CounterVec
	sessions    prometheus.Gauge
	stages      [6]prometheus.Observer
	defects     prometheus.Counter
	dropped     prometheus.Counter
	reloads     *prometheus.CounterVec
	loaded      prometheus.Gauge
	loadedAt    prometheus.Gauge
	scans       *scans
}

// NewMetrics returns metrics in a registry of their own.
func NewMetrics(version string) *Metrics {
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		decisions: counters("decisions_total", "Decisions against mail, in monitor mode those that would have been.",
			"check", "mode", "action", "code"),
		failures:  counters("check_failures_total", "Check errors: times that a check could not judge.", "check"),
		unwritten: counters("log_lines_left_out_total", "Events without a line of their own: they share their id and the line of its sum.", "check"),
		limits:    counters("examination_limits_total", "Messages of which a part was not examined, by the limit that was reached.", "limit"),
		messages:  counters("messages_total", "Mail transactions by what became of them.", "service", "fate"),
		octets: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mailweir_message_octets_total", Help: "Octets of the messages that came to their end.",
		}),
		connections: counters("connections_total", "SMTP connections.", "service"),
		sessions: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "mailweir_sessions", Help: "SMTP connections that are open now.",
		}),
		defects: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mailweir_defects_total", Help: "Panics outside of any answer.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mailweir_background_dropped_total", Help: "Pieces of work behind the answers that were dropped: nothing was learned or recorded of them.",
		}),
		reloads: counters("reloads_total", "Attempts to load a policy.", "result"),
		loaded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "mailweir_reload_successful", Help: "Whether the last attempt to load a policy succeeded: 1 or 0.",
		}),
		loadedAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "mailweir_reload_success_timestamp_seconds", Help: "When the current policy was loaded.",
		}),
	}
	m.scans = newScans()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "mailweir_build_info", Help: "The version that runs; always 1.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "mailweir_stage_duration_seconds", Help: "Time from the MTA's question to the answer, waiting for backends included.",
		Buckets: []float64{.0001, .001, .005, .025, .1, .5, 1, 2.5, 5, 10, 30, 60},
	}, []string{"stage"})
	for _, stage := range policy.Stages() {
		m.stages[stage] = durations.WithLabelValues(stage.String())
	}
	m.Registry.MustRegister(m.decisions, m.failures, m.unwritten, m.limits, m.messages, m.octets, m.connections, m.sessions, m.defects, m.dropped, m.reloads,
		m.loaded, m.loadedAt, build, durations, m.scans.done, m.scans.octets, m.scans.took,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mailweir_" + name, Help: help}, labels)
}

// Event counts a decision, each of those that share an id.
func (m *Metrics) Event(e *policy.Event) {
	if e.Dedup != nil {
		return
	}
	if e.Repeated {
		m.unwritten.WithLabelValues(e.Check).Inc()
	}
	if e.Err != "" {
		m.failures.WithLabelValues(e.Check).Inc()
	}
	if e.Action == policy.ActionError {
		return
	}
	m.decisions.WithLabelValues(e.Check, e.Mode.String(), e.Action.String(), strconv.Itoa(e.Line.Code())).Inc()
}

// Transaction counts a message by what became of it, and the limits that its examination reached,
// each once.
func (m *Metrics) Transaction(t *policy.Transaction) {
	m.messages.WithLabelValues(string(t.Service), t.Fate.String()).Inc()
	m.octets.Add(float64(t.Octets))
	for i, u := range t.Unexamined {
		if !slices.ContainsFunc(t.Unexamined[:i], func(other policy.Unexamined) bool { return other.Limit == u.Limit }) {
			m.limits.WithLabelValues(u.Limit).Inc()
		}
	}
}

func (m *Metrics) opened(c *policy.Connection) {
	m.connections.WithLabelValues(string(c.Service)).Inc()
	m.sessions.Inc()
}

func (m *Metrics) closed() { m.sessions.Dec() }

func (m *Metrics) took(stage policy.Stage, d time.Duration) { m.stages[stage].Observe(d.Seconds()) }

// Loaded notes that a policy was loaded.
func (m *Metrics) Loaded(at time.Time) {
	m.reloads.WithLabelValues("success").Inc()
	m.loaded.Set(1)
	m.loadedAt.Set(float64(at.Unix()))
}

// NotLoaded notes that a policy could not be loaded; the one before stays.
func (m *Metrics) NotLoaded() {
	m.reloads.WithLabelValues("failure").Inc()
	m.loaded.Set(0)
}
