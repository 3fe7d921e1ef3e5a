package events

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/dns"
	"mailweir/internal/metric"
	"mailweir/internal/policy"
)

// TestLabelValues holds that the values that are documented are those that there are.
func TestLabelValues(t *testing.T) {
	var actions, fates, stages, modes, failures []string
	for a := policy.ActionRefused; a <= policy.ActionNoted; a++ {
		if a != policy.ActionError { // counted by check_failures_total alone
			actions = append(actions, a.String())
		}
	}
	for f := policy.Accepted; f <= policy.Lost; f++ {
		fates = append(fates, f.String())
	}
	for _, s := range policy.Stages() {
		stages = append(stages, s.String())
	}
	for m := policy.Monitor; m <= policy.Enforce; m++ {
		modes = append(modes, m.String())
	}
	for f := dns.Timeout; f <= dns.Cancelled; f++ {
		failures = append(failures, f.String())
	}
	for _, c := range []struct {
		metric *metric.Metric
		label  string
		want   []string
	}{
		{decisionsTotal, "action", actions},
		{decisionsTotal, "mode", modes},
		{messagesTotal, "fate", fates},
		{messagesTotal, "service", []string{string(policy.MX), string(policy.Submission), string(policy.Reinject)}},
		{stageDuration, "stage", stages},
		{dnsFailures, "failure", failures},
	} {
		var got []string
		for _, v := range c.metric.Label(c.label).Values {
			got = append(got, v.Name)
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s{%s}: documented %q, there are %q", c.metric.Name, c.label, got, c.want)
		}
	}
}

// What begins with its first error shows Prometheus no growth, so every check begins with none.
func TestExpectFailures(t *testing.T) {
	m := NewMetrics("test")
	m.ExpectFailures("rbl")
	families, err := m.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == checkFailures.FullName() && len(f.GetMetric()) == 1 && f.GetMetric()[0].GetCounter().GetValue() == 0 {
			return
		}
	}
	t.Error("no series of check errors for rbl")
}

// TestDeclaredOnce holds that what is declared is one thing, without the prefix that all have.
func TestDeclaredOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, group := range Declared() {
		for _, m := range group.Metrics {
			if seen[m.Name] {
				t.Errorf("%s is declared twice", m.Name)
			}
			seen[m.Name] = true
		}
	}
	for name := range maps.Keys(seen) {
		if strings.HasPrefix(name, "mailweir_") {
			t.Errorf("%s has the prefix that all have", name)
		}
	}
}
