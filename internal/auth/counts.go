package auth

import "github.com/prometheus/client_golang/prometheus"

// Counts are the metrics of logins. No label holds a login or an address.
type Counts struct {
	logins  *prometheus.CounterVec
	streams prometheus.Gauge
}

// NewCounts returns metrics that have yet to be registered.
func NewCounts() *Counts {
	return &Counts{
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mailweir_logins_total", Help: "Attempts to log in, by mechanism and by what came of them: succeeded, failed, blocked or unavailable.",
		}, []string{"mechanism", "result"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "mailweir_login_streams", Help: "Streams of smtpd that are open now.",
		}),
	}
}

// Register adds the metrics to a registry.
func (c *Counts) Register(r prometheus.Registerer) { r.MustRegister(c.logins, c.streams) }
