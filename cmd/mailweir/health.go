package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"mailweir/internal/config"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
)

// condition is how something is that mailweir depends on, besides the MTA.
type condition struct {
	runner.Inspected
	asked time.Time // when that was found
	since time.Time // since when it has been found to be so, in whichever words
}

// inspector keeps what was found last.
type inspector struct {
	mu    sync.Mutex
	found []condition
	at    time.Time
}

// take keeps what was found now. Of what was in the same condition before, since is that of then.
func (i *inspector) take(list []runner.Inspected, now time.Time) {
	before := make(map[string]condition, len(i.found))
	for _, c := range i.found {
		before[c.Name] = c
	}
	i.found, i.at = make([]condition, len(list)), now
	for n, one := range list {
		since := now
		if was, known := before[one.Name]; known && (was.Err == nil) == (one.Err == nil) {
			since = was.since
		}
		i.found[n] = condition{Inspected: one, asked: now, since: since}
	}
}

// ask asks how everything is, or tells what it found a moment ago.
func (i *inspector) ask(ctx context.Context, all func(context.Context) []runner.Inspected) []condition {
	i.mu.Lock()
	defer i.mu.Unlock()
	if now := time.Now(); i.at.IsZero() || now.Sub(i.at) >= verboseEvery {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), verboseWithin)
		defer cancel()
		i.take(all(ctx), now)
	}
	return i.found
}

// inspect says how all is that mail depends on, for /readyz?verbose.
func (d *daemon) inspect(ctx context.Context) []condition {
	return d.inspector.ask(ctx, func(ctx context.Context) []runner.Inspected {
		own := []runner.Inspected{d.policyLoaded(), d.stateFound(ctx)}
		return slices.Concat(own, d.record.inspect(ctx), d.runner.Inspect(ctx))
	})
}

// inspectBackends says the same of what is not mailweir's own.
func (d *daemon) inspectBackends(ctx context.Context) (list []runner.Inspected) {
	for _, c := range d.inspect(ctx)[2:] {
		list = append(list, c.Inspected)
	}
	return list
}

// policyLoaded says which policy is in force, and whether that is the last one there was.
func (d *daemon) policyLoaded() runner.Inspected {
	one := runner.Inspected{Name: "policy", Found: policy.Found{Text: "loaded at " + d.loadedAt.Load().UTC().Format(time.RFC3339)}}
	if d.reloadFailed.Load() != nil { // the words may name addresses, which have no place here
		one.Err = fmt.Errorf("the last reload has failed, and the policy %s stays; see mailweir check", one.Text)
	}
	return one
}

// stateFound says whether what checks remember can be asked and kept.
func (d *daemon) stateFound(ctx context.Context) runner.Inspected {
	one := runner.Inspected{Name: "state " + stateSpec(*d.settings.daemon.state)}
	stats, err := d.backends.State.Stats(ctx)
	switch {
	case err != nil:
		one.Err = err
	case stats.Unwritten:
		one.Err = errors.New("the disk does not take it: what is remembered is in memory, and lost at a restart")
	default:
		rows := 0
		for _, s := range stats.Spaces {
			rows += int(s.Rows)
		}
		one.Text = fmt.Sprintf("%d rows", rows)
	}
	return one
}

// writeConditions says for /readyz?verbose how everything is, when that was found, and since when
// it has been so.
func writeConditions(out io.Writer, list []condition, now time.Time) error {
	for _, c := range list {
		age := fmt.Sprintf("(asked %s ago, so for %s)", ago(now.Sub(c.asked)), ago(now.Sub(c.since)))
		line := fmt.Sprintf("ok: %s: %s %s", c.Name, c.Text, age)
		if c.Err != nil {
			line = fmt.Sprintf("fault: %s: %v %s", c.Name, c.Err, age)
		}
		if _, err := fmt.Fprintln(out, config.Masked(line)); err != nil {
			return err
		}
		for _, r := range c.Remarks {
			if _, err := fmt.Fprintln(out, "note:", config.Masked(c.Name+": "+r)); err != nil {
				return err
			}
		}
	}
	return nil
}

// ago is a span in whole seconds, from an hour on in minutes.
func ago(span time.Duration) string {
	if span >= time.Hour {
		return policy.ShortDuration(span.Truncate(time.Minute))
	}
	return policy.ShortDuration(max(span, 0).Truncate(time.Second))
}
