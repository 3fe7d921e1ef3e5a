package events

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"mailweir/internal/backend"
)

// backends are the metrics of what mail is asked about outside: directories, databases, scanners.
type backends struct {
	mu   sync.Mutex
	open map[string]int // by name; a reload may open one before it closes another

	up    *prometheus.GaugeVec
	calls *prometheus.CounterVec
	took  *prometheus.HistogramVec
	made  *prometheus.GaugeVec
}

// Observe returns an observer that shows how backends fare in the metrics, and says so in the log
// when one goes and when it returns. mask hides the secrets of errors; a name has none.
func (m *Metrics) Observe(log *logrus.Logger, mask func(string) string) *backend.Observer {
	b := &backends{
		open: map[string]int{},
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "mailweir_backend_up", Help: "Whether what is asked outside answers: 1 or 0.",
		}, []string{"backend"}),
		calls: counters("backend_calls_total", "Questions to what is outside, by how they ended: ok or error.", "backend", "result"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mailweir_backend_call_duration_seconds", Help: "How long the questions took.",
			Buckets: []float64{.0005, .0025, .01, .05, .25, 1, 2.5, 5, 10, 30, 60},
		}, []string{"backend"}),
	}
	b.made = m.scans.made
	m.scans.backends = b
	m.Registry.MustRegister(b.up, b.calls, b.took, b.made)
	return &backend.Observer{
		Opened: b.opened,
		Closed: b.closed,
		Down: func(name string, err error) {
			b.set(name, 0)
			log.WithFields(logrus.Fields{"backend": name, "error": mask(err.Error())}).Error("backend unavailable; checks that need it do as their on-error says")
		},
		Up: func(name string) {
			b.set(name, 1)
			log.WithField("backend", name).Info("backend available again")
		},
		Call: b.called,
	}
}

// set shows whether a backend answers. A call that was under way when it was closed shows nothing.
func (b *backends) set(name string, up float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[name] > 0 {
		b.up.WithLabelValues(name).Set(up)
	}
}

func (b *backends) opened(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open[name]++
	b.up.WithLabelValues(name).Set(1)
}

// closed forgets a backend that nobody uses any more, so that no alarm speaks of it for ever.
func (b *backends) closed(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[name]--; b.open[name] > 0 {
		return
	}
	delete(b.open, name)
	b.up.DeleteLabelValues(name)
	b.took.DeleteLabelValues(name)
	b.made.DeleteLabelValues(name)
	b.calls.DeletePartialMatch(prometheus.Labels{"backend": name})
}

func (b *backends) called(name string, took time.Duration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[name] == 0 {
		return
	}
	result := "ok"
	if err != nil {
		result = "error"
	}
	b.calls.WithLabelValues(name, result).Inc()
	b.took.WithLabelValues(name).Observe(took.Seconds())
}
