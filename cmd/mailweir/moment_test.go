package main

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestMoment(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"90m": "2026-11-29T10:30:00Z", "24h": "2026-11-28T12:00:00Z", "2d": "2026-11-27T12:00:00Z", "1w": "2026-11-22T12:00:00Z",
		"0s": "2026-11-29T12:00:00Z", "2026-11-01": "2026-11-01T00:00:00Z", "2026-11-01T15:04:05Z": "2026-11-01T15:04:05Z",
		"2026-11-01T15:04:05+01:00": "2026-11-01T14:04:05Z",
	} {
		set := pflag.NewFlagSet("test", pflag.ContinueOnError)
		m := addMoment(set, "since", "24h", "from when")
		if err := set.Parse([]string{"--since=" + text}); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := m.at(now).Format(time.RFC3339); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

// A day as the end is that whole day.
func TestUntilADay(t *testing.T) {
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	since, until := addMoment(set, "since", "", "from when"), addUntil(set, "until", "", "up to when")
	if !since.at(time.Now()).IsZero() || !until.at(time.Now()).IsZero() {
		t.Error("without a default there is a bound")
	}
	if err := set.Parse([]string{"--since=2026-11-28", "--until=2026-11-28"}); err != nil {
		t.Fatal(err)
	}
	if got := until.at(time.Now()).Sub(since.at(time.Now())); got != 24*time.Hour {
		t.Errorf("the day has %s", got)
	}
}

func TestMomentRefuses(t *testing.T) {
	for _, text := range []string{"", "yesterday", "-2d", "2026-13-01", "2026-11-29 10:00", "99999999w", "1e9w"} {
		set := pflag.NewFlagSet("test", pflag.ContinueOnError)
		addMoment(set, "since", "24h", "from when")
		if err := set.Parse([]string{"--since=" + text}); err == nil || !strings.Contains(err.Error(), "2026-11-29T15:04:05Z") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
