package main

import (
	"regexp"
	"strings"

	"mailweir/internal/metric"
	"mailweir/internal/metric/declarations"
)

// wide is how many columns a dashboard has.
const wide = 24

var source = reference{Type: "prometheus", UID: "${datasource}"}

// row is what answers one question.
type row struct {
	title  string
	folded bool // shown when it is clicked
	panels []*shown
}

// shown is a panel before it has its place.
type shown struct {
	panel
	wide, high int
}

// build lays the rows out, one below the other.
func build() *dashboard {
	d := &dashboard{
		UID: "mailweir", Title: "mailweir", Tags: []string{"mail", "mailweir"}, Editable: true, GraphTooltip: 1,
		Description: "Is mail flowing, what is refused, and what would be? From mailweir's /metrics (docs/operate/metrics.md).",
		Time:        timeRange{From: "now-24h", To: "now"}, Refresh: "1m", SchemaVersion: 39,
		Templating: templating{List: variables()}, Annotations: annotations{List: []struct{}{}},
	}
	id, y := 0, 0
	number := func() int { id++; return id }
	for _, r := range rows() {
		folded := r.folded
		title := panel{ID: number(), Type: "row", Title: r.title, GridPos: grid{H: 1, W: wide, Y: y}, Collapsed: &folded}
		y++
		panels := []panel{}
		x, high := 0, 0
		for _, s := range r.panels {
			if x+s.wide > wide {
				x, y, high = 0, y+high, 0
			}
			s.ID, s.GridPos = number(), grid{H: s.high, W: s.wide, X: x, Y: y}
			panels = append(panels, s.panel)
			x, high = x+s.wide, max(high, s.high)
		}
		y += high
		title.Panels = &[]panel{}
		if r.folded {
			*title.Panels, panels = panels, nil
		}
		d.Panels = append(append(d.Panels, title), panels...)
	}
	return d
}

// variables are the data source, and which mailweir is shown.
func variables() []variable {
	all := &current{Text: []string{"All"}, Value: []string{"$__all"}}
	choose := func(name, label, query string) variable {
		return variable{
			Name: name, Label: label, Type: "query", Query: variableQuery{Query: query, RefID: name}, Datasource: &source,
			Refresh: 2, Sort: 1, Multi: true, IncludeAll: true, AllValue: ".+", Current: all,
		}
	}
	return []variable{
		{Name: "datasource", Label: "Data source", Type: "datasource", Query: "prometheus", Refresh: 1},
		choose("job", "Job", "label_values(mailweir_build_info, job)"),
		choose("instance", "Instance", `label_values(mailweir_build_info{job=~"$job"}, instance)`),
	}
}

// selected stands in an expression for what is chosen at the top: {@} or {@,check="rbl"}.
const selected = `job=~"$job",instance=~"$instance"`

// query is an expression and what its series are called.
type query struct{ expr, legend string }

// look is how a panel shows its values.
type look struct {
	unit  string // as Grafana calls it
	steps []step
	words map[string]result
	bars  bool // stacked bars
}

// chart is a panel over time. Its text is that of the metrics that it names.
func chart(title string, width int, about string, l look, queries ...query) *shown {
	c := &custom{DrawStyle: "line", FillOpacity: 10, LineWidth: 1, ShowPoints: "never", Stacking: stacking{Mode: "none", Group: "A"}, ThresholdsStyle: thresholdStyle{Mode: "off"}}
	if l.bars {
		c.DrawStyle, c.FillOpacity, c.Stacking.Mode = "bars", 80, "normal"
	}
	if len(l.steps) > 0 {
		c.ThresholdsStyle.Mode = "dashed"
	}
	p := newPanel("timeseries", title, about, l, queries)
	p.FieldConfig.Defaults.Custom, p.FieldConfig.Defaults.Color = c, color{Mode: "palette-classic"}
	p.Options = chartOptions{Legend: legend{DisplayMode: "list", Placement: "bottom", ShowLegend: true, Calcs: []string{}}, Tooltip: tooltip{Mode: "multi", Sort: "desc"}}
	return &shown{p, width, 8}
}

// figure is a panel of the last value, for each series one.
func figure(title string, width int, about string, l look, queries ...query) *shown {
	p := newPanel("stat", title, about, l, queries)
	p.FieldConfig.Defaults.Color = color{Mode: "thresholds"}
	p.Options = figureOptions{
		ReduceOptions: reduce{Calcs: []string{"lastNotNull"}}, Orientation: "auto", TextMode: "auto", ColorMode: "value", GraphMode: "area",
		JustifyMode: "auto", WideLayout: true, PercentChangeColorMode: "standard",
	}
	return &shown{p, width, 4}
}

func newPanel(kind, title, about string, l look, queries []query) panel {
	zero := 0.0
	steps := append([]step{{Color: "green"}}, l.steps...)
	p := panel{Type: kind, Title: title, Description: describe(about), Datasource: &source, FieldConfig: &fieldConfig{
		Defaults: defaults{Unit: l.unit, Min: &zero, Thresholds: thresholds{Mode: "absolute", Steps: steps}}, Overrides: []struct{}{},
	}}
	if l.words != nil {
		p.FieldConfig.Defaults.Mappings = []mapping{{Type: "value", Options: l.words}}
	}
	for i, q := range queries {
		p.Targets = append(p.Targets, target{
			RefID: string(rune('A' + i)), Datasource: source, Expr: strings.ReplaceAll(q.expr, "@", selected), LegendFormat: q.legend, Range: true,
		})
	}
	return p
}

var pageLink = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)

// describe is the text of a panel: what the metrics of these names show, what is normal, and when
// to worry. A sentence stands for itself.
func describe(about string) string {
	var parts []string
	for _, name := range strings.Fields(about) {
		m := declared(name)
		if m == nil {
			return about
		}
		parts = append(parts, m.Help+"\n\nNormal: "+m.Normal+".\n\nWorry: "+m.Worry+".")
	}
	return pageLink.ReplaceAllString(strings.Join(parts, "\n\n"), "$1")
}

// declared is the metric of that name, nil where there is none.
func declared(name string) *metric.Metric {
	for _, group := range declarations.All() {
		for _, m := range group.Metrics {
			if m.Name == name {
				return m
			}
		}
	}
	return nil
}

// from is a colour from a value on.
func from(value float64, name string) step { return step{Value: &value, Color: name} }

// yesNo shows 1 and 0 as words.
func yesNo(one, zero string) look {
	return look{unit: "none", steps: []step{from(0, "red"), from(1, "green")}, words: map[string]result{"1": {one, "green"}, "0": {zero, "red"}}}
}
