package why_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"mailweir/internal/record"
)

var update = flag.Bool("update", false, "write the golden files")

// memory is a record that is kept in memory, in the order of time.
type memory struct {
	record.Reader
	entries []record.Entry
	asked   int
	leftOut []record.Day
}

func (m *memory) Search(_ context.Context, q record.Query) (record.Page, error) {
	m.asked++
	q = q.Normal()
	var page record.Page
	for i, e := range m.entries {
		e.Position = record.Position(i + 1)
		if q.Match(e) && (q.After == 0 || e.Position > q.After) && (q.Before == 0 || e.Position < q.Before) {
			page.Entries = append(page.Entries, e)
		}
	}
	if !q.Forward {
		slices.Reverse(page.Entries)
	}
	if len(page.Entries) > q.Limit {
		page.Entries, page.More = page.Entries[:q.Limit], true
	}
	return page, nil
}

func (m *memory) Extent(context.Context) (record.Extent, error) {
	e := record.Extent{Days: m.leftOut}
	if len(m.entries) > 0 {
		e.Oldest = m.entries[0].Time()
	}
	return e, nil
}

// golden compares a text with that of a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is now\n%s\nwant\n%s", name, got, want)
	}
}

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
