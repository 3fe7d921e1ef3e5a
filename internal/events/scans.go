package events

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mailweir/internal/policy"
)

// scans are the metrics of what virus and spam scanners are shown.
type scans struct {
	done   *prometheus.CounterVec
	octets *prometheus.CounterVec
	took   *prometheus.HistogramVec
	// made is the age of signatures, of the backends that are open.
	made     *prometheus.GaugeVec
	backends *backends
}

func newScans() *scans {
	return &scans{
		done:   counters("scans_total", "Messages that were shown to a scanner, by what came of it.", "check", "result"),
		octets: counters("scan_octets_total", "Octets of messages that scanners were shown.", "check"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mailweir_scan_duration_seconds", Help: "Time from the end of a message to what its scan came to, the wait for the scanner included.",
			Buckets: []float64{.0025, .01, .05, .25, 1, 2.5, 5, 10, 20, 30, 45},
		}, []string{"check"}),
		made: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "mailweir_virus_signatures_timestamp_seconds", Help: "When the signatures of a virus scanner were made.",
		}, []string{"backend"}),
	}
}

// Signatures shows when the signatures of a scanner were made, as long as the scanner is in use. The
// zero Time is not known.
func (m *Metrics) Signatures(scanner string, made time.Time) {
	b := m.scans.backends
	if b == nil || made.IsZero() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[scanner] > 0 {
		b.made.WithLabelValues(scanner).Set(float64(made.Unix()))
	}
}

// Scanned counts a message that was shown to a scanner.
func (m *Metrics) Scanned(s policy.Scan) {
	m.scans.done.WithLabelValues(s.Check, s.Result).Inc()
	m.scans.octets.WithLabelValues(s.Check).Add(float64(s.Octets))
	m.scans.took.WithLabelValues(s.Check).Observe(s.Took.Seconds())
}
