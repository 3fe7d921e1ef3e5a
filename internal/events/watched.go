package events

// WatchMonitored adds how many checks only monitor by order of a person.
func (m *Metrics) WatchMonitored(count func() int) {
	m.Registry.MustRegister(monitoredByHand.NewGaugeFunc(func() float64 { return float64(count()) }))
}

// WatchSpool adds how much is kept of all messages, and how much may be.
func (m *Metrics) WatchSpool(used, limit func() int64) {
	m.Registry.MustRegister(
		spoolOctets.NewGaugeFunc(func() float64 { return float64(used()) }),
		spoolMax.NewGaugeFunc(func() float64 { return float64(limit()) }),
	)
}
