package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mailweir/internal/admin"
	"mailweir/internal/config"
	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// flushWithin is how long a command waits for the daemon to write the last second.
const flushWithin = 5 * time.Second

// openRecord opens the record for a command that reads it. A running daemon writes first what it
// has taken, so that the last second is seen; without one the command reads what there is. done
// ends the use.
func openRecord(cmd *cobra.Command) (reader record.Reader, done func(), err error) {
	s, err := commandSettings(cmd)
	if err != nil {
		return nil, nil, err
	}
	if err := s.daemon.record.validate(); err != nil {
		return nil, nil, &exitError{exConfig, err}
	}
	note := func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), "note:", config.Masked(text)) }
	if text := flushRecord(cmd.Context(), *s.daemon.control); text != "" {
		note(text)
	}
	spec := recordSpec(s.daemon)
	if spec == noRecord {
		return nil, nil, errNoRecord(s.daemon)
	}
	store, err := opening{s.daemon.record, note, nil, true}.store(cmd.Context(), spec)
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(spec, "file:"):
		return nil, nil, fail(exUnavailable, "there is no record yet in %s: a daemon with --record=%s makes it", spec, spec)
	case errors.Is(err, fs.ErrPermission):
		return nil, nil, &exitError{exNoPerm, recordError{err}}
	case err != nil:
		return nil, nil, &exitError{exUnavailable, recordError{err}}
	}
	return store, func() { _ = store.Close() }, nil // nothing was written
}

// errNoRecord says how to have a record.
func errNoRecord(f *daemonFlags) error {
	if *f.record.where == noRecord {
		return fail(exUnavailable, "there is no record (--record=off): --record=file:/var/lib/mailweir/record keeps one from the next start on")
	}
	return fail(exUnavailable, "there is no record: --record=auto keeps one beside a state in files, and --state is %s; name --record=file:DIR, or the --config of the daemon", config.Masked(stateSpec(*f.state)))
}

// flushRecord has the daemon write what it has taken. What keeps it from that is returned as a
// note, "" for nothing, and where no daemon runs.
func flushRecord(ctx context.Context, address string) string {
	if address == "" {
		return ""
	}
	path, err := admin.SocketPath(address)
	if err != nil {
		return "--control: " + err.Error()
	}
	client := admin.NewClient(path)
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, flushWithin)
	defer cancel()
	err = client.Ask(ctx, recordFlush, policy.Nothing{}, &policy.Nothing{})
	if err == nil || errors.Is(err, admin.ErrNotRunning) {
		return ""
	}
	return fmt.Sprintf("%v: the last seconds may be missing", at(address, err))
}
