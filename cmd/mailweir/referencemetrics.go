package main

import (
	"fmt"
	"io"
	"strings"

	"mailweir/internal/metric"
	"mailweir/internal/metric/declarations"
)

// writeMetricsPage says of each metric what it means, and from when on to worry.
func writeMetricsPage(out io.Writer) {
	fmt.Fprint(out, `# Metrics

    curl -s http://127.0.0.1:8425/metrics | grep ^mailweir_        # it wants --http=127.0.0.1:8425

What to alert on, the dashboard and how to count are in [operate/metrics.md](../operate/metrics.md). No label holds an address, a login or anything else that a
client chooses. Counters begin at 0 when mailweir starts.
`)
	for _, group := range declarations.All() {
		fmt.Fprintf(out, "\n## %s\n\n", group.Title)
		if group.About != "" {
			fmt.Fprintf(out, "%s\n\n", group.About)
		}
		fmt.Fprint(out, "| metric | shows |\n| --- | --- |\n")
		for _, m := range group.Metrics {
			fmt.Fprintf(out, "| [%s](#%s) | %s |\n", m.FullName(), m.FullName(), cell(m.Help))
		}
		for _, m := range group.Metrics {
			writeMetric(out, m)
		}
	}
	fmt.Fprint(out, processMetrics)
}

func writeMetric(out io.Writer, m *metric.Metric) {
	fmt.Fprintf(out, "\n### %s\n\n%s\n\n", m.FullName(), m.Help)
	fmt.Fprintf(out, "- Type: %s, in %s", m.Kind, m.Unit)
	if len(m.Buckets) > 0 {
		bounds := make([]string, len(m.Buckets))
		for i, b := range m.Buckets {
			bounds[i] = fmt.Sprint(b)
		}
		fmt.Fprintf(out, "; buckets up to %s", strings.Join(bounds, ", "))
	}
	fmt.Fprintf(out, "\n- Normal: %s\n- Worry: %s\n", m.Normal, m.Worry)
	if m.When != "" {
		fmt.Fprintf(out, "- There: %s\n", m.When)
	}
	for _, l := range m.Labels {
		fmt.Fprintf(out, "- Label `%s`: %s", l.Name, l.Meaning)
		for i, v := range l.Values {
			lead := "; "
			if i == 0 {
				lead = ": "
			}
			fmt.Fprintf(out, "%s`%s` (%s)", lead, v.Name, v.Meaning)
		}
		fmt.Fprintln(out)
	}
}

// processMetrics are those that come with Prometheus's library and are worth a look.
const processMetrics = `
## The process

Those of every program in Go. The ones to look at:

| metric | shows | worry |
| --- | --- | --- |
| process_open_fds, process_max_fds | files and connections that are open, and how many may be | over 80 %: at the limit no mail server gets a connection. LimitNOFILE= of the unit |
| process_resident_memory_bytes | memory | it grows day by day |
| process_cpu_seconds_total | time on processors | one processor or more for minutes |
| process_start_time_seconds | when it began | it changes without you: see the log of systemd |
| go_goroutines | what is being done at once | it grows day by day |
`
