package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/runner"
)

// What is in the same condition as before has been so since then, in whichever words.
func TestConditionsSince(t *testing.T) {
	const start = 1_800_000_000
	at := func(second int) time.Time { return time.Unix(start+int64(second), 0) }
	good := func(text string) runner.Inspected {
		return runner.Inspected{Name: "x", Found: policy.Found{Text: text}}
	}
	bad := func(why string) runner.Inspected { return runner.Inspected{Name: "x", Err: errors.New(why)} }
	var i inspector
	for _, c := range []struct {
		name  string
		found []runner.Inspected
		at    int
		since int
	}{
		{"first", []runner.Inspected{good("1")}, 0, 0},
		{"the same", []runner.Inspected{good("2")}, 10, 0},
		{"lost", []runner.Inspected{bad("refused")}, 20, 20},
		{"still lost", []runner.Inspected{bad("time-out")}, 30, 20},
		{"found again", []runner.Inspected{good("3")}, 40, 40},
		{"beside another", []runner.Inspected{{Name: "y"}, good("3")}, 50, 40},
		{"gone and new", nil, 60, 0},
		{"new", []runner.Inspected{good("3")}, 70, 70},
	} {
		i.take(c.found, at(c.at))
		if len(i.found) != len(c.found) {
			t.Fatalf("%s: %+v", c.name, i.found)
		}
		if n := len(i.found); n > 0 {
			if last := i.found[n-1]; !last.since.Equal(at(c.since)) || !last.asked.Equal(at(c.at)) {
				t.Errorf("%s: since %v, asked %v", c.name, last.since, last.asked)
			}
		}
	}
}

// Whoever may look cannot load what is asked.
func TestConditionsAreKept(t *testing.T) {
	var i inspector
	asked := 0
	all := func(context.Context) []runner.Inspected { asked++; return nil }
	for range 3 {
		i.ask(t.Context(), all)
	}
	if i.at = i.at.Add(-verboseEvery); asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	if i.ask(t.Context(), all); asked != 2 {
		t.Errorf("asked %d times after a while", asked)
	}
}

func TestAgo(t *testing.T) {
	for span, want := range map[time.Duration]string{
		-time.Second: "0s", 1500 * time.Millisecond: "1s", 59*time.Minute + 59*time.Second: "59m59s", time.Hour: "1h", 25*time.Hour + 61*time.Second: "25h1m",
	} {
		if got := ago(span); got != want {
			t.Errorf("%v is %s, want %s", span, got, want)
		}
	}
}
