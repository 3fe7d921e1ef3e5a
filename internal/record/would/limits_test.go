package would

import (
	"testing"
	"time"
)

// Each limit by itself, on both sides.
func TestLimits(t *testing.T) {
	const week = 7 * 24 * time.Hour
	for name, c := range map[string]struct {
		total, good, untold int
		unknown             int
		silent              bool // no mail of users to others
		span                time.Duration
		doubts              doubts
		want                Decision
	}{
		"just enough":              {total: 200, span: week, want: SafeToEnforce},
		"one too few":              {total: 199, span: week, want: CannotTell},
		"a second too short":       {total: 200, span: week - time.Second, want: CannotTell},
		"one of a thousand":        {total: 1000, good: 1, span: week, want: SafeToEnforce},
		"one of 999":               {total: 999, good: 1, span: week, want: NotYet},
		"two of 1,999":             {total: 1999, good: 2, span: week, want: NotYet},
		"two of 2,000":             {total: 2000, good: 2, span: week, want: SafeToEnforce},
		"one a day":                {total: 1e6, good: 7, span: week, want: SafeToEnforce},
		"one a day and one":        {total: 1e6, good: 8, span: week, want: NotYet},
		"one a day, to the second": {total: 1e6, good: 8, span: week + 24*time.Hour - time.Second, want: NotYet},
		"one a day, for long":      {total: 1e6, good: 8, span: week + 24*time.Hour, want: SafeToEnforce},
		"one within the first day": {total: 1e6, good: 1, span: time.Second, want: CannotTell},
		"two within the first day": {total: 1e6, good: 2, span: time.Second, want: NotYet},
		"good mail, of few":        {total: 1, good: 1, span: time.Second, want: NotYet},
		"a hundredth untold":       {total: 1000, untold: 10, span: week, want: SafeToEnforce},
		"more than a hundredth":    {total: 1000, untold: 11, span: week, want: CannotTell},
		"a doubt":                  {total: 1000, span: week, doubts: doubts{"it"}, want: CannotTell},
		"a doubt does not hide it": {total: 1000, good: 2, span: week, doubts: doubts{"it"}, want: NotYet},
		"nothing":                  {span: week, want: CannotTell},
		"half of it unknown":       {total: 1000, unknown: 500, silent: true, span: week, want: SafeToEnforce},
		"most of it unknown":       {total: 1000, unknown: 501, silent: true, span: week, want: CannotTell},
		"all, and users write":     {total: 1000, unknown: 1000, span: week, want: SafeToEnforce},
	} {
		now := time.Now()
		check := &Check{Name: "x", Total: c.total, Good: Tally{N: c.good}, Unknown: Tally{N: c.unknown}, Untold: c.untold, Begun: now.Add(-c.span), Ended: now}
		check.decide(c.doubts, !c.silent)
		if check.Decision != c.want || check.Because == "" {
			t.Errorf("%s: %s", name, check.Line())
		}
	}
}

func TestWords(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := group(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	for span, want := range map[time.Duration]string{
		0: "0 hours", time.Hour: "1 hour", 24*time.Hour - 1: "23 hours", 24 * time.Hour: "1 day", 36 * time.Hour: "1.5 days",
		7*24*time.Hour - 1: "6.9 days", 7 * 24 * time.Hour: "7 days",
	} {
		if got := spanWords(span); got != want {
			t.Errorf("%s: %s, want %s", span, got, want)
		}
	}
	for share, want := range map[float64]string{0.04: "0.04", 0.999: "1.00", 1: "1.0", 33.333: "33.3"} {
		if got := percent(share); got != want {
			t.Errorf("%f: %s, want %s", share, got, want)
		}
	}
}
