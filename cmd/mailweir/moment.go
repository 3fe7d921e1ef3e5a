package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"mailweir/internal/policy"
)

// moment is a time that a person gives: back from now, as 24h or 2d, a day, or a time by RFC 3339.
type moment struct {
	text string
	back time.Duration // from now; used where time is zero
	time time.Time
	// end: a day means its end, so that --since and --until of the same day are that day.
	end bool
}

// addMoment registers a flag of a command that is a time from which on something is wanted.
func addMoment(flags *pflag.FlagSet, name, value, usage string) *moment {
	return newMoment(flags, &moment{}, name, value, usage)
}

// addUntil registers a flag that is a time up to which something is wanted.
func addUntil(flags *pflag.FlagSet, name, value, usage string) *moment {
	return newMoment(flags, &moment{end: true}, name, value, usage)
}

func newMoment(flags *pflag.FlagSet, m *moment, name, value, usage string) *moment {
	if value != "" {
		if err := m.Set(value); err != nil {
			panic(err) // a default of ours
		}
	}
	flags.Var(m, name, usage)
	return m
}

// at is the time that is meant, zero where none was given.
func (m *moment) at(now time.Time) time.Time {
	if m.text == "" || !m.time.IsZero() {
		return m.time
	}
	return now.Add(-m.back).UTC()
}

// String is the time as it was given.
func (m *moment) String() string { return m.text }

// Type names the kind of value in help texts.
func (m *moment) Type() string { return "TIME" }

// Set reads a time.
func (m *moment) Set(text string) error {
	read := moment{text: text, end: m.end}
	day, dayErr := time.Parse(time.DateOnly, text)
	at, err := time.Parse(time.RFC3339, text)
	switch {
	case dayErr == nil:
		if read.time = day; m.end {
			read.time = day.AddDate(0, 0, 1)
		}
	case err == nil:
		read.time = at.UTC()
	default:
		if read.back, err = spanBack(text); err != nil {
			return fmt.Errorf("%q is no time: write 24h, 2d or 1w for so long ago, a day as 2026-11-29, or 2026-11-29T15:04:05Z", text)
		}
	}
	*m = read
	return nil
}

// spanBack reads a span of time, weeks included.
func spanBack(text string) (time.Duration, error) {
	if weeks, ok := strings.CutSuffix(text, "w"); ok {
		n, err := strconv.ParseUint(weeks, 10, 10)
		return time.Duration(n) * 7 * 24 * time.Hour, err
	}
	return policy.ParseDuration(text)
}
