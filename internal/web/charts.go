package web

import (
	"cmp"
	"net/url"
	"slices"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/web/view"
	"mailweir/rbl"
)

// span is what a chart shows.
type span struct {
	id, name string
	width    time.Duration
	buckets  int
}

// spans are a day by hours, and a month by days.
func spans() []span {
	return []span{{"day", "24 hours", time.Hour, 24}, {"month", "30 days", 24 * time.Hour, 30}}
}

// bounds are the beginning of the first bucket and the end of the last, which holds now.
func (s span) bounds(now time.Time) (since, until time.Time) {
	until = now.UTC().Truncate(s.width).Add(s.width)
	return until.Add(-time.Duration(s.buckets) * s.width), until
}

// begins are the beginnings of the buckets.
func (s span) begins(since time.Time) []time.Time {
	list := make([]time.Time, s.buckets)
	for i := range list {
		list[i] = since.Add(time.Duration(i) * s.width)
	}
	return list
}

// bucket is the index of the bucket that a time is in, -1 for none.
func (s span) bucket(since, t time.Time) int {
	if i := int(t.Sub(since) / s.width); !t.Before(since) && i < s.buckets {
		return i
	}
	return -1
}

// series makes empty series.
func (s span) series(kinds ...view.Series) []view.Series {
	for i := range kinds {
		kinds[i].Values = make([]int, s.buckets)
	}
	return kinds
}

// messagesChart counts messages by what became of them.
func messagesChart(s span, since time.Time, counts []record.Count) view.Chart {
	c := view.Chart{ID: "messages-" + s.id, Title: "Messages, " + s.name, What: "messages", Begins: s.begins(since), Width: s.width}
	c.Series = s.series(view.Series{Name: "accepted", Tone: view.Good}, view.Series{Name: "deferred", Tone: view.Warn}, view.Series{Name: "refused", Tone: view.Bad})
	for _, n := range counts {
		i, of := s.bucket(since, n.Time), -1
		switch n.Fate {
		case policy.Accepted:
			of = 0
		case policy.Deferred:
			of = 1
		case policy.Refused, policy.RefusedByMTA, policy.Removed:
			of = 2
		}
		if n.Kind == record.Messages && i >= 0 && of >= 0 {
			c.Series[of].Values[i] += n.N
		}
	}
	return c
}

// mostChecks bounds the rows of a chart.
const mostChecks = 12

// checksChart counts decisions by check, those with most first.
func checksChart(s span, since time.Time, counts []record.Count) view.Rows {
	c := view.Rows{
		ID: "checks-" + s.id, Title: "Decisions by check, " + s.name, What: "decisions", Begins: s.begins(since), Width: s.width,
		Names: []string{"refused", "deferred", "would have been", "check errors"},
	}
	rows := map[string][]view.Series{}
	for _, n := range counts {
		i, of := s.bucket(since, n.Time), decisionSeries(n)
		if n.Kind != record.Decisions || i < 0 || of < 0 {
			continue
		}
		if rows[n.Check] == nil {
			rows[n.Check] = s.series(view.Series{Name: c.Names[0], Tone: view.Bad}, view.Series{Name: c.Names[1], Tone: view.Warn},
				view.Series{Name: c.Names[2], Tone: view.Would}, view.Series{Name: c.Names[3], Tone: view.Plain})
		}
		rows[n.Check][of].Values[i] += n.N
	}
	for check, series := range rows {
		href := "/rejections?" + url.Values{"check": {check}, "since": {since.Format(time.RFC3339)}}.Encode()
		c.Rows = append(c.Rows, view.ChartRow{Name: check, Href: href, Series: series})
	}
	slices.SortFunc(c.Rows, func(a, b view.ChartRow) int {
		return cmp.Or(cmp.Compare(b.Total(), a.Total()), cmp.Compare(a.Name, b.Name))
	})
	c.Rows = c.Rows[:min(len(c.Rows), mostChecks)]
	return c
}

// decisionSeries is the series of [checksChart] that a count belongs to, -1 for none.
func decisionSeries(n record.Count) int {
	switch n.Action {
	case policy.ActionRefused, policy.ActionRemoved:
		return 0
	case policy.ActionDeferred:
		return 1
	case policy.ActionWould, policy.ActionWouldChange:
		return 2
	case policy.ActionError:
		return 3
	}
	return -1
}

// tiles are the sums of a day.
func tiles(messages view.Chart, checks []view.Series) []view.Tile {
	link := func(text string, query url.Values) view.Link {
		query.Set("since", "24h")
		return view.Link{Href: "/rejections?" + query.Encode(), Text: text}
	}
	return []view.Tile{
		{N: messages.Series[0].Total(), Link: link("messages accepted", url.Values{"show": {"messages"}, "fate": {"accepted"}})},
		{N: checks[0].Total(), Link: link("refused", url.Values{"action": {"refused"}})},
		{N: checks[1].Total(), Link: link("deferred", url.Values{"action": {"deferred"}})},
		{N: checks[2].Total(), Link: link("would have been refused", url.Values{"mode": {"monitor"}})},
		{N: checks[3].Total(), Link: link("check errors", url.Values{"action": {"check_error"}})},
	}
}

// decisionSums are the series of all checks together.
func decisionSums(counts []record.Count) []view.Series {
	sums := make([]view.Series, 4)
	for i := range sums {
		sums[i].Values = []int{0}
	}
	for _, n := range counts {
		if of := decisionSeries(n); n.Kind == record.Decisions && of >= 0 {
			sums[of].Values[0] += n.N
		}
	}
	return sums
}

// listBars are the DNS lists, those with most hits first.
func listBars(lists []rbl.ListStatus) (bars view.Lists) {
	for _, l := range lists {
		state := "asked"
		if !l.Asked {
			state = "suspended: " + l.Why
		}
		bars = append(bars, view.ListBar{
			Zone: l.Zone, State: state, Queries: int(l.Queries), Hits: int(l.Hits), KnownGood: int(l.KnownGood), Alone: int(l.Alone),
		})
	}
	slices.SortStableFunc(bars, func(a, b view.ListBar) int { return cmp.Compare(b.Hits, a.Hits) })
	return bars
}
