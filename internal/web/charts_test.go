package web

import (
	"context"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/web/view"
	"mailweir/rbl"
)

var update = flag.Bool("update", false, "write the golden files")

// counts are some of a rollup.
func counts() []record.Count {
	at := noon.Add(-3 * time.Hour)
	return []record.Count{
		{Time: at, Kind: record.Messages, Fate: policy.Accepted, N: 30},
		{Time: at.Add(time.Hour), Kind: record.Messages, Fate: policy.Accepted, N: 60},
		{Time: at.Add(time.Hour), Kind: record.Messages, Fate: policy.Refused, N: 15},
		{Time: at.Add(time.Hour), Kind: record.Messages, Fate: policy.Deferred, N: 5},
		{Time: at.Add(time.Hour), Kind: record.Messages, Fate: policy.Lost, N: 1000},
		{Time: at, Kind: record.Decisions, Check: "rbl", Action: policy.ActionRefused, Mode: policy.Enforce, N: 10},
		{Time: at.Add(2 * time.Hour), Kind: record.Decisions, Check: "rbl", Action: policy.ActionError, Mode: policy.Enforce, N: 2},
		{Time: at, Kind: record.Decisions, Check: "greylist", Action: policy.ActionDeferred, Mode: policy.Enforce, N: 20},
		{Time: at, Kind: record.Decisions, Check: "greylist", Action: policy.ActionWould, Mode: policy.Monitor, N: 5},
		{Time: at, Kind: record.Decisions, Check: "spam", Action: policy.ActionChanged, Mode: policy.Enforce, N: 500},
		{Time: noon.Add(-100 * 24 * time.Hour), Kind: record.Decisions, Check: "rbl", Action: policy.ActionRefused, N: 10_000}, // before the chart
		{Time: noon.Add(time.Hour), Kind: record.Decisions, Check: "rbl", Action: policy.ActionRefused, N: 10_000},             // behind it
	}
}

func TestChartsGolden(t *testing.T) {
	day := spans()[0]
	since, until := day.bounds(noon.Add(30 * time.Minute))
	if !until.Equal(noon.Add(time.Hour)) || until.Sub(since) != 24*time.Hour {
		t.Fatalf("from %s to %s", since, until)
	}
	lists := listBars([]rbl.ListStatus{
		{Zone: "wl.example", Asked: true, Queries: 10}, {Zone: "bl.example", Asked: true, Queries: 100, Hits: 40, KnownGood: 10, Alone: 3}, {Zone: "dead.example", Why: "it does not answer", Hits: 4},
	})
	for name, c := range map[string]interface {
		Render(ctx context.Context, w io.Writer) error
	}{
		"messages": view.ChartSection(messagesChart(day, since, counts())), "checks": view.RowsSection(checksChart(day, since, counts())), "lists": view.ListsSection(lists),
		"empty": view.RowsSection(checksChart(day, since, nil)),
	} {
		var b strings.Builder
		if err := c.Render(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		got := strings.ReplaceAll(b.String(), "><", ">\n<") + "\n"
		file := filepath.Join("testdata", name+".html")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is another one; go test ./internal/web -run Golden -update shows it\n%s", file, got)
		}
	}
}

func TestOverview(t *testing.T) {
	w := newWorld(t, refusal("mw-00000001", "bob@example.org"), message("m1", "bob@example.org"), message("m2", "bob@example.org"))
	body := w.page(alice, "/")
	for _, want := range []string{"<strong>2</strong> messages accepted", "<strong>1</strong> refused", "<strong>0</strong> check errors", `aria-label="messages: accepted 2, deferred 0, refused 0; at most 2 in one column"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	// Sums are of everybody's mail.
	if body := w.page(dora, "/"); strings.Contains(body, "messages accepted") || strings.Contains(body, "<svg") {
		t.Error("who sees one domain sees the sums of all")
	}
}
