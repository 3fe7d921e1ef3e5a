package main

import (
	"regexp"
	"strings"
	"testing"

	"mailweir/internal/metric"
	"mailweir/internal/metric/declarations"
)

// TestMetricsAreDeclared holds that each metric says what a reader of the reference looks for.
func TestMetricsAreDeclared(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	seen := map[string]bool{}
	for _, group := range declarations.All() {
		for _, m := range group.Metrics {
			if !name.MatchString(m.Name) || seen[m.Name] {
				t.Errorf("%s: not a name, or twice", m.Name)
			}
			seen[m.Name] = true
			if m.Kind == metric.Counter != strings.HasSuffix(m.Name, "_total") {
				t.Errorf("%s: a counter, and no other, ends in _total", m.Name)
			}
			if m.Kind == metric.Histogram != (len(m.Buckets) > 0) {
				t.Errorf("%s: a histogram, and no other, has buckets", m.Name)
			}
			if !strings.HasSuffix(m.Help, ".") || m.Unit == "" || m.Normal == "" || m.Worry == "" {
				t.Errorf("%s lacks help, unit, what is normal or when to worry", m.Name)
			}
			for _, l := range m.Labels {
				if l.Meaning == "" {
					t.Errorf("%s: nobody says what %s means", m.Name, l.Name)
				}
				for _, v := range l.Values {
					if v.Meaning == "" {
						t.Errorf("%s: nobody says what %s=%s means", m.Name, l.Name, v.Name)
					}
				}
			}
		}
	}
	for _, flag := range regexp.MustCompile("`(--[a-z-]+[a-z])").FindAllStringSubmatch(page(), -1) {
		if flag[1] != "--check" && !isFlag(flag[1]) {
			t.Errorf("the page names %s, and there is no such flag", flag[1])
		}
	}
}

// page is docs/reference/metrics.md.
func page() string {
	var out strings.Builder
	writeMetricsPage(&out)
	return out.String()
}

// isFlag reports whether any command has the flag, without those of a metavariable.
func isFlag(flag string) bool {
	var flags strings.Builder
	writeFlagsPage(&flags)
	if strings.Contains(flags.String(), "`"+flag+"=") {
		return true
	}
	for _, cmd := range newRoot("").Commands() {
		if cmd.Flags().Lookup(strings.TrimPrefix(flag, "--")) != nil || cmd.PersistentFlags().Lookup(strings.TrimPrefix(flag, "--")) != nil {
			return true
		}
	}
	return false
}
