package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/internal/systemd"
)

// statusEvery is how old may be what "systemctl status" shows, endsWithin how long the end takes
// after the drain: record and state are written.
const (
	statusEvery = 10 * time.Second
	endsWithin  = 20 * time.Second
)

// status is what "systemctl status" shows: how many connections there are, and what the checks do.
func (d *daemon) status() string {
	enforced := 0
	var monitored []string
	for _, c := range d.runner.Policy().Checks() {
		switch {
		case c.Off != "" || c.Mode == policy.Off:
		case c.Mode == policy.Monitor:
			monitored = append(monitored, c.Check.Name)
		default:
			enforced++
		}
	}
	byHand := d.runner.Orders()
	text := fmt.Sprintf("version %s; connections of MTAs: %d; checks enforced: %d", version, d.server.Connections(), enforced-len(byHand))
	if len(monitored) > 0 {
		text += fmt.Sprintf(", only monitored: %d (%s)", len(monitored), strings.Join(monitored, " "))
	}
	if len(byHand) > 0 {
		text += "; monitored by hand: " + ordersText(byHand)
	}
	return text
}

// watchdog feeds systemd's watchdog while all that mail waits for moves.
func (d *daemon) watchdog(ctx context.Context) {
	parts := []systemd.Part{
		{Name: "accepting connections", Moves: d.sockets.moves},
		{Name: "reloading", Moves: d.reloaderMoves},
		{Name: "the state", Moves: d.stateMoves},
	}
	if d.record != nil {
		parts = append(parts, systemd.Part{Name: "the writer of the record", Moves: d.record.sink.Moves})
	}
	d.notify.Watch(ctx, func(err error) { d.log.WithError(err).Error("mailweir hangs") }, parts...)
}

// reloadHangs is how long a reload may take: a table of a million entries takes seconds.
const reloadHangs = 5 * time.Minute

// reloaderMoves returns nil if whoever reloads waits for something to do, or is at it for no longer
// than that may take.
func (d *daemon) reloaderMoves(ctx context.Context) error {
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		if began := d.loading.Load(); began != nil {
			took := time.Since(*began)
			if took < reloadHangs {
				return nil
			}
			return fmt.Errorf("it has been under way for %v", took.Round(time.Second))
		}
		select {
		case d.signs <- struct{}{}:
			return nil
		case <-look.C: // perhaps a reload has begun
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// stateMoves reads from a state that is in this process. One that is elsewhere has a watch of its
// own.
func (d *daemon) stateMoves(ctx context.Context) error {
	if d.backends.State.Waits() {
		return nil
	}
	_, _, _ = d.backends.State.Get(ctx, state.Key("alive")) // that it answers is enough
	return nil
}
