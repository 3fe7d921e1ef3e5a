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
	gaveUp      prometheus.Counter
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
		Registry:    prometheus.NewRegistry(),
		decisions:   decisionsTotal.NewCounters(),
		failures:    checkFailures.NewCounters(),
		unwritten:   linesLeftOut.NewCounters(),
		limits:      examinationLimits.NewCounters(),
		messages:    messagesTotal.NewCounters(),
		octets:      messageOctets.NewCounter(),
		connections: connectionsTotal.NewCounters(),
		sessions:    sessionsOpen.NewGauge(),
		gaveUp:      mtaGaveUp.NewCounter(),
		defects:     defectsTotal.NewCounter(),
		dropped:     backgroundDropped.NewCounter(),
		reloads:     reloadsTotal.NewCounters(),
		loaded:      reloadSuccessful.NewGauge(),
		loadedAt:    reloadedAt.NewGauge(),
		scans:       newScans(),
	}
	build := buildInfo.NewGauges()
	build.WithLabelValues(version).Set(1)
	durations := stageDuration.NewHistograms()
	for _, stage := range policy.Stages() {
		m.stages[stage] = durations.WithLabelValues(stage.String())
	}
	m.Registry.MustRegister(m.decisions, m.failures, m.unwritten, m.limits, m.messages, m.octets, m.connections, m.sessions, m.gaveUp, m.defects, m.dropped, m.reloads,
		m.loaded, m.loadedAt, build, durations, m.scans.done, m.scans.octets, m.scans.took,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// ExpectFailures shows that a check has had no check error yet: Prometheus sees no growth in what
// begins with the first one.
func (m *Metrics) ExpectFailures(check string) { m.failures.WithLabelValues(check) }

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

// GaveUp counts a connection that the MTA closed while it was owed an answer.
func (m *Metrics) GaveUp() { m.gaveUp.Inc() }

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
