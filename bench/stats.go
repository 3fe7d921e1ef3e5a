package main

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// sample is the figure of several rounds.
type sample []float64

func (s sample) median() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := append(sample(nil), s...)
	sort.Float64s(sorted)
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// String prints the median with the smallest and the largest round.
func (s sample) String() string {
	if len(s) == 0 {
		return "–"
	}
	low, high := s.ends()
	return fmt.Sprintf("%.0f (%.0f–%.0f)", s.median(), low, high)
}

// decimals is String with two places behind the point, "" where nothing was measured.
func (s sample) decimals() string {
	if len(s) == 0 {
		return ""
	}
	low, high := s.ends()
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.median(), low, high)
}

// ends are the smallest and the largest round; there must be one.
func (s sample) ends() (low, high float64) { return slices.Min(s), slices.Max(s) }

// over are the ratios of each round to the same round of base: what slows a whole round down does
// not show in them.
func (s sample) over(base sample) sample {
	ratios := make(sample, len(s))
	for i := range s {
		ratios[i] = s[i] / base[i]
	}
	return ratios
}

// against is the median of over.
func (s sample) against(base sample) string { return fmt.Sprintf("%.2f", s.over(base).median()) }
