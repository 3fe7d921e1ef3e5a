package metric

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// collecting is a collector of a set.
type collecting struct {
	Set
	tell func(ch chan<- prometheus.Metric)
}

func (c collecting) Collect(ch chan<- prometheus.Metric) { c.tell(ch) }

// TestExposed shows what a declaration becomes in /metrics.
func TestExposed(t *testing.T) {
	labels := []Label{{Name: "colour"}, {Name: "size"}}
	seen := &Metric{Name: "seen_total", Kind: Counter, Help: "Seen.", Labels: labels}
	room := &Metric{Name: "room", Kind: Gauge, Help: "Room.", Labels: labels[:1]}
	took := &Metric{Name: "took_seconds", Kind: Histogram, Help: "Took.", Labels: labels[:1], Buckets: []float64{1, 2}}
	plain := &Metric{Name: "plain", Kind: Gauge, Help: "Plain."}
	counted := &Metric{Name: "counted_total", Kind: Counter, Help: "Counted."}
	for name, c := range map[string]struct {
		collector prometheus.Collector
		want      string
	}{
		"counters": {
			func() prometheus.Collector { c := seen.NewCounters(); c.WithLabelValues("red", "big").Add(2); return c }(),
			"# HELP mailweir_seen_total Seen.\n# TYPE mailweir_seen_total counter\nmailweir_seen_total{colour=\"red\",size=\"big\"} 2\n",
		},
		"counter": {counted.NewCounter(), "# HELP mailweir_counted_total Counted.\n# TYPE mailweir_counted_total counter\nmailweir_counted_total 0\n"},
		"counter that is asked for": {
			counted.NewCounterFunc(func() float64 { return 5 }),
			"# HELP mailweir_counted_total Counted.\n# TYPE mailweir_counted_total counter\nmailweir_counted_total 5\n",
		},
		"gauge": {plain.NewGauge(), "# HELP mailweir_plain Plain.\n# TYPE mailweir_plain gauge\nmailweir_plain 0\n"},
		"gauges": {
			func() prometheus.Collector { c := room.NewGauges(); c.WithLabelValues("red").Set(3); return c }(),
			"# HELP mailweir_room Room.\n# TYPE mailweir_room gauge\nmailweir_room{colour=\"red\"} 3\n",
		},
		"gauge that is asked for": {
			plain.NewGaugeFunc(func() float64 { return Bool(true) + Bool(false) }),
			"# HELP mailweir_plain Plain.\n# TYPE mailweir_plain gauge\nmailweir_plain 1\n",
		},
		"histograms": {
			func() prometheus.Collector {
				c := took.NewHistograms()
				c.WithLabelValues("red").Observe(1.5)
				return c
			}(),
			"# HELP mailweir_took_seconds Took.\n# TYPE mailweir_took_seconds histogram\nmailweir_took_seconds_bucket{colour=\"red\",le=\"1\"} 0\n" +
				"mailweir_took_seconds_bucket{colour=\"red\",le=\"2\"} 1\nmailweir_took_seconds_bucket{colour=\"red\",le=\"+Inf\"} 1\n" +
				"mailweir_took_seconds_sum{colour=\"red\"} 1.5\nmailweir_took_seconds_count{colour=\"red\"} 1\n",
		},
		"set": {
			func() prometheus.Collector {
				s := NewSet(seen, plain)
				return collecting{s, func(ch chan<- prometheus.Metric) {
					s.Tell(ch, seen, 7, "blue", "small")
					s.Tell(ch, plain, 1)
				}}
			}(),
			"# HELP mailweir_plain Plain.\n# TYPE mailweir_plain gauge\nmailweir_plain 1\n" +
				"# HELP mailweir_seen_total Seen.\n# TYPE mailweir_seen_total counter\nmailweir_seen_total{colour=\"blue\",size=\"small\"} 7\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := testutil.CollectAndCompare(c.collector, strings.NewReader(c.want)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLabel(t *testing.T) {
	m := &Metric{Labels: []Label{{Name: "a"}, {Name: "b", Meaning: "what"}}}
	if got := m.Label("b"); got == nil || got.Meaning != "what" {
		t.Errorf("label b: %v", got)
	}
	if got := m.Label("c"); got != nil {
		t.Errorf("label c: %v", got)
	}
}
