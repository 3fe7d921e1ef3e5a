package events

import "github.com/prometheus/client_golang/prometheus"

// WatchMonitored adds how many checks only monitor by order of a person.
func (m *Metrics) WatchMonitored(count func() int) {
	m.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "mailweir_checks_monitored_by_hand", Help: "Checks that would refuse, and only monitor because a person has ordered it at run time (mailweir monitor).",
	}, func() float64 { return float64(count()) }))
}
