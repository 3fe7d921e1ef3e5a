package main

// What Grafana calls a dashboard, as far as this one needs it: schemaVersion 39, which Grafana 10.3
// and later read
// (https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/).
// Every field is written, so that a test can hold that the file has no others.

type dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"`
	Time          timeRange   `json:"time"`
	Refresh       string      `json:"refresh"`
	SchemaVersion int         `json:"schemaVersion"`
	Templating    templating  `json:"templating"`
	Annotations   annotations `json:"annotations"`
	Panels        []panel     `json:"panels"`
}

type annotations struct {
	List []struct{} `json:"list"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type templating struct {
	List []variable `json:"list"`
}

// variable is what can be chosen at the top. Query is a text for the data source, and a query for
// all others.
type variable struct {
	Name       string     `json:"name"`
	Label      string     `json:"label"`
	Type       string     `json:"type"`
	Query      any        `json:"query"`
	Datasource *reference `json:"datasource,omitempty"`
	Refresh    int        `json:"refresh"`
	Sort       int        `json:"sort"`
	Multi      bool       `json:"multi"`
	IncludeAll bool       `json:"includeAll"`
	AllValue   string     `json:"allValue,omitempty"`
	Current    *current   `json:"current,omitempty"`
}

type current struct {
	Text  []string `json:"text"`
	Value []string `json:"value"`
}

type variableQuery struct {
	Query string `json:"query"`
	RefID string `json:"refId"`
}

type reference struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// panel is a chart, a figure, or the title of a row, which has nothing behind its grid position.
type panel struct {
	ID          int          `json:"id"`
	Type        string       `json:"type"`
	Title       string       `json:"title"`
	Description string       `json:"description,omitempty"`
	GridPos     grid         `json:"gridPos"`
	Collapsed   *bool        `json:"collapsed,omitempty"`
	Panels      *[]panel     `json:"panels,omitempty"` // of a row that is folded, else none
	Datasource  *reference   `json:"datasource,omitempty"`
	Targets     []target     `json:"targets,omitempty"`
	FieldConfig *fieldConfig `json:"fieldConfig,omitempty"`
	Options     any          `json:"options,omitempty"`
}

type grid struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

type target struct {
	RefID        string    `json:"refId"`
	Datasource   reference `json:"datasource"`
	Expr         string    `json:"expr"`
	LegendFormat string    `json:"legendFormat"`
	Instant      bool      `json:"instant"`
	Range        bool      `json:"range"`
}

type fieldConfig struct {
	Defaults  defaults   `json:"defaults"`
	Overrides []struct{} `json:"overrides"`
}

type defaults struct {
	Unit       string     `json:"unit"`
	Min        *float64   `json:"min,omitempty"`
	Decimals   *float64   `json:"decimals,omitempty"`
	Thresholds thresholds `json:"thresholds"`
	Color      color      `json:"color"`
	Mappings   []mapping  `json:"mappings,omitempty"`
	Custom     *custom    `json:"custom,omitempty"`
}

type color struct {
	Mode string `json:"mode"`
}

type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

// step is a colour from a value on; the first has none.
type step struct {
	Value *float64 `json:"value"`
	Color string   `json:"color"`
}

// mapping shows words in the place of values.
type mapping struct {
	Type    string            `json:"type"`
	Options map[string]result `json:"options"`
}

type result struct {
	Text  string `json:"text"`
	Color string `json:"color"`
}

// custom is how a chart over time is drawn.
type custom struct {
	DrawStyle       string         `json:"drawStyle"`
	FillOpacity     float64        `json:"fillOpacity"`
	LineWidth       float64        `json:"lineWidth"`
	ShowPoints      string         `json:"showPoints"`
	Stacking        stacking       `json:"stacking"`
	ThresholdsStyle thresholdStyle `json:"thresholdsStyle"`
}

type stacking struct {
	Mode  string `json:"mode"`
	Group string `json:"group"`
}

type thresholdStyle struct {
	Mode string `json:"mode"`
}

type chartOptions struct {
	Legend  legend  `json:"legend"`
	Tooltip tooltip `json:"tooltip"`
}

type legend struct {
	DisplayMode string   `json:"displayMode"`
	Placement   string   `json:"placement"`
	ShowLegend  bool     `json:"showLegend"`
	Calcs       []string `json:"calcs"`
}

type tooltip struct {
	Mode string `json:"mode"`
	Sort string `json:"sort"`
}

type figureOptions struct {
	ReduceOptions          reduce `json:"reduceOptions"`
	Orientation            string `json:"orientation"`
	TextMode               string `json:"textMode"`
	ColorMode              string `json:"colorMode"`
	GraphMode              string `json:"graphMode"`
	JustifyMode            string `json:"justifyMode"`
	WideLayout             bool   `json:"wideLayout"`
	ShowPercentChange      bool   `json:"showPercentChange"`
	PercentChangeColorMode string `json:"percentChangeColorMode"`
}

type reduce struct {
	Calcs  []string `json:"calcs"`
	Values bool     `json:"values"`
	Fields string   `json:"fields"`
}
