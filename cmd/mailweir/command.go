package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mailweir/internal/config"
	"mailweir/internal/control"
	"mailweir/internal/state"
)

// runtimeCommand reads or changes what checks remember. The daemon carries it out, so that it acts at once; with no
// daemon running, or with a store that several may open, the command opens the state itself.
type runtimeCommand[In, Out any] struct {
	name string
	run  func(context.Context, commandWorld, In) (Out, error)
}

// commandWorld is what a run-time command works with.
type commandWorld struct {
	Store state.Store
	Clock func() time.Time
	// By is who gave the command, for the record.
	By control.Peer
	// Flags are those in force where the command is carried out: what the state holds was made under them.
	Flags *pflag.FlagSet
}

// register makes the daemon carry the command out.
func (c runtimeCommand[In, Out]) register(d *daemon, s *control.Server) {
	control.Handle(s, c.name, func(ctx context.Context, by control.Peer, in In) (Out, error) {
		d.log.WithField("command", c.name).WithField("by", by.String()).WithField("uid", by.UID).Info("run-time command")
		return c.carryOut(ctx, commandWorld{Store: d.world.State, Clock: d.world.Clock, By: by, Flags: d.loaded.Load().flags}, in)
	})
}

// carryOut runs the command, and tells a state that is unavailable from a defect.
func (c runtimeCommand[In, Out]) carryOut(ctx context.Context, w commandWorld, in In) (Out, error) {
	out, err := c.run(ctx, w, in)
	if errors.Is(err, state.ErrDown) || errors.Is(err, state.ErrUnsynced) || errors.Is(err, state.ErrUnwritten) {
		err = &control.Unavailable{Text: err.Error()}
	}
	return out, err
}

// call carries the command out, by the daemon or here.
func (c runtimeCommand[In, Out]) call(cmd *cobra.Command, in In) (Out, error) {
	out, err := c.ask(cmd, in)
	if away := (*control.Unavailable)(nil); errors.As(err, &away) {
		err = &exitError{exUnavailable, away}
	}
	return out, err
}

func (c runtimeCommand[In, Out]) ask(cmd *cobra.Command, in In) (Out, error) {
	var out Out
	s, err := commandSettings(cmd)
	if err != nil {
		return out, err
	}
	if *s.daemon.control != "" {
		err := callDaemon(cmd.Context(), s, c.name, in, &out)
		if !errors.Is(err, control.ErrNotRunning) {
			return out, err
		}
	}
	spec := stateSpec(*s.daemon.state)
	if spec == "memory:" {
		return out, fail(exUsage, "--state=memory: is the daemon's own memory: name its control socket (--control=unix:/PATH), or its --config")
	}
	if err := s.need(c.goesBy); err != nil {
		return out, &exitError{exConfig, err}
	}
	store, err := openExisting(cmd.Context(), spec)
	if err != nil {
		return out, err
	}
	defer store.Close()
	if *s.daemon.control != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: no daemon answers at %s; this is done in %s itself\n", *s.daemon.control, spec)
	}
	out, err = c.carryOut(cmd.Context(), commandWorld{Store: store, Clock: time.Now, By: control.Peer{UID: os.Getuid()}, Flags: s.flags}, in)
	var wrong *control.Error
	if errors.As(err, &wrong) {
		return out, &exitError{exUsage, err}
	}
	return out, err
}

// findFlags are the flags by which a run-time command finds the daemon and the state.
var findFlags = []string{config.FileFlag, "control", "state"}

// commandSettings reads the flags of a run-time command. What is wrong with a flag that finds neither the daemon nor the state is said and
// no more: whoever has to switch an account off now cannot mend the configuration first.
func commandSettings(cmd *cobra.Command) (*settings, error) {
	s := resolveAll(givenTo(cmd))
	finds := func(flag string) bool { return slices.Contains(findFlags, flag) }
	if err := s.need(finds); err != nil {
		return nil, &exitError{exConfig, err}
	}
	for _, w := range s.wrong {
		fmt.Fprintln(cmd.ErrOrStderr(), "note:", w.Err)
	}
	return s, nil
}

// goesBy reports whether the command, where it opens the state itself, goes by a flag: keys and scores were made under it.
func (c runtimeCommand[In, Out]) goesBy(flag string) bool {
	check, _, _ := strings.Cut(c.name, "/")
	switch check {
	case "greylist", "reputation":
		return strings.HasPrefix(flag, check+"-") || flag == "recipient-delimiter"
	}
	return false
}
