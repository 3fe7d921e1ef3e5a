package metrics

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mailweir/internal/metric"
	"mailweir/internal/metric/declarations"
	"mailweir/test/testbed"
)

const contrib = "../../contrib"

// TestMetrics starts everything once.
func TestMetrics(t *testing.T) {
	b := newBed(t)
	report := b.command("would", "--since=24h", "--json") // has the daemon write what it has taken
	rules, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	p := testbed.StartPrometheus(t, rules+"/"+contrib+"/prometheus/mailweir.rules.yml", map[string]string{"mailweir": b.mailweir.HTTP, "mailweir-auth": b.auth.HTTP})
	t.Run("would be", func(t *testing.T) { wouldBe(t, p, report) })
	t.Run("names", func(t *testing.T) { names(t, b) })
	t.Run("promtool", func(t *testing.T) {
		for of, text := range b.pages(t) {
			if out, err := testbed.Promtool(t, text, "check", "metrics"); err != nil || out != "" {
				t.Errorf("%s: %v\n%s", of, err, out)
			}
		}
	})
	t.Run("dashboard", func(t *testing.T) {
		for _, expr := range dashboard(t) {
			wantSeries(t, p, expr)
		}
	})
	t.Run("documentation", func(t *testing.T) {
		for _, expr := range documented(t) {
			if strings.Contains(expr, "offset 1d") { // this Prometheus has no yesterday
				if _, err := p.Query(expr); err != nil {
					t.Error(err)
				}
				continue
			}
			wantSeries(t, p, expr)
		}
	})
	t.Run("rules", func(t *testing.T) { evaluated(t, p) })
}

// pages are what both expose now.
func (b *bed) pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for of, m := range map[string]*testbed.Mailweir{"mailweir": b.mailweir, "mailweir auth": b.auth.Mailweir} {
		text, err := m.Get("/metrics")
		if err != nil {
			t.Fatal(err)
		}
		found[of] = string(text)
	}
	return found
}

