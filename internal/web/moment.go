package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/policy"
)

// moment reads a point in time: a span back from now (90m, 24h, 7d, 2w), a date, or RFC 3339. A
// date with end means its end. "" is none.
func moment(text string, now time.Time, end bool) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), nil
	}
	if t, err := time.Parse(time.DateTime, strings.TrimSuffix(text, "Z")); err == nil {
		return t, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		if end {
			t = t.AddDate(0, 0, 1)
		}
		return t, nil
	}
	if span, ok := spanBack(text); ok {
		return now.UTC().Add(-span), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time such as 24h, 7d, 2026-11-29 or 2026-11-29T15:04:05Z", text)
}

// spanBack reads a duration, which may be of days or weeks.
func spanBack(text string) (time.Duration, bool) {
	if weeks, ok := strings.CutSuffix(text, "w"); ok {
		n, err := strconv.ParseUint(weeks, 10, 10)
		return time.Duration(n) * 7 * 24 * time.Hour, err == nil
	}
	d, err := policy.ParseDuration(text)
	return d, err == nil
}
