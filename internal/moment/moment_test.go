package moment

import (
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 29, 13, 0, 0, 0, time.FixedZone("", 3600))

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"90m": "2026-11-29T10:30:00Z", "24h": "2026-11-28T12:00:00Z", "2d": "2026-11-27T12:00:00Z", "1w": "2026-11-22T12:00:00Z",
		"0s": "2026-11-29T12:00:00Z", " 24h ": "2026-11-28T12:00:00Z", "2026-11-01": "2026-11-01T00:00:00Z",
		"2026-11-01T15:04:05Z": "2026-11-01T15:04:05Z", "2026-11-01T15:04:05+01:00": "2026-11-01T14:04:05Z",
		"2026-11-01 15:04:05": "2026-11-01T15:04:05Z", "2026-11-01 15:04:05Z": "2026-11-01T15:04:05Z",
	} {
		m, err := Parse(text, false)
		if got := m.At(now).Format(time.RFC3339); err != nil || got != want {
			t.Errorf("%q is %s (%v), want %s", text, got, err, want)
		}
	}
}

// A day as the end is that whole day, and nothing but a day has an end.
func TestParseEnd(t *testing.T) {
	for text, want := range map[string]string{"2026-02-28": "2026-03-01T00:00:00Z", "2026-11-01T00:00:00Z": "2026-11-01T00:00:00Z", "1d": "2026-11-28T12:00:00Z"} {
		m, err := Parse(text, true)
		if got := m.At(now).Format(time.RFC3339); err != nil || got != want {
			t.Errorf("%q ends %s (%v), want %s", text, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", " ", "yesterday", "-2d", "2026-13-01", "2026-11-29 10:00", "99999999w", "1e9w", "w"} {
		m, err := Parse(text, false)
		if err == nil || !strings.Contains(err.Error(), "2026-11-29T15:04:05Z") || !m.At(now).IsZero() {
			t.Errorf("%q: %v, %v", text, m.At(now), err)
		}
	}
}

// FuzzParse: what is no time is an error and none, and nothing that is a span lies in the future.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"24h", "2w", "2026-11-29", "2026-11-29 15:04:05", "2026-11-29T15:04:05+23:59", "0001-01-01", "9999-12-31", "1023w"} {
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, end bool) {
		m, err := Parse(text, end)
		at := m.At(now)
		if err != nil && !at.IsZero() || at.Location() != time.UTC || m.back < 0 || m.back > 0 && at.After(now) {
			t.Errorf("%q is %s: %v", text, at, err)
		}
	})
}