// wantSeries waits until an expression has a series.
func wantSeries(t *testing.T, p *testbed.Prometheus, expr string) {
	t.Helper()
	err := testbed.Until(func() error {
		found, err := p.Query(expr)
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("%s has no series", expr)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// wouldBe waits for what was weighed, which is what the command says.
func wouldBe(t *testing.T, p *testbed.Prometheus, report string) {
	t.Helper()
	type tally struct{ N int }
	var said struct {
		Checks []struct {
			Name    string `json:"check"`
			Good    tally  `json:"likely_good"`
			KeptOut tally  `json:"kept_out"`
			Unknown tally  `json:"not_known"`
		}
	}
	if err := json.Unmarshal([]byte(report), &said); err != nil {
		t.Fatalf("%v\n%s", err, report)
	}
	var want []string
	for _, c := range said.Checks {
		want = append(want, fmt.Sprintf("%s: %d, %d, %d", c.Name, c.Good.N, c.KeptOut.N, c.Unknown.N))
	}
	if len(want) == 0 || said.Checks[0].Good.N == 0 {
		t.Fatalf("nothing would have been refused that is good: %q", want)
	}
	count := func(check, judgement string) (int, error) {
		found, err := p.Query(fmt.Sprintf("mailweir_would_refusals{check=%q,judgement=%q}", check, judgement))
		if err != nil || len(found) != 1 {
			return 0, fmt.Errorf("%d series of %s, %s: %w", len(found), check, judgement, err)
		}
		return strconv.Atoi(found[0].Value[1].(string))
	}
	err := testbed.Until(func() error {
		var got []string
		for _, c := range said.Checks {
			good, err := count(c.Name, "likely_good")
			if err != nil {
				return err
			}
			kept, _ := count(c.Name, "kept_out")   // it is there, too
			other, _ := count(c.Name, "not_known") // and this
			got = append(got, fmt.Sprintf("%s: %d, %d, %d", c.Name, good, kept, other))
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("/metrics has %q, the command %q", got, want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// unseen is what is declared, and does not happen here.
var unseen = []string{"mailweir_backend_suspended"}

var (
	described = regexp.MustCompile(`(?m)^# HELP (mailweir_\S+) (.*)\n# TYPE \S+ (.*)$`)
	samples   = regexp.MustCompile(`(?m)^(mailweir_[a-z_]+)\{(.*)\} `)
	labels    = regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\.)*)"`)
	parts     = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// names holds that what is exposed is declared, with its type, help and values of labels, and that
// what is declared is exposed, once it has been written and weighed.
func names(t *testing.T, b *bed) {
	declared := map[string]*metric.Metric{}
	for _, group := range declarations.All() {
		for _, m := range group.Metrics {
			declared[m.FullName()] = m
		}
	}
	seen := map[string]bool{}
	err := testbed.Until(func() error {
		for _, text := range b.pages(t) {
			for _, found := range described.FindAllStringSubmatch(text, -1) {
				seen[found[1]] = true
			}
		}
		for name := range declared {
			if !seen[name] && !slices.Contains(unseen, name) {
				return fmt.Errorf("%s is declared, and not exposed with everything on", name)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, name := range unseen {
		if m := declared[name]; m == nil || seen[name] || m.When == "" {
			t.Errorf("%s: it is exposed after all, or nothing says when it is", name)
		}
	}
	for of, text := range b.pages(t) {
		for _, found := range described.FindAllStringSubmatch(text, -1) {
			if m := declared[found[1]]; m == nil || m.Help != found[2] || string(m.Kind) != found[3] {
				t.Errorf("%s exposes %s, a %s (%s), which is not declared so", of, found[1], found[3], found[2])
			}
		}
		for _, sample := range samples.FindAllStringSubmatch(text, -1) {
			m := declared[sample[1]]
			if m == nil {
				m = declared[parts.ReplaceAllString(sample[1], "")]
			}
			for _, label := range labels.FindAllStringSubmatch(sample[2], -1) {
				checkLabel(t, of, m, label[1], label[2])
			}
		}
	}
}

// checkLabel holds a label against what is declared.
func checkLabel(t *testing.T, of string, m *metric.Metric, name, value string) {
	t.Helper()
	if m == nil || name == "le" && m.Kind == metric.Histogram {
		return // the first has been said
	}
	l := m.Label(name)
	if l == nil || len(l.Values) > 0 && !slices.ContainsFunc(l.Values, func(v metric.Value) bool { return v.Name == value }) {
		t.Errorf("%s: %s{%s=%q} is not declared", of, m.FullName(), name, value)
	}
}

// dashboard are the expressions of every panel, for all jobs and instances.
func dashboard(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(contrib + "/grafana/mailweir.json")
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("$__rate_interval", "5m", "$job", ".+", "$instance", ".+")
	var found []string
	for _, m := range regexp.MustCompile(`(?m)^ *"expr": (".*"),$`).FindAllSubmatch(data, -1) {
		expr, err := strconv.Unquote(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, fill.Replace(expr))
	}
	if len(found) < 40 {
		t.Fatalf("only %d expressions found", len(found))
	}
	return found
}

// documented are the expressions of the page, those behind a comment.
func documented(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile("../../docs/operate/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(data), "\n## How do I count?\n")
	var found []string
	for _, m := range regexp.MustCompile(`(?m)^    # .*\n    (.*)$`).FindAllStringSubmatch(section, -1) {
		found = append(found, m[1])
	}
	if len(found) < 10 {
		t.Fatalf("only %d expressions found", len(found))
	}
	return found
}

// evaluated holds that Prometheus can evaluate every alert, and that none fires where all is well.
func evaluated(t *testing.T, p *testbed.Prometheus) {
	t.Helper()
	err := testbed.Until(func() error {
		var answer struct {
			Data struct {
				Groups []struct {
					Rules []struct {
						Name, Health, State, LastError string
						Labels                         map[string]string
					}
				}
			}
		}
		if err := p.Get("/api/v1/rules", &answer); err != nil {
			return err
		}
		known := 0
		for _, group := range answer.Data.Groups {
			for _, r := range group.Rules {
				known++
				if r.Health != "ok" {
					return fmt.Errorf("%s: %s %s", r.Name, r.Health, r.LastError)
				}
				if r.State != "inactive" && r.Labels["severity"] == "critical" {
					t.Errorf("%s is %s", r.Name, r.State)
				}
			}
		}
		if known < 20 {
			return fmt.Errorf("there are %d rules", known)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
