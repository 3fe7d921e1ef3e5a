package main

import (
	"fmt"
	"math"
	"strings"
)

// aim is a row of the table of aims. It is encoded, as each part finds its own in a process of its
// own.
type aim struct {
	What  string // what is measured
	Bound bound
	Got   sample    // a figure a round, in the bound's unit; nil where it was not measured
	Of    []reading // what the figures were made of in the same rounds, ours first
	Note  string    // "" or a sentence: what bounds it, why it was not measured
}

// reading are the figures of one contender.
type reading struct {
	Name   string
	Unit   string
	Rounds sample
}

// bound is what a median is to reach.
type bound struct {
	AtLeast bool // otherwise it is the most
	Value   float64
	Unit    string // "" for a ratio
}

func atMost(value float64, unit string) bound { return bound{Value: value, Unit: unit} }

func atLeast(value float64, unit string) bound {
	return bound{AtLeast: true, Value: value, Unit: unit}
}

func (b bound) String() string {
	sign := "≤"
	if b.AtLeast {
		sign = "≥"
	}
	return sign + " " + withUnit(figure(b.Value), b.Unit)
}

// reachedBy tells in words whether the median of the rounds reaches it, and else by how much it
// does not. Where it does and some round does not, that is said.
func (b bound) reachedBy(rounds sample) string {
	if len(rounds) == 0 {
		return "not measured"
	}
	median := rounds.median()
	off := median/b.Value - 1
	switch low, high := rounds.ends(); {
	case !b.AtLeast && off >= 1:
		return fmt.Sprintf("no: %.1f times that", off+1)
	case b.AtLeast && median < b.Value:
		return fmt.Sprintf("no: %s below", percent(-off))
	case !b.AtLeast && median > b.Value:
		return fmt.Sprintf("no: %s above", percent(off))
	case b.AtLeast && low < b.Value, !b.AtLeast && high > b.Value:
		return "reached, not in each round"
	default:
		return "reached"
	}
}

// percent never says 0 % of what is something.
func percent(part float64) string {
	if part < 0.01 {
		return "less than 1 %"
	}
	return fmt.Sprintf("%.0f %%", 100*part)
}

// within prints the median with the smallest and the largest round.
func (s sample) within(unit string) string {
	if len(s) == 0 {
		return "–"
	}
	low, high := s.ends()
	return fmt.Sprintf("%s (%s–%s)", withUnit(figure(s.median()), unit), figure(low), figure(high))
}

func withUnit(figure, unit string) string {
	switch {
	case unit == "":
		return figure
	case strings.HasPrefix(unit, "/"):
		return figure + unit
	default:
		return figure + " " + unit
	}
}

// figure writes a number with the digits that mean something, and thousands apart.
func figure(v float64) string {
	switch size := math.Abs(v); {
	case size < 9.995:
		return fmt.Sprintf("%.2f", v)
	case size < 99.95:
		return fmt.Sprintf("%.1f", v)
	}
	digits := fmt.Sprintf("%.0f", v)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
