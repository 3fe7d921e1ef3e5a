package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// file is what people import.
const file = "mailweir.json"

// TestFileIsCurrent: the file is what the program writes.
func TestFileIsCurrent(t *testing.T) {
	name := filepath.Join(t.TempDir(), file)
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(out); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, name), read(t, file)) {
		t.Errorf("contrib/grafana/%s is stale: make docs", file)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestProvisioning holds what Grafana needs of a file that it finds by itself: an id that stays,
// and a data source that is chosen, in every panel and query (nobody fills in __inputs then).
// Schema holds the fields against Grafana's own types.
func TestProvisioning(t *testing.T) {
	var d dashboard
	decoder := json.NewDecoder(bytes.NewReader(read(t, file)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		t.Fatal(err)
	}
	if d.UID != "mailweir" || d.SchemaVersion < 39 || bytes.Contains(read(t, file), []byte("__inputs")) {
		t.Errorf("uid %q, schema version %d", d.UID, d.SchemaVersion)
	}
	for i, name := range []string{"datasource", "job", "instance"} {
		v := d.Templating.List[i]
		if v.Name != name || (i > 0 && (!v.Multi || !v.IncludeAll || v.AllValue != ".+" || *v.Datasource != source)) {
			t.Errorf("variable %d: %+v", i, v)
		}
	}
	if v := d.Templating.List[0]; v.Type != "datasource" || v.Query != "prometheus" {
		t.Errorf("the data source is %+v", v)
	}
	ids := map[int]bool{}
	for _, p := range flat(d.Panels) {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("%s: id %d is not its own", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Type == "row" {
			continue
		}
		if *p.Datasource != source || len(p.Targets) == 0 || p.Description == "" || p.FieldConfig.Defaults.Unit == "" {
			t.Errorf("%s lacks data source, query, description or unit", p.Title)
		}
		for _, q := range p.Targets {
			if q.Datasource != source || q.LegendFormat == "" {
				t.Errorf("%s: %+v", p.Title, q)
			}
			if n := strings.Count(q.Expr, `job=~"$job",instance=~"$instance"`); n < len(metricNames(q.Expr)) {
				t.Errorf("%s: %s asks for %d metrics, and for what is chosen %d times", p.Title, q.Expr, len(metricNames(q.Expr)), n)
			}
		}
	}
}

func metricNames(expr string) []string {
	return regexp.MustCompile(`\b(?:mailweir|process|go|up)(?:_[a-z_]+)?\{`).FindAllString(expr, -1)
}

// TestPlaces holds that no panel lies on another one, or beyond the edge.
func TestPlaces(t *testing.T) {
	taken := map[[2]int]string{}
	for _, p := range flat(build().Panels) {
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= wide {
					t.Fatalf("%q lies on %q at column %d, line %d", p.Title, other, x, y)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

// TestDescriptions holds that the names of metrics in rows are declared: else they would be shown
// as a sentence.
func TestDescriptions(t *testing.T) {
	for _, p := range flat(build().Panels) {
		if p.Type != "row" && (!strings.HasSuffix(p.Description, ".") || strings.Contains(p.Description, "](")) {
			t.Errorf("%s: %q", p.Title, p.Description)
		}
	}
}

// flat are all panels, those of folded rows too.
func flat(panels []panel) (all []panel) {
	for _, p := range panels {
		all = append(all, p)
		if p.Panels != nil {
			all = slices.Concat(all, *p.Panels)
		}
	}
	return all
}
