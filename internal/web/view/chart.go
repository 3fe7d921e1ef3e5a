package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Chart is columns over time, one a bucket, each with a part for every series.
type Chart struct {
	// ID names the chart on its page, Title is its heading, What is counted: "messages".
	ID, Title, What string
	// Begins are the beginnings of the buckets, which are so wide.
	Begins []time.Time
	Width  time.Duration
	Series []Series
}

// Series is one kind of what is counted, a number a bucket.
type Series struct {
	Name   string
	Tone   Tone
	Values []int
}

// Total is the sum of a series.
func (s Series) Total() (n int) {
	for _, v := range s.Values {
		n += v
	}
	return n
}

// Rows is a chart with a row a subject, such as a check.
type Rows struct {
	ID, Title, What string
	Begins          []time.Time
	Width           time.Duration
	// Names are the series, in every row the same.
	Names []string
	Rows  []ChartRow
}

// ChartRow is one subject with its series, and the page that lists what was counted.
type ChartRow struct {
	Name, Href string
	Series     []Series
}

// Total is the sum of all series.
func (r ChartRow) Total() (n int) {
	for _, s := range r.Series {
		n += s.Total()
	}
	return n
}

// Lists is a chart of DNS lists.
type Lists []ListBar

// ListBar is a DNS list with its hits, and those on clients whose mail is known to be good.
type ListBar struct {
	Zone, State                     string
	Queries, Hits, KnownGood, Alone int
}

// The size of a chart in its own units; the page scales it.
const (
	columnWidth = 10
	chartHeight = 100
)

// column is one part of a column: a rectangle.
type column struct {
	x, y, width, height string
	tone                Tone
}

// stack are the parts of the columns of some series, the highest of which is most.
func stack(series []Series, most int) (columns []column) {
	if most == 0 {
		return nil
	}
	for i := range buckets(series) {
		top := 0
		for _, s := range series {
			if s.Values[i] == 0 {
				continue
			}
			top += s.Values[i]
			columns = append(columns, column{
				x: number(float64(i*columnWidth) + 1), width: number(columnWidth - 2), tone: s.Tone,
				y:      number(chartHeight - chartHeight*float64(top)/float64(most)),
				height: number(chartHeight * float64(s.Values[i]) / float64(most)),
			})
		}
	}
	return columns
}

// number writes a length with at most two decimals.
func number(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(f, 'f', 2, 64), "0"), ".")
}

func buckets(series []Series) int {
	if len(series) == 0 {
		return 0
	}
	return len(series[0].Values)
}

// highest is the highest column.
func highest(series []Series) (most int) {
	for i := range buckets(series) {
		most = max(most, inBucket(series, i))
	}
	return most
}

func inBucket(series []Series, i int) (n int) {
	for _, s := range series {
		n += s.Values[i]
	}
	return n
}

// highestRow is the highest column of all rows, so that they can be compared.
func (r Rows) highest() (most int) {
	for _, row := range r.Rows {
		most = max(most, highest(row.Series))
	}
	return most
}

// box is the view box of a chart of so many buckets.
func box(n int) string { return fmt.Sprintf("0 0 %d %d", n*columnWidth, chartHeight) }

// bucketName is how people read the beginning of a bucket.
func bucketName(t time.Time, width time.Duration) string {
	if width >= 24*time.Hour {
		return t.UTC().Format("Mon 2 Jan")
	}
	return t.UTC().Format("15:04")
}

// told is a chart in one sentence, for those who do not see it.
func told(what string, series []Series) string {
	var parts []string
	for _, s := range series {
		parts = append(parts, fmt.Sprintf("%s %d", s.Name, s.Total()))
	}
	return fmt.Sprintf("%s: %s; at most %d in one column", what, strings.Join(parts, ", "), highest(series))
}

// told is a bar in words.
func (l ListBar) told() string {
	return fmt.Sprintf("%s: %d hits, %d of them on mail known to be good", Visible(l.Zone), l.Hits, l.KnownGood)
}

// Precision is the share of hits that were not on mail known to be good, "" without hits.
func (l ListBar) Precision() string {
	if l.Hits == 0 {
		return ""
	}
	return strconv.FormatFloat(100*float64(l.Hits-min(l.KnownGood, l.Hits))/float64(l.Hits), 'f', 1, 64) + " %"
}

func (l Lists) most() (most int) {
	for _, bar := range l {
		most = max(most, bar.Hits)
	}
	return most
}

// parts are the bar of a list: hits on mail known to be good, and the others.
func (l ListBar) parts(most int) (bad, good string) {
	if most == 0 {
		return "0", "0"
	}
	known := min(l.KnownGood, l.Hits)
	return number(100 * float64(l.Hits-known) / float64(most)), number(100 * float64(known) / float64(most))
}

// fill is the class of a tone in a chart.
func fill(t Tone) string { return "fill-" + string(t) }

// names are the names of series.
func names(series []Series) (list []string) {
	for _, s := range series {
		list = append(list, s.Name)
	}
	return list
}
