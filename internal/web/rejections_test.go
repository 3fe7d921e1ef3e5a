package web

import (
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/web/view"
)

// element is an element of a page with its attributes.
type element struct {
	name string
	attr map[string]string
}

// elementsOf are the elements of a page.
func elementsOf(page string, names ...string) (list []element) {
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return list
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := z.Token()
			if !slices.Contains(names, tag.Data) {
				continue
			}
			e := element{tag.Data, map[string]string{}}
			for _, a := range tag.Attr {
				e.attr[a.Key] = a.Val
			}
			list = append(list, e)
		}
	}
}

// keysOf are the rows of a list.
func keysOf(page string) (keys []string) {
	for _, e := range elementsOf(page, "tr") {
		if key, ok := e.attr["data-key"]; ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// linkNamed is where a link with that rel leads.
func linkNamed(page, rel string) string {
	for _, e := range elementsOf(page, "a") {
		if e.attr["rel"] == rel {
			return e.attr["href"]
		}
	}
	return ""
}

// Every entry is on one page, the newest first, however many there are.
func TestPaging(t *testing.T) {
	var entries []record.Entry
	var want []string
	for i := range 120 {
		id := fmt.Sprintf("mw-%08d", i)
		entries, want = append(entries, refusal(id, "bob@example.org")), append(want, id)
	}
	slices.Reverse(want)
	w := newWorld(t, entries...)
	var got []string
	pages := 0
	for path := "/rejections?to=bob%40example.org"; path != ""; pages++ {
		body := w.page(alice, path)
		if (pages > 0) != (linkNamed(body, "prev") != "") {
			t.Errorf("page %d: newest is %q", pages, linkNamed(body, "prev"))
		}
		got, path = append(got, keysOf(body)...), linkNamed(body, "next")
	}
	if !slices.Equal(got, want) || pages != 3 {
		t.Errorf("%d pages: %v", pages, got)
	}
	if rows, err := csv.NewReader(strings.NewReader(w.page(alice, "/rejections.csv?to=@example.org"))).ReadAll(); err != nil || len(rows) != 121 {
		t.Errorf("the export has %d rows, %v", len(rows), err)
	}
}

// A filter is the same in the URL, in the form, and in the form's URL.
func TestFilterRoundTrip(t *testing.T) {
	want := view.Filter{
		Since: "24h", Until: "2026-11-28", Client: "192.0.2.0/24", Login: "bob", Host: "mx1", Sender: "<>", Recipient: "@example.org", Check: "rbl,greylist", NotCheck: "spam",
		Code: "5xx", Mode: "monitor", Action: "would_refuse", Fate: "accepted", Service: "mx", Direction: "inbound", MessageID: "<a&b@c>", QueueID: "4Q", Session: "s", Text: `x "y' <z>`, Show: "all",
	}
	if v := reflect.ValueOf(want); func() bool {
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.String && f.String() == "" {
				return true
			}
		}
		return false
	}() {
		t.Fatal("a field of the filter is not tried")
	}
	values := filterValues(want)
	if got := readFilter(values); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	body := newWorld(t).page(alice, link(pageRejections, values))
	form := url.Values{}
	selecting := ""
	for _, e := range elementsOf(body, "input", "select", "option") {
		switch {
		case e.name == "select":
			selecting = e.attr["name"]
		case e.name == "option":
			if _, ok := e.attr["selected"]; ok {
				form.Set(selecting, e.attr["value"])
			}
		case e.attr["name"] != "q":
			form.Set(e.attr["name"], e.attr["value"])
		}
	}
	if !maps.EqualFunc(form, values, slices.Equal) {
		t.Errorf("the form has %v\nwant %v", form, values)
	}
	for _, path := range []string{"/rejections.csv", "/rejections.jsonl"} {
		if !strings.Contains(body, html.EscapeString(link(path, values))) {
			t.Errorf("no %s of the same filter", path)
		}
	}
}

func TestQueryOf(t *testing.T) {
	known := []string{"rbl", "spam"}
	for _, tt := range []struct {
		url   string
		want  record.Query
		wrong string
	}{
		{url: "", want: record.Query{Kind: record.Decisions}},
		{url: "show=all", want: record.Query{}},
		{url: "show=messages&fate=lost", want: record.Query{Kind: record.Messages, Fates: []policy.Fate{policy.Lost}}},
		{url: "since=24h", want: record.Query{Kind: record.Decisions, Since: noon.Add(-24 * time.Hour)}},
		{url: "since=2w", want: record.Query{Kind: record.Decisions, Since: noon.Add(-14 * 24 * time.Hour)}},
		{url: "since=2026-11-01&until=2026-11-01", want: record.Query{
			Kind: record.Decisions, Since: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC),
		}},
		{url: "since=2026-11-01T10:00:00%2B01:00", want: record.Query{Kind: record.Decisions, Since: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)}},
		{url: "from=example.org&to=b@example.org", want: record.Query{Kind: record.Decisions, Sender: "@example.org", Recipient: "b@example.org"}},
		{url: "client=192.0.2.7/24", want: record.Query{Kind: record.Decisions, Client: netip.MustParsePrefix("192.0.2.0/24")}},
		{url: "client=::ffff:192.0.2.7", want: record.Query{Kind: record.Decisions, Client: netip.MustParsePrefix("192.0.2.7/32")}},
		{url: "check=rbl,+spam&not=rbl", want: record.Query{Kind: record.Decisions, Checks: []string{"rbl", "spam"}, NotChecks: []string{"rbl"}}},
		{url: "code=5XX&mode=monitor&action=refused", want: record.Query{
			Kind: record.Decisions, Code: "5xx", Modes: []policy.Mode{policy.Monitor}, Actions: []policy.Action{policy.ActionRefused},
		}},
		{url: "since=yesterday", wrong: `Since: "yesterday" is no time: write 24h, 2d or 1w`},
		{url: "client=mx.example", wrong: `Client: "mx.example" is neither an address nor a net such as 192.0.2.0/24`},
		{url: "check=rbl,x", wrong: `Check: there is no check "x"; the checks are rbl, spam`},
		{url: "code=250", wrong: `Reply code: "250" is no code such as 550, and neither 4xx nor 5xx`},
		{url: "code=5x", wrong: `Reply code: "5x" is no code such as 550, and neither 4xx nor 5xx`},
		{url: "show=x", wrong: `Show: "x" is neither messages nor all`},
		{url: "mode=x", wrong: `Mode: "x" is not a mode; use one of off, monitor, defer, enforce`},
		{url: "action=x", wrong: `Action: "x" is none of`},
	} {
		values, err := url.ParseQuery(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		got, wrong := queryOf(readFilter(values), known, noon)
		if tt.wrong != "" {
			if len(wrong) != 1 || !strings.HasPrefix(wrong[0].Label+": "+wrong[0].Why, tt.wrong) {
				t.Errorf("%s: %v, want %s", tt.url, wrong, tt.wrong)
			}
		} else if len(wrong) > 0 || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v %v, want %+v", tt.url, got, wrong, tt.want)
		}
	}
}

