package would

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What a check must have shown before it is safe to enforce.
const (
	// leastDays: a week has all days of the week.
	leastDays = 7 * 24 * time.Hour
	// leastTotal: of fewer, one good one in a thousand does not show.
	leastTotal = 200
	// oneIn is of how many would-be refusals one may be likely good.
	oneIn = 1000
	// perDay is how many may be likely good a day, on average.
	perDay = 1
	// untoldOneIn is of how many one may be without a message in the record: what is good among
	// those is not seen.
	untoldOneIn = 100
)

// doubts are what keeps any check from being called safe: the record does not show all.
type doubts []string

// decide says whether the check is safe to enforce. Good mail counts however little there is to go
// by; that there is none says something only after a while, and where most of it is of senders of
// whom nothing is known, only if the record would show whom users write to.
func (c *Check) decide(d doubts, outbound bool) {
	span := c.Ended.Sub(c.Begun)
	c.Days = span.Hours() / 24
	total := count(c.Total, "would-be refusal")
	switch {
	case c.tooManyOf() || c.tooManyADay(span):
		c.Decision = NotYet
		c.Because = fmt.Sprintf("%s of %s %s likely good (%s)", group(c.Good.N), total, isOrAre(c.Good.N), c.rates(span))
	case c.Total < leastTotal:
		c.Decision = CannotTell
		c.Because = fmt.Sprintf("there %s %s, and it takes %d to tell", wasOrWere(c.Total), total, leastTotal)
	case span < leastDays:
		c.Decision = CannotTell
		c.Because = fmt.Sprintf("it has been looking for %s, and it takes 7 days to tell", spanWords(span))
	case c.Untold*untoldOneIn > c.Total:
		c.Decision = CannotTell
		c.Because = fmt.Sprintf("of %s of %s the record has no message, so what is good among them does not show", group(c.Untold), total)
	case len(d) > 0:
		c.Decision = CannotTell
		c.Because = d[0]
	case !outbound && 2*c.Unknown.N > c.Total:
		c.Decision = CannotTell
		c.Because = fmt.Sprintf("of %s of %s nothing is known, and the record has no mail of users to others that would show good senders", group(c.Unknown.N), total)
	default:
		c.Decision = SafeToEnforce
		c.Because = fmt.Sprintf("%s of %s in %s %s likely good", numberOrNone(c.Good.N), total, spanWords(span), isOrAre(c.Good.N))
		if c.Unknown.N > 0 { // the line is often read alone
			c.Because += fmt.Sprintf("; of %s nothing is known", group(c.Unknown.N))
		}
	}
}

// tooManyOf reports whether more than one in a thousand is likely good.
func (c *Check) tooManyOf() bool { return c.Good.N*oneIn > c.Total }

// tooManyADay reports whether more than one a day is likely good. A span of less than a day counts
// as one.
func (c *Check) tooManyADay(span time.Duration) bool {
	return c.Good.N > perDay*int(max(span, 24*time.Hour)/(24*time.Hour))
}

// rates are the share and the number a day of what is likely good.
func (c *Check) rates(span time.Duration) string {
	share := 100 * float64(c.Good.N) / float64(c.Total)
	words := percent(share) + " %"
	if span >= 24*time.Hour {
		words += ", " + strconv.FormatFloat(float64(c.Good.N)*24/span.Hours(), 'f', 1, 64) + " a day"
	}
	return words
}

// percent has as many digits as make a small share visible.
func percent(share float64) string {
	digits := 1
	if share < 1 {
		digits = 2
	}
	return strconv.FormatFloat(share, 'f', digits, 64)
}

// spanWords is a span of time in days, or in hours where it is shorter. It never rounds up.
func spanWords(span time.Duration) string {
	if span < 24*time.Hour {
		return count(int(span.Hours()), "hour")
	}
	tenths := int(span / (24 * time.Hour / 10))
	if tenths == 10 {
		return "1 day"
	}
	return strconv.FormatFloat(float64(tenths)/10, 'f', -1, 64) + " days"
}

func wasOrWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func numberOrNone(n int) string {
	if n == 0 {
		return "none"
	}
	return group(n)
}

// count is a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if stem, ok := strings.CutSuffix(thing, "ry"); ok {
		return group(n) + " " + stem + "ries"
	}
	return group(n) + " " + thing + "s"
}

// group writes a number with a comma after each three digits.
func group(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
