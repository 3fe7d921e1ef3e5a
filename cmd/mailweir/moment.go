package main

import (
	"time"

	"github.com/spf13/pflag"

	"mailweir/internal/moment"
)

// momentFlag is a time that a person gives.
type momentFlag struct {
	text string
	read moment.Moment
	// end: a day means its end, so that --since and --until of the same day are that day.
	end bool
}

// addMoment registers a flag of a command that is a time from which on something is wanted.
func addMoment(flags *pflag.FlagSet, name, value, usage string) *momentFlag {
	return newMoment(flags, &momentFlag{}, name, value, usage)
}

// addUntil registers a flag that is a time up to which something is wanted.
func addUntil(flags *pflag.FlagSet, name, value, usage string) *momentFlag {
	return newMoment(flags, &momentFlag{end: true}, name, value, usage)
}

func newMoment(flags *pflag.FlagSet, m *momentFlag, name, value, usage string) *momentFlag {
	if value != "" {
		if err := m.Set(value); err != nil {
			panic(err) // a default of ours
		}
	}
	flags.Var(m, name, usage)
	return m
}

// at is the time that is meant, zero where none was given.
func (m *momentFlag) at(now time.Time) time.Time { return m.read.At(now) }

// String is the time as it was given.
func (m *momentFlag) String() string { return m.text }

// Type names the kind of value in help texts.
func (m *momentFlag) Type() string { return "TIME" }

// Set reads a time.
func (m *momentFlag) Set(text string) error {
	read, err := moment.Parse(text, m.end)
	if err != nil {
		return err
	}
	m.text, m.read = text, read
	return nil
}
