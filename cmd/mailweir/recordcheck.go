package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"time"

	"mailweir/internal/config"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/runner"
)

// inspectRecord looks at the record, for "mailweir check"; nothing where there is none.
func inspectRecord(ctx context.Context, f *daemonFlags) []runner.Inspected {
	spec := recordSpec(f)
	if spec == noRecord {
		return nil
	}
	var remarks []string
	found := func() (policy.Found, error) {
		store, err := opening{f.record, func(text string) { remarks = append(remarks, text) }, nil, true}.store(ctx, spec)
		if errors.Is(err, fs.ErrNotExist) {
			return policy.Found{Text: "there is none yet"}, nil
		}
		if err != nil {
			return policy.Found{}, err
		}
		defer store.Close()
		x, err := store.Extent(ctx)
		if err != nil {
			return policy.Found{}, err
		}
		return foundRecord(x, f.record), nil
	}
	answer, err := found()
	answer.Remarks = append(answer.Remarks, remarks...)
	return []runner.Inspected{{Name: "record " + config.Masked(spec), Found: answer, Err: err}}
}

// inspect asks the record of a running daemon, for /readyz?verbose.
func (r *recording) inspect(ctx context.Context) []runner.Inspected {
	if r == nil {
		return nil
	}
	one := runner.Inspected{Name: "record " + r.where()}
	x, err := r.store.Extent(ctx)
	switch stats := r.sink.Stats(); {
	case err != nil:
		one.Err = err
	case stats.Failing:
		one.Err = errors.New("the last entries could not be written; see the log")
	default:
		one.Found = foundRecord(x, r.flags)
	}
	return []runner.Inspected{one}
}

// foundRecord says how far the record goes back, and how many days it has room for.
func foundRecord(x record.Extent, f *recordFlags) policy.Found {
	if x.Entries == 0 {
		return policy.Found{Text: "it is empty"}
	}
	most := policy.Size(x.Octets >> 20 << 20)
	text := fmt.Sprintf("%d entries since %s, %s", x.Entries, x.Oldest.UTC().Format("2006-01-02 15:04 MST"), &most)
	if x.Octets < 1<<20 {
		text = fmt.Sprintf("%d entries since %s, under 1MiB", x.Entries, x.Oldest.UTC().Format("2006-01-02 15:04 MST"))
	}
	found := policy.Found{Text: text}
	days := roomFor(x, int64(*f.most))
	wanted := f.life.Hours() / 24
	switch {
	case days == 0:
	case *f.life > 0 && days >= wanted:
		found.Text += fmt.Sprintf("; --record-max=%s has room for --record-for=%s", f.most, policy.FormatDuration(*f.life))
	default:
		found.Remarks = append(found.Remarks, fmt.Sprintf("--record-max=%s has room for about %.0f days like those that it has: the record will not go back %s", f.most, math.Floor(days), lifeText(*f.life)))
	}
	for _, d := range x.Days {
		if d.LeftOut > 0 {
			found.Remarks = append(found.Remarks, fmt.Sprintf("of %s all or a part of %d entries is left out: a day may take a quarter of --record-max=%s", d.Date.Format(time.DateOnly), d.LeftOut, f.most))
		}
	}
	return found
}

func lifeText(life time.Duration) string {
	if life == 0 {
		return "for ever (--record-for=0)"
	}
	return "--record-for=" + policy.FormatDuration(life)
}

// roomFor is how many days fit, by the mean of those that are over; by today's where it is the only
// one and old enough to tell; 0 where nobody can tell.
func roomFor(x record.Extent, most int64) float64 {
	if most <= 0 || len(x.Days) == 0 {
		return 0
	}
	whole := x.Days[1:] // the newest is not over, the oldest may have begun in the middle
	if len(whole) > 1 {
		whole = whole[:len(whole)-1]
	}
	if len(whole) > 0 {
		var octets int64
		for _, d := range whole {
			octets += d.Octets
		}
		return float64(most) / max(float64(octets)/float64(len(whole)), 1)
	}
	span := x.Newest.Sub(x.Oldest)
	if span < time.Hour {
		return 0
	}
	return float64(most) / (float64(x.Octets) / span.Hours() * 24)
}

// recordRemarks say what about --record may surprise.
func (s *settings) recordRemarks() (remarks []string) {
	f := s.daemon
	if recordSpec(f) != noRecord {
		if *f.record.most > 0 && *f.record.most < 16<<20 {
			remarks = append(remarks, fmt.Sprintf("--record-max=%s: a day takes a quarter of it, which hardly keeps anything", f.record.most))
		}
		return remarks
	}
	var without []string
	for _, name := range []string{"record-for", "record-max", "record-subjects", "record-accepted", "console"} {
		if s.flags.Lookup(name).Changed {
			without = append(without, "--"+name)
		}
	}
	if len(without) > 0 {
		remarks = append(remarks, strings.Join(without, ", ")+": nothing is recorded ("+whyNoRecord(f)+")")
	}
	return remarks
}

// whyNoRecord says what switches the record off.
func whyNoRecord(f *daemonFlags) string {
	if *f.record.where == noRecord {
		return "--record=off"
	}
	return "--record=auto keeps a record beside a state in files only, and --state is " + config.Masked(stateSpec(*f.state))
}
