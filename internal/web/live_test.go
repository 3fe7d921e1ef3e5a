package web

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/web/view"
)

// follow opens the live rows of a filter and returns what reads the next row.
func (w *world) follow(v policy.Person, path string) (next func() (event string, row view.Live)) {
	w.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) { w.pages.live(out, r, v) }))
	w.t.Cleanup(server.Close)
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, server.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = response.Body.Close() })
	if kind := response.Header.Get("Content-Type"); kind != "text/event-stream" {
		w.t.Fatalf("%s: %s", response.Status, kind)
	}
	lines := bufio.NewScanner(response.Body)
	if !lines.Scan() || lines.Text() != "retry: 5000" {
		w.t.Fatalf("it begins with %q", lines.Text())
	}
	return func() (event string, row view.Live) {
		for lines.Scan() {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				event = name
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if event == "row" {
					if err := json.Unmarshal([]byte(data), &row); err != nil {
						w.t.Fatal(err)
					}
				}
				return event, row
			}
		}
		w.t.Fatalf("nothing comes: %v", lines.Err())
		return "", row
	}
}

// record has a sink that the pages look on at.
func (w *world) sink() *record.Sink {
	w.t.Helper()
	log := logrus.New()
	log.SetOutput(io.Discard)
	sink := record.NewSink(w.store, record.SinkOptions{Log: log, Clock: w.pages.Clock, Subjects: true})
	w.t.Cleanup(func() { _ = sink.Close() })
	w.pages.Watch = sink.Watch
	return sink
}

// A row that is written is sent, where the filter wants it and the visitor may see it.
func TestLive(t *testing.T) {
	w := newWorld(t)
	sink := w.sink()
	all, some, domain := w.follow(alice, "/rejections/live"), w.follow(audra, "/rejections/live?check=spam"), w.follow(dora, "/rejections/live")
	for _, e := range []record.Entry{
		refusal("mw-00000001", "zoe@elsewhere.example"),
		refusal("mw-00000002", "carol@example.org", func(e *policy.Event) { e.Check, e.Subject = "spam", "a\u202eb\r\n" }),
	} {
		sink.Event(e.Event)
	}
	if err := sink.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"mw-00000001", "mw-00000002"} {
		if event, row := all(); event != "row" || row.Key != want {
			t.Errorf("%s %+v, want %s", event, row, want)
		}
	}
	for name, next := range map[string]func() (string, view.Live){"a filter": some, "a domain": domain} {
		if event, row := next(); event != "row" || row.Key != "mw-00000002" || row.To != "carol@example.org" || row.Subject != `a\u202eb\r\n` {
			t.Errorf("%s: %s %+v", name, event, row)
		}
	}
}

func TestLiveIsOffered(t *testing.T) {
	w := newWorld(t)
	if body := w.page(alice, "/rejections"); strings.Contains(body, "data-live") {
		t.Error("offered where nobody can look on")
	}
	w.sink()
	for path, want := range map[string]bool{"/rejections": true, "/rejections?check=spam": true, "/rejections?before=5": false, "/rejections?until=1h": false} {
		if body := w.page(alice, path); strings.Contains(body, "data-live") != want || strings.Contains(body, "<template") != want {
			t.Errorf("%s: offered %t, want %t", path, !want, want)
		}
	}
	if code, _ := w.get(alice, "/rejections/live?since=x"); code != http.StatusBadRequest {
		t.Errorf("a wrong filter: %d", code)
	}
}
