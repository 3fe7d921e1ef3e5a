// Package metric declares what /metrics shows. Each metric is declared once: its name, type and
// labels there, its section in docs/reference/metrics.md and what the tests hold all come from that
// declaration.
package metric

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// prefix stands in front of every name of ours.
const prefix = "mailweir_"

// Kind is the type of a metric, as Prometheus calls it.
type Kind string

// The kinds that there are.
const (
	Counter   Kind = "counter"   // grows from 0 at the start of the process
	Gauge     Kind = "gauge"     // goes up and down
	Histogram Kind = "histogram" // counts by size
)

// Value is one value of a label.
type Value struct{ Name, Meaning string }

// Label is one label of a metric. It never holds an address, a login or anything else that clients
// choose.
type Label struct {
	Name    string
	Meaning string
	// Values are all that there are; none says that they depend on the configuration.
	Values []Value
}

// Metric is the declaration of one metric.
type Metric struct {
	// Name is without the "mailweir_" in front, which every one has.
	Name   string
	Kind   Kind
	Labels []Label
	// Help is what it counts or shows: one sentence, also in /metrics.
	Help string
	// Unit is what a value of 1 is one of: "seconds", "messages", "1 or 0".
	Unit string
	// Normal is what it shows on a good day. Worry is from when on to worry, and what to do then.
	Normal, Worry string
	// When says when it appears, "" for always, from the start.
	When string
	// Buckets are the bounds of a histogram, in its unit.
	Buckets []float64
}

// Group are metrics of one subject.
type Group struct {
	Title   string
	About   string // a sentence, or ""
	Metrics []*Metric
}

// FullName is the name in /metrics.
func (m *Metric) FullName() string { return prefix + m.Name }

// Label returns the label of this name, nil where it has none.
func (m *Metric) Label(name string) *Label {
	i := slices.IndexFunc(m.Labels, func(l Label) bool { return l.Name == name })
	if i < 0 {
		return nil
	}
	return &m.Labels[i]
}

// LabelNames are the names of the labels, in the order in which their values are given.
func (m *Metric) LabelNames() []string {
	names := make([]string, len(m.Labels))
	for i, l := range m.Labels {
		names[i] = l.Name
	}
	return names
}

// NewCounter returns a counter that is to be registered.
func (m *Metric) NewCounter() prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: m.FullName(), Help: m.Help})
}

// NewCounters returns a counter for each combination of values of the labels.
func (m *Metric) NewCounters() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.FullName(), Help: m.Help}, m.LabelNames())
}

// NewCounterFunc returns a counter whose value is asked for.
func (m *Metric) NewCounterFunc(value func() float64) prometheus.CounterFunc {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: m.FullName(), Help: m.Help}, value)
}

// NewGauge returns a gauge that is to be registered.
func (m *Metric) NewGauge() prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: m.FullName(), Help: m.Help})
}

// NewGauges returns a gauge for each combination of values of the labels.
func (m *Metric) NewGauges() *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.FullName(), Help: m.Help}, m.LabelNames())
}

// NewGaugeFunc returns a gauge whose value is asked for.
func (m *Metric) NewGaugeFunc(value func() float64) prometheus.GaugeFunc {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: m.FullName(), Help: m.Help}, value)
}

// NewHistograms returns a histogram for each combination of values of the labels.
func (m *Metric) NewHistograms() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: m.FullName(), Help: m.Help, Buckets: m.Buckets}, m.LabelNames())
}

// Desc describes it for a collector.
func (m *Metric) Desc() *prometheus.Desc {
	return prometheus.NewDesc(m.FullName(), m.Help, m.LabelNames(), nil)
}

// Set gives collectors the values of declared metrics, as they are at that moment.
type Set map[*Metric]*prometheus.Desc

// NewSet describes metrics for a collector.
func NewSet(metrics ...*Metric) Set {
	s := Set{}
	for _, m := range metrics {
		s[m] = m.Desc()
	}
	return s
}

// Describe names the metrics.
func (s Set) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range s {
		ch <- d
	}
}

// Tell sends one value of a metric of the set.
func (s Set) Tell(ch chan<- prometheus.Metric, m *Metric, value float64, labels ...string) {
	kind := prometheus.GaugeValue
	if m.Kind == Counter {
		kind = prometheus.CounterValue
	}
	ch <- prometheus.MustNewConstMetric(s[m], kind, value, labels...)
}

// Bool is 1 or 0.
func Bool(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
