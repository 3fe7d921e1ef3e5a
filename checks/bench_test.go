package checks

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/spf13/pflag"

	"mailweir/internal/events"
	"mailweir/internal/policy"
	"mailweir/internal/policytest"
	"mailweir/internal/runner"
	"mailweir/internal/state"
)

// daily is what serve has behind the wire without flags, with the observer that logs and counts,
// except that it asks no name server about SPF.
type daily struct {
	*events.Recorder
	runner *runner.Runner
	over   chan struct{}
	later  time.Duration // by which its clock is ahead
	letter policytest.Letter
}

func newDaily(t testing.TB, store string) *daily {
	d := &daily{letter: usualLetter(), over: make(chan struct{}, 1)}
	clock := func() time.Time { return time.Now().Add(d.later) }
	opened, err := state.Open(t.Context(), store, state.Options{Clock: clock, Rows: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	set := pflag.NewFlagSet("daily", pflag.ContinueOnError)
	draft := runner.NewDraft(Registry(), set)
	if err := set.Parse([]string{"--greylist-skip-spf=no"}); err != nil {
		t.Fatal(err)
	}
	p, err := draft.Build(&policy.Backends{Connections: func() int { return 1 }, Clock: clock, State: state.Traced(opened)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.Ready(t.Context())
	log := logrus.New()
	log.SetOutput(io.Discard)
	d.Recorder = events.NewRecorder(events.Options{Log: log, Metrics: events.NewMetrics("daily"), Clock: clock})
	d.runner = runner.NewRunner(p, d, runner.DefaultLimits)
	t.Cleanup(func() {
		d.runner.Close()
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// usualLetter has 20 header fields and 8 KiB.
func usualLetter() policytest.Letter {
	header := []string{"From: Alice <sender@else.example>", "To: user@ours.example", "Content-Type: text/plain; charset=utf-8"}
	for i := range 17 {
		header = append(header, fmt.Sprintf("X-Field-%d: %s", i, strings.Repeat("word ", 8)))
	}
	return policytest.Letter{Header: header, Body: strings.Repeat(strings.Repeat("words and ", 7)+"\r\n", 114)}
}

// Closed tells who waits that all of a connection is recorded and learned.
func (d *daily) Closed(c *policy.Connection) {
	d.Recorder.Closed(c)
	d.over <- struct{}{}
}

// send plays the letter on a connection of its own, until all is learned.
func (d *daily) send(t testing.TB, to string) {
	d.letter.To = []string{to}
	s := d.runner.NewSession()
	if said := d.letter.Send(s); len(said) > 0 {
		t.Fatal(said)
	}
	s.Close()
	<-d.over
}

// know has the letter to user@ours.example known, as nearly all mail of a day is.
func (d *daily) know(t testing.TB) {
	d.send(t, "user@ours.example")
	d.later += 2 * time.Minute
	d.send(t, "user@ours.example")
}

// BenchmarkDefaultPolicy plays one message a connection: each known to greylisting by client,
// sender and recipient, or each to a recipient who is new to its client and sender.
func BenchmarkDefaultPolicy(b *testing.B) {
	for _, store := range []string{"memory", "file"} {
		for _, mail := range []string{"known", "new"} {
			b.Run(store+"/"+mail, func(b *testing.B) {
				where := "memory:"
				if store == "file" {
					where = "file:" + b.TempDir()
				}
				d := newDaily(b, where)
				to := "user@ours.example"
				if mail == "known" {
					d.know(b)
				}
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if mail == "new" {
						to = fmt.Sprintf("user%d@ours.example", i)
					}
					d.send(b, to)
				}
			})
		}
	}
}

// TestDefaultPolicyAllocates bounds what one message of a day leaves to the garbage collector. Of
// it some fifty are the letter's own.
func TestDefaultPolicyAllocates(t *testing.T) {
	d := newDaily(t, "memory:")
	d.know(t)
	const most = 190
	if raced {
		t.Skip("the race detector has pools give back less than they were given")
	}
	if got := testing.AllocsPerRun(200, func() { d.send(t, "user@ours.example") }); got > most {
		t.Errorf("%.0f allocations a message, want %d at most", got, most)
	}
}