// What is wrong with a filter is said, and nothing is searched.
func TestWrongFilter(t *testing.T) {
	w := newWorld(t, refusal("mw-00000001", "bob@example.org"))
	code, body := w.get(alice, "/rejections?since=yesterday")
	if code != http.StatusBadRequest || !strings.Contains(body, "is no time: write") || len(keysOf(body)) > 0 || !strings.Contains(body, `value="yesterday"`) {
		t.Errorf("%d %s", code, body)
	}
}

func TestSearchBox(t *testing.T) {
	w := newWorld(t, refusal("mw-00000001", "bob@example.org", func(e *policy.Event) { e.QueueID = "4ABC" }), message("m1", "bob@example.org"))
	for text, want := range map[string]string{
		"":                              "/rejections",
		"MW-00000001":                   "/decision/mw-00000001",
		"550 5.7.1 no [mw-00000001] (x": "/decision/mw-00000001",
		"192.0.2.1":                     "/rejections?client=192.0.2.1%2F32&show=all",
		"2001:db8::/32":                 "/rejections?client=2001%3Adb8%3A%3A%2F32&show=all",
		"4ABC":                          "/rejections?queue=4ABC&show=all",
		"<m1@example.com>":              "/rejections?mid=%3Cm1%40example.com%3E&show=all",
		"some words":                    "/rejections?show=all&text=some+words",
		"word":                          "/rejections?show=all&text=word",
	} {
		if code, place := w.get(alice, "/search?q="+url.QueryEscape(text)); code != http.StatusSeeOther || place != want {
			t.Errorf("%q: %d %s, want %s", text, code, place, want)
		}
	}
	for _, text := range []string{"bob@example.org", "@example.org"} {
		if body := w.page(alice, "/search?q="+url.QueryEscape(text)); !slices.Equal(keysOf(body), []string{"m1/1", "mw-00000001"}) {
			t.Errorf("%s: %v", text, keysOf(body))
		}
	}
}

func TestFoldIsOpened(t *testing.T) {
	w := newWorld(t, refusal("mw-00000001", "bob@example.org", func(e *policy.Event) {
		e.Dedup = &policy.Dedup{Alike: policy.AlikeDomain, Times: 17, Last: noon.Add(time.Minute), Senders: []string{"a@example.net", "b@example.net"}, SenderCount: 40}
	}))
	for _, path := range []string{"/rejections", "/decision/mw-00000001"} {
		body := w.page(alice, path)
		for _, want := range []string{"×17", "b@example.net"} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %s", path, want)
			}
		}
	}
	if body := w.page(alice, "/rejections"); !strings.Contains(body, "and 20 more") && !strings.Contains(body, "17 alike, the last at 12:01:00") {
		t.Error(body)
	}
}

func TestNoRecord(t *testing.T) {
	w := newWorld(t)
	w.pages.Record = nil
	for _, path := range []string{"/rejections", "/rejections.csv", "/decision/mw-1", "/message/s/1", "/search?q=x"} {
		if code, body := w.get(alice, path); code != http.StatusNotFound || !strings.Contains(body, "--record") {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if body := w.page(alice, "/"); !strings.Contains(body, "--record") {
		t.Error(body)
	}
}
