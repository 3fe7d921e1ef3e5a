package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mailweir/internal/admin"
	"mailweir/internal/state"
)

func newStateBackup() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write what checks remember into a file, while the daemon runs",
		Long: `Writes everything that the state in files (--state=file:DIR) holds at one moment, with all that was acknowledged before it, into FILE,
which only its owner may read. The daemon is asked for it where one runs, and goes on. A FILE that exists is replaced at the
end. Redis is backed up by its own means. See docs/operate/backup.md.`,
		Example: "  mailweir state backup /var/backups/mailweir.state",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fail(exUsage, "state backup wants a FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			size, err := backUp(cmd, args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d octets written to %s\n", size, args[0])
			return err
		},
	}
	addSettings(cmd)
	shows(cmd, findsDaemon)
	return cmd
}

// backUp fetches a backup into a file beside the one that is meant, and renames that when it is
// whole.
func backUp(cmd *cobra.Command, name string) (size int64, err error) {
	if name, err = backupPlace(name); err != nil {
		return 0, err
	}
	dir := filepath.Dir(name)
	file, err := os.CreateTemp(dir, "."+filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return 0, &exitError{exIOErr, err}
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	size, err = fetchBackup(cmd, file)
	if err != nil {
		return 0, errors.Join(err, file.Close())
	}
	err = errors.Join(file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return 0, &exitError{exIOErr, err}
	}
	return size, nil
}

// backupPlace is where a file of that name is: behind a symbolic link, if it is one. What is no
// file, such as /dev/stdout, must not be replaced by one.
func backupPlace(name string) (string, error) {
	if name == "-" {
		return "", fail(exUsage, "state backup wants a FILE: it writes nothing to standard output")
	}
	info, err := os.Stat(name)
	if errors.Is(err, os.ErrNotExist) {
		return name, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		return "", fail(exUsage, "state backup wants a FILE, and %s is none", name)
	}
	if err == nil {
		name, err = filepath.EvalSymlinks(name)
	}
	if err != nil {
		return "", &exitError{exIOErr, err}
	}
	return name, nil
}

func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// fetchBackup gets the snapshot of the daemon or, where none runs, of the state itself.
func fetchBackup(cmd *cobra.Command, into *os.File) (int64, error) {
	s, err := commandSettings(cmd)
	if err != nil {
		return 0, err
	}
	address, spec := *s.daemon.control, stateSpec(*s.daemon.state)
	if address != "" {
		client, err := dial(address)
		if err != nil {
			return 0, err
		}
		defer client.Close()
		n, err := fetchParts(cmd.Context(), client, into)
		if err == nil || !errors.Is(err, admin.ErrNotRunning) {
			return n, at(address, err)
		}
	}
	store, err := openExisting(cmd.Context(), spec)
	if err != nil {
		return 0, err
	}
	defer store.Close()
	from, err := state.Snapshot(store)
	if err != nil {
		return 0, failedState(err)
	}
	defer from.Close()
	n, err := io.Copy(into, from)
	if err != nil {
		return n, &exitError{exIOErr, err}
	}
	return n, nil
}

// fetchParts asks the daemon for one part after the other.
func fetchParts(ctx context.Context, client *admin.Client, into *os.File) (int64, error) {
	for next := (admin.BackupPart{}); ; {
		body, err := json.Marshal(next)
		if err != nil {
			return 0, err
		}
		answer, err := client.Do(ctx, admin.Request{Operation: admin.StateBackup, Within: admin.BackupWithin, Body: body})
		if errors.Is(err, admin.ErrNotRunning) {
			return 0, err
		}
		if err != nil {
			return 0, operationError(err)
		}
		var part admin.BackupOctets
		if err := json.Unmarshal(answer, &part); err != nil {
			return 0, err
		}
		if _, err := into.Write(part.Octets); err != nil {
			return 0, &exitError{exIOErr, err}
		}
		next = admin.BackupPart{ID: part.ID, Offset: next.Offset + int64(len(part.Octets))}
		if next.Offset >= part.Size {
			return next.Offset, nil
		}
		if len(part.Octets) == 0 {
			return 0, fail(exSoftware, "the daemon's backup ends after %d of %d octets", next.Offset, part.Size)
		}
	}
}

func newStateRestore() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of what checks remember, while the daemon is stopped",
		Long: `Looks through FILE, which "state backup" has written, and puts it in the place of the state in files (--state=file:DIR). What was there
stays beside it under a name with today's date. Nothing is touched while a process holds the state, or if FILE is not whole.`,
		Example: "  systemctl stop mailweir.socket mailweir\n  mailweir state restore /var/backups/mailweir.state\n  systemctl start mailweir.socket mailweir",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fail(exUsage, "state restore wants a FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return restoreState(cmd, args[0]) },
	}
	addSettings(cmd)
	shows(cmd, findsDaemon)
	return cmd
}

func restoreState(cmd *cobra.Command, backup string) error {
	s, err := commandSettings(cmd)
	if err != nil {
		return err
	}
	spec := stateSpec(*s.daemon.state)
	dir, isFile := strings.CutPrefix(spec, "file:")
	if !isFile {
		return fail(exUsage, "--state is %s, and only a state in files (file:DIR) is restored here", spec)
	}
	if _, err := os.Stat(dir); err != nil {
		return fail(exUnavailable, "--state: %v", err)
	}
	done, err := state.Restore(dir, backup, time.Now())
	wrong, held := (*state.BackupError)(nil), (*state.HeldError)(nil)
	switch {
	case err == nil:
	case errors.As(err, &held):
		return fail(exUnavailable, "--state: %s is held by process %s since %s: stop that one first (systemctl stop mailweir.socket mailweir)", held.Dir, held.PID, held.Since)
	case errors.As(err, &wrong):
		return &exitError{exDataErr, err}
	case errors.Is(err, os.ErrNotExist):
		return fail(exNoInput, "%s", strings.TrimPrefix(err.Error(), "state: "))
	default:
		return failedState(err)
	}
	text := fmt.Sprintf("%d entries restored\n", done.Rows)
	if done.Kept != "" {
		text += fmt.Sprintf("what was there is now %s\n", done.Kept)
	}
	_, err = fmt.Fprint(cmd.OutOrStdout(), text)
	return err
}
