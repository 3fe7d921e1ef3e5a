// Package moment reads points in time as people give them, to commands and in forms.
package moment

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/policy"
)

// Moment is a point in time, or a span back from now; the zero value is none.
type Moment struct {
	time time.Time
	span bool // back is meant
	back time.Duration
}

// Parse reads a span back from now (90m, 24h, 7d, 2w), a day, a time as 2026-11-29 15:04:05 in UTC,
// or one by RFC 3339. A day with end means its end, so that from and to the same day is that day.
func Parse(text string, end bool) (Moment, error) {
	trimmed := strings.TrimSpace(text)
	if t, err := time.Parse(time.RFC3339, trimmed); err == nil {
		return Moment{time: t.UTC()}, nil
	}
	if t, err := time.Parse(time.DateTime, strings.TrimSuffix(trimmed, "Z")); err == nil {
		return Moment{time: t}, nil
	}
	if t, err := time.Parse(time.DateOnly, trimmed); err == nil {
		if end {
			t = t.AddDate(0, 0, 1)
		}
		return Moment{time: t}, nil
	}
	back, err := spanBack(trimmed)
	if err != nil {
		return Moment{}, fmt.Errorf("%q is no time: write 24h, 2d or 1w for so long ago, a day as 2026-11-29, or 2026-11-29T15:04:05Z", text)
	}
	return Moment{span: true, back: back}, nil
}

// At is the time that is meant, in UTC, zero where none was given.
func (m Moment) At(now time.Time) time.Time {
	if m.span {
		return now.Add(-m.back).UTC()
	}
	return m.time
}

// spanBack reads a span of time, weeks included.
func spanBack(text string) (time.Duration, error) {
	if weeks, ok := strings.CutSuffix(text, "w"); ok {
		n, err := strconv.ParseUint(weeks, 10, 10)
		return time.Duration(n) * 7 * 24 * time.Hour, err
	}
	return policy.ParseDuration(text)
}
