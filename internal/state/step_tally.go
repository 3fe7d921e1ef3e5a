package state

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TallyParts is into how many parts the span of a [Tally] is divided. It moves on by one part at a
// time, so that what is counted is that of the span and up to a fifth more, never less.
const TallyParts = 5

// tallyLife is how long a part counts.
func tallyLife(span time.Duration) time.Duration { return span / TallyParts * (TallyParts + 1) }

// partOf is the number of the part in which a time lies, in Unix milliseconds.
func partOf(ms int64, span time.Duration) int64 {
	return ms * int64(time.Millisecond) / int64(span/TallyParts)
}

// Tally adds n to what is counted under key within the last span, of at least a second, unless the
// sum would then be over limit: then it is not done, and nothing changes. N is the sum; up to a
// fifth of the span more is counted than its name says. To add nothing only reads.
//
// A negative n takes off what was counted at [Step.At], as far as it still counts, whatever the
// limit; it is done if any was.
func Tally(key string, n, limit int64, span time.Duration) Step {
	return Step{op: opTally, key: key, n: n, limit: limit, span: max(span, time.Second)}
}

// TallyPart is the number of the part of a span in which a [Tally] counts what happened at that
// time.
func TallyPart(t time.Time, span time.Duration) int64 {
	return partOf(t.UnixMilli(), max(span, time.Second))
}

// At returns a [Tally] of what happened at that time, and not now.
func (s Step) At(t time.Time) Step {
	s.at = t.UnixMilli()
	return s
}

// tally is [Tally] on a row.
func (s Step) tally(r Result, was row, now int64) (Result, row, effect, error) {
	first, part := s.tallied(now)
	var counts tally
	if r.Found {
		counts = readTally(was.value)
	}
	counts = counts.since(first)
	r.N = counts.sum()
	if s.n < 0 {
		taken := counts.takeOff(part, -s.n)
		r.N -= taken
		if r.Done = taken > 0; !r.Done {
			return r, was, keeps, nil
		}
		was.value, was.entered = counts.value(), was.entered || s.entered
		return r, was, writes, nil
	}
	if r.Done = r.N <= s.limit-s.n; !r.Done || s.n == 0 {
		return r, was, keeps, nil
	}
	if part >= first { // else it counts no more
		counts = counts.add(part, s.n)
		r.N += s.n
	}
	next := row{value: counts.value(), until: now + tallyLife(s.span).Milliseconds(), entered: s.entered || r.Found && was.entered}
	return r, next, writes, nil
}

// tallied returns the first part that counts and the one that the step is about.
func (s Step) tallied(now int64) (first, part int64) {
	at := now
	if s.at != 0 {
		at = s.at
	}
	return partOf(now, s.span) - TallyParts, partOf(at, s.span)
}

// tally is how many of something there were in each part, the latest first.
type tally []tallyPart

type tallyPart struct{ number, count int64 }

// mostTallied bounds what one part counts, so that the script for Redis counts exactly.
const mostTallied = math.MaxInt32

// readTally reads what stands in the state: 8214=3 8213=12. What cannot be read counts nothing.
func readTally(value []byte) (t tally) {
	t = make(tally, 0, TallyParts+2) // with one that lies ahead, and the one that is added
	for word := range strings.SplitSeq(string(value), " ") {
		left, right, _ := strings.Cut(word, "=")
		number, wrong := strconv.ParseUint(left, 10, 52)
		count, bad := strconv.ParseUint(right, 10, 31)
		if wrong == nil && bad == nil {
			t = t.add(int64(number), int64(count))
		}
	}
	return t
}

func (t tally) value() []byte {
	text := make([]byte, 0, tallyOctets*len(t))
	for i, p := range t {
		if i > 0 {
			text = append(text, ' ')
		}
		text = append(strconv.AppendInt(text, p.number, 10), '=')
		text = strconv.AppendInt(text, p.count, 10)
	}
	return text
}

// tallyOctets is about what one part takes.
const tallyOctets = 16

// add adds to a part.
func (t tally) add(part, n int64) tally {
	i, found := t.find(part)
	if !found {
		t = slices.Insert(t, i, tallyPart{number: part})
	}
	t[i].count = min(t[i].count+n, mostTallied)
	return t
}

// takeOff takes up to n off a part and returns how many that were.
func (t tally) takeOff(part, n int64) int64 {
	i, found := t.find(part)
	if !found {
		return 0
	}
	taken := min(t[i].count, n)
	t[i].count -= taken
	return taken
}

func (t tally) find(part int64) (int, bool) {
	return slices.BinarySearchFunc(t, part, func(p tallyPart, part int64) int {
		switch {
		case p.number > part:
			return -1
		case p.number < part:
			return 1
		}
		return 0
	})
}

// since forgets all parts before that one. One that lies ahead is that of a host whose clock is,
// and counts.
func (t tally) since(first int64) tally {
	i, _ := t.find(first - 1)
	return t[:i]
}

func (t tally) sum() (n int64) {
	for _, p := range t {
		n += p.count
	}
	return n
}
