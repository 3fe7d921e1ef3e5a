package auth

import (
	"github.com/prometheus/client_golang/prometheus"

	"mailweir/internal/metric"
)

// Declared are the metrics of mailweir auth, in the order in which they are documented.
func Declared() metric.Group {
	return metric.Group{
		Title: "Logins", About: "Of `mailweir auth` alone, at `--auth-http`; it also shows those of its checks, of the servers that it asks, and of the program.",
		Metrics: []*metric.Metric{loginsTotal, loginStreams, ReportsDropped, EventsDropped},
	}
}

const withMilter = "with `--auth-milter`"

var (
	loginsTotal = &metric.Metric{
		Name: "logins_total", Kind: metric.Counter, Unit: "attempts",
		Labels: []metric.Label{{Name: "mechanism", Meaning: "how the client logs in: PLAIN, LOGIN and others that Dovecot offers"}, {Name: "result", Meaning: "what came of it", Values: []metric.Value{
			{Name: "succeeded", Meaning: "the password was right"},
			{Name: "failed", Meaning: "it was not"},
			{Name: "blocked", Meaning: "the client is on the temporary block list; nobody looked at the password"},
			{Name: "unavailable", Meaning: "nobody could look at the password; the client is to try again"},
		}}},
		Help:   "Attempts to log in, by mechanism and by what came of them: succeeded, failed, blocked or unavailable.",
		Normal: "`succeeded` follows the hours of the day; `failed` is always there",
		Worry:  "any `unavailable`, or no `succeeded` where there were some at this hour yesterday: nobody can send mail. [auth.md](../checks/auth.md)",
		When:   "at the first attempt of that kind",
	}
	loginStreams = &metric.Metric{
		Name: "login_streams", Kind: metric.Gauge, Unit: "smtpd processes",
		Help:   "Streams of smtpd that are open now.",
		Normal: "tens", Worry: "it stays at `--auth-streams`: the one that has been idle for longest makes room for each new one", When: "always",
	}

	// ReportsDropped counts what the milter has not been told.
	ReportsDropped = &metric.Metric{
		Name: "login_reports_dropped_total", Kind: metric.Counter, Unit: "outcomes",
		Help:   "Outcomes of logins of which the milter was not told, because it did not answer.",
		Normal: "0", Worry: "it grows: who guesses passwords is not blocked. Is mailweir up?", When: withMilter,
	}
	// EventsDropped counts what is not in the milter's record.
	EventsDropped = &metric.Metric{
		Name: "login_events_dropped_total", Kind: metric.Counter, Unit: "decisions",
		Help:   "Decisions about logins that are not in the milter's record, because it did not take them in time.",
		Normal: "0", Worry: "any: `mailweir why` does not find them. They are in the log of `mailweir auth`", When: withMilter,
	}
)

// Counts are the metrics of logins. No label holds a login or an address.
type Counts struct {
	logins  *prometheus.CounterVec
	streams prometheus.Gauge
}

// NewCounts returns metrics that have yet to be registered.
func NewCounts() *Counts {
	return &Counts{logins: loginsTotal.NewCounters(), streams: loginStreams.NewGauge()}
}

// Register adds the metrics to a registry.
func (c *Counts) Register(r prometheus.Registerer) { r.MustRegister(c.logins, c.streams) }
