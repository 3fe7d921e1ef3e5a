package checks

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// rate is a number of things within a span of time, such as 20/5m.
type rate struct {
	limit int
	span  time.Duration
}

// mostSpan bounds a span: what is counted has to be kept that long.
const mostSpan = 7 * 24 * time.Hour

// parseRate reads N/TIME.
func parseRate(s string) (rate, error) {
	number, text, ok := strings.Cut(s, "/")
	limit, err := strconv.ParseUint(number, 10, 31)
	if !ok || err != nil {
		return rate{}, fmt.Errorf("%q is not N/TIME, such as 20/5m", s)
	}
	span, err := policy.ParseDuration(text)
	if err != nil {
		return rate{}, err
	}
	if span < time.Second || span > mostSpan {
		return rate{}, fmt.Errorf("%q: the time must be from 1s to 7d", s)
	}
	return rate{int(limit), span}, nil
}

func (r rate) String() string { return strconv.Itoa(r.limit) + "/" + spanName(r.span) }

// spanName writes a span without the units that are zero: 5m, 1h.
func spanName(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// parts is into how many a span is divided: it moves on by one of them at a time, so that what is counted is that of the
// span and up to a fifth more, never less.
const parts = 5

// window names the counters in the state that make up a span which ends now: that of the present part first.
func window(now time.Time, span time.Duration, space string, of ...string) []string {
	keys := make([]string, parts+1)
	for age := range keys {
		keys[age] = part(now, int64(age), span, space, of)
	}
	return keys
}

// present names the counter of the present part.
func present(now time.Time, span time.Duration, space string, of ...string) string {
	return part(now, 0, span, space, of)
}

func part(now time.Time, age int64, span time.Duration, space string, of []string) string {
	number := partOf(now, span) - age
	return state.Key(space, append(of[:len(of):len(of)], spanName(span), strconv.FormatInt(number, 10))...)
}

// partOf is the number of the part in which a time lies.
func partOf(now time.Time, span time.Duration) int64 { return now.UnixNano() / int64(span/parts) }

// partLife is how long the counter of one part is of use.
func partLife(span time.Duration) time.Duration { return span / parts * (parts + 1) }

// gets reads keys.
func gets(keys []string) []state.Step {
	steps := make([]state.Step, len(keys))
	for i, key := range keys {
		steps[i] = state.Get(key)
	}
	return steps
}

// sum adds counters up. What is no number counts nothing.
func sum(results []state.Result) (n int) {
	for _, r := range results {
		if v, err := strconv.Atoi(string(r.Value)); err == nil {
			n += v
		}
	}
	return n
}
