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
func Name(d time.Duration) string { return policy.ShortDuration(d) }
