package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	"mailweir/internal/state"
)

// autoState is the default of --state: the directory that systemd gives, or the usual one where it
// exists, else memory.
const autoState = "auto"

// usualState is the directory of the embedded store where nobody says otherwise.
const usualState = "/var/lib/mailweir"

// stateSpec resolves --state.
func stateSpec(flag string) string {
	if flag != autoState {
		return flag
	}
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" {
		dir, _, _ = strings.Cut(dir, ":") // systemd.exec(5): several are separated by colons
		return "file:" + dir
	}
	if info, err := os.Stat(usualState); err == nil && info.IsDir() {
		return "file:" + usualState
	}
	return "memory:"
}

// forgets says that the state is in memory though nobody has chosen that; "" where it is not.
func (d *daemonFlags) forgets() string {
	if *d.state != autoState || stateSpec(autoState) != "memory:" {
		return ""
	}
	ends := "what is remembered ends with the process"
	if recordSpec(d) == noRecord {
		ends += ", and decisions are not recorded"
	}
	return ends + ": name --state=file:DIR"
}

// stateInUse names the state as the line does that says ready.
func (d *daemon) stateInUse() string {
	f := d.settings.daemon
	if f.forgets() != "" {
		return "memory: (by default; what is remembered ends with the process)"
	}
	return stateSpec(*f.state)
}

// validState reports a --state that no store has, without opening one.
func validState(flag string) error {
	if err := state.Check(stateSpec(flag)); err != nil {
		return stateError{err}
	}
	return nil
}

// openState opens the store of the daemon, and says when it becomes unavailable and when it is
// back.
func openState(flag string, log *logrus.Logger, clock func() time.Time) (state.Store, error) {
	store, err := state.Open(context.Background(), stateSpec(flag), state.Options{
		Clock: clock,
		OnDown: func(err error) {
			if errors.Is(err, state.ErrUnwritten) {
				log.WithError(err).Error("the state cannot be written; checks continue in memory, which a restart loses, and commands that enter something fail")
				return
			}
			log.WithError(err).Error("the state is unavailable; checks that need it do as their on-error says")
		},
		OnUp: func() { log.Info("the state is available again") },
	})
	if err != nil {
		return nil, failedState(err)
	}
	return store, nil
}

// failedState is the error of a command that could not open --state: it says whether trying again
// may mend that.
func failedState(err error) error {
	damaged := (*state.DamagedError)(nil)
	dir := (*state.DirError)(nil)
	switch {
	case errors.As(err, &damaged):
		return &exitError{exDataErr, stateError{err}}
	case errors.Is(err, state.ErrNewer), errors.Is(err, state.ErrRefused), errors.As(err, &dir):
		return &exitError{exConfig, stateError{err}}
	}
	return &exitError{exUnavailable, stateError{err}}
}

// stateError is an error of a store, with the flag that names the store in front instead of the
// store's own prefix.
type stateError struct{ err error }

func (e stateError) Error() string { return "--state: " + strings.TrimPrefix(e.err.Error(), "state: ") }

func (e stateError) Unwrap() error { return e.err }

// openExisting opens the store for a command. It makes no directory: a daemon would not look there.
func openExisting(ctx context.Context, spec string) (state.Store, error) {
	if dir, isFile := strings.CutPrefix(spec, "file:"); isFile {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return nil, fail(exUnavailable, "--state: there is no directory %s; a daemon that keeps its state there makes it", dir)
		}
	}
	store, err := state.Open(ctx, spec, state.Options{Clock: time.Now})
	if err != nil {
		return nil, failedState(err)
	}
	return store, nil
}

func newStateMigrate() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate FROM TO",
		Short: "Copy what checks remember from one store to another",
		Long: `Copies every entry with its lifetime. Stop the daemon first: what it writes meanwhile would be left behind, and it holds
an embedded store. Entries that are in TO already are replaced.`,
		Example: "  mailweir state migrate file:/var/lib/mailweir redis://127.0.0.1:6379",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fail(exUsage, "state migrate wants FROM and TO")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return migrate(cmd, args[0], args[1])
		},
	}
}
