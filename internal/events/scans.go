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
		done:   scansTotal.NewCounters(),
		octets: scanOctets.NewCounters(),
		took:   scanDuration.NewHistograms(),
		made:   virusSignatures.NewGauges(),
	}
}

// Signatures shows when the signatures of a scanner were made, as long as the scanner is in use.
// The zero Time is not known.
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
