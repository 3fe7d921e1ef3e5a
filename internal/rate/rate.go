// Package rate counts things within a span of time that ends now, for all hosts that share the
// state. Windows are cheap and may count up to a fifth too much; a Quota holds exactly, and what
// was counted can be given back.
package rate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// Rate is a number of things within a span of time, such as 20/5m.
type Rate struct {
	Limit int
	Span  time.Duration
}

// mostSpan bounds a span: what is counted has to be kept that long.
const mostSpan = 7 * 24 * time.Hour

// Parse reads N/TIME.
func Parse(s string) (Rate, error) {
	number, text, ok := strings.Cut(s, "/")
	limit, err := strconv.ParseUint(number, 10, 31)
	if !ok || err != nil {
		return Rate{}, fmt.Errorf("%q is not N/TIME, such as 20/5m", s)
	}
	span, err := policy.ParseDuration(text)
	if err != nil {
		return Rate{}, err
	}
	if span < time.Second || span > mostSpan {
		return Rate{}, fmt.Errorf("%q: the time must be from 1s to 7d", s)
	}
	return Rate{int(limit), span}, nil
}

// String writes the rate as it is read: 20/5m.
func (r Rate) String() string { return strconv.Itoa(r.Limit) + "/" + Name(r.Span) }

// Name writes a span without the units that are zero: 5m, 1h.
func Name(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Parts is into how many a span is divided: it moves on by one of them at a time, so that what is
// counted is that of the span and up to a fifth more, never less.
const Parts = 5

// Window names the counters in the state that make up a span which ends now: that of the present
// part first.
func Window(now time.Time, span time.Duration, space string, of ...string) []string {
	keys := make([]string, Parts+1)
	for age := range keys {
		keys[age] = part(now, int64(age), span, space, of)
	}
	return keys
}

// Present names the counter of the present part.
func Present(now time.Time, span time.Duration, space string, of ...string) string {
	return part(now, 0, span, space, of)
}

func part(now time.Time, age int64, span time.Duration, space string, of []string) string {
	number := partOf(now, span) - age
	return state.Key(space, append(of[:len(of):len(of)], Name(span), strconv.FormatInt(number, 10))...)
}

// partOf is the number of the part in which a time lies.
func partOf(now time.Time, span time.Duration) int64 { return now.UnixNano() / int64(span/Parts) }

// Life is how long the counter of one part is of use.
func Life(span time.Duration) time.Duration { return span / Parts * (Parts + 1) }

// Gets reads keys.
func Gets(keys []string) []state.Step {
	steps := make([]state.Step, len(keys))
	for i, key := range keys {
		steps[i] = state.Get(key)
	}
	return steps
}

// Sum adds counters up. What is no number counts nothing.
func Sum(results []state.Result) (n int) {
	for _, r := range results {
		if v, err := strconv.Atoi(string(r.Value)); err == nil {
			n += v
		}
	}
	return n
}
