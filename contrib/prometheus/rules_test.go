// Package prometheus_test shows promtool the alerts that come with mailweir, and holds that each of
// them is tried and documented.
package prometheus_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"mailweir/internal/metric"
	"mailweir/internal/metric/declarations"
	"mailweir/test/testbed"
)

const (
	rulesFile = "mailweir.rules.yml"
	testsFile = "mailweir.test.yml"
	page      = "docs/operate/metrics.md"
)

// rule is an alert.
type rule struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

// tried is a test of promtool.
type tried struct {
	Name   string
	Series []struct{ Series, Values string } `yaml:"input_series"`
	Want   []struct {
		Expr    string
		Samples []struct{ Labels string } `yaml:"exp_samples"`
	} `yaml:"promql_expr_test"`
}

func TestPromtool(t *testing.T) {
	for _, args := range [][]string{{"check", "rules", rulesFile}, {"test", "rules", testsFile}} {
		if out, err := testbed.Promtool(t, "", args...); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// TestRulesSayWhatToDo holds what whoever is woken by an alert needs: how bad it is, what it is,
// and what to do, with a section of the page about it.
func TestRulesSayWhatToDo(t *testing.T) {
	headings := read(t, "../../"+page)
	for _, r := range rules(t) {
		t.Run(r.Alert, func(t *testing.T) {
			if !strings.HasPrefix(r.Alert, "Mailweir") {
				t.Error("it is not called Mailweir…")
			}
			if severity := r.Labels["severity"]; !slices.Contains([]string{"critical", "warning", "info"}, severity) {
				t.Errorf("severity %q", severity)
			}
			if r.Annotations["summary"] == "" || len(r.Annotations["description"]) < 50 {
				t.Errorf("annotations %q", r.Annotations)
			}
			if want := page + "#" + strings.ToLower(r.Alert); !strings.HasSuffix(r.Annotations["description"], want) {
				t.Errorf("the description does not end with %s", want)
			}
			if !strings.Contains(headings, "\n### "+r.Alert+"\n") {
				t.Errorf("%s has no section %s", page, r.Alert)
			}
		})
	}
}

// TestRulesAreTried holds that promtool sees each alert fire, and in the same test stay quiet for
// another series.
func TestRulesAreTried(t *testing.T) {
	var file struct{ Tests []tried }
	parse(t, testsFile, &file)
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, one := range file.Tests {
		instances := map[string]bool{}
		for _, s := range one.Series {
			instances[regexp.MustCompile(`instance="([^"]*)"`).FindString(s.Series)] = true
		}
		for _, want := range one.Want {
			if !strings.Contains(want.Expr, `alertname="`+one.Name+`"`) {
				t.Errorf("the test of %s asks for %s", one.Name, want.Expr)
			}
			fires[one.Name] = fires[one.Name] || len(want.Samples) > 0
			quiet[one.Name] = quiet[one.Name] || len(want.Samples) < len(instances)
		}
	}
	for _, r := range rules(t) {
		if !fires[r.Alert] || !quiet[r.Alert] {
			t.Errorf("%s: seen to fire %t, seen to be quiet %t", r.Alert, fires[r.Alert], quiet[r.Alert])
		}
	}
}

// TestMetricsExist holds that rules ask for what mailweir has.
func TestMetricsExist(t *testing.T) {
	name, suffix := regexp.MustCompile(`mailweir_[a-z_]+`), regexp.MustCompile(`_(bucket|sum|count)$`)
	for _, r := range rules(t) {
		for _, used := range name.FindAllString(r.Expr, -1) {
			if !declared(used) && !declared(suffix.ReplaceAllString(used, "")) {
				t.Errorf("%s asks for %s, which is not declared", r.Alert, used)
			}
		}
	}
}

func declared(name string) bool {
	for _, group := range declarations.All() {
		if slices.ContainsFunc(group.Metrics, func(m *metric.Metric) bool { return m.FullName() == name }) {
			return true
		}
	}
	return false
}

func rules(t *testing.T) []rule {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []rule }
	}
	parse(t, rulesFile, &file)
	if len(file.Groups) != 1 || len(file.Groups[0].Rules) < 10 {
		t.Fatalf("%s has %d groups", rulesFile, len(file.Groups))
	}
	return file.Groups[0].Rules
}

func parse(t *testing.T, name string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, name)), into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
