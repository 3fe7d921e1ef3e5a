package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	"mailweir/internal/state"
)

// autoState is the default of --state: the directory that systemd gives, or the usual one where it exists, else memory.
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

// validState reports a --state that no store has, without opening one.
func validState(flag string) error {
	spec := stateSpec(flag)
	kind, rest, _ := strings.Cut(spec, ":")
	switch {
	case spec == "memory:", kind == "file" && rest != "", (kind == "redis" || kind == "rediss") && strings.HasPrefix(rest, "//"):
		return nil
	}
	return fmt.Errorf("--state: %q is not a store; write file:DIR, redis://HOST:PORT, or memory: for trials", flag)
}

// openState opens the store of the daemon, and says when it goes out of reach and when it is back.
func openState(flag string, log *logrus.Logger, clock func() time.Time) (state.Store, error) {
	if err := validState(flag); err != nil {
		return nil, err
	}
	store, err := state.Open(context.Background(), stateSpec(flag), state.Options{
		Clock: clock,
		OnDown: func(err error) {
			log.WithError(err).Error("the state is out of reach; checks that need it do as their on-error says")
		},
		OnUp: func() { log.Info("the state is within reach again") },
	})
	if err != nil {
		return nil, fmt.Errorf("--state: %w", err)
	}
	return store, nil
}

func newState() *cobra.Command {
	return group("state", "Look at what checks remember, or move it", newStateStats(), newStateMigrate())
}

// stateStats is the command behind state stats.
var stateStats = runtimeCommand[nothing, state.Stats]{
	name: "state/stats",
	run: func(ctx context.Context, w commandWorld, _ nothing) (state.Stats, error) {
		return w.Store.Stats(ctx)
	},
}

func newStateStats() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Show how much checks remember",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stats, err := stateStats.call(cmd, nothing{})
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "SPACE\tROWS\tEVICTED")
			for _, s := range stats.Spaces {
				fmt.Fprintf(table, "%s\t%d\t%d\n", s.Space, s.Rows, s.Evicted)
			}
			if err := table.Flush(); err != nil {
				return err
			}
			fmt.Fprintf(out, "%d octets, %d rows not yet on disk, %d places held\n", stats.Bytes, stats.Pending, stats.Leases)
			for _, note := range stats.Notes {
				fmt.Fprintln(out, "note:", note)
			}
			return nil
		},
	}
	addSettings(cmd)
	return cmd
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
			var stores [2]state.Store
			for i, spec := range args {
				store, err := state.Open(cmd.Context(), spec, state.Options{})
				if err != nil {
					return fail(exUnavailable, "%v", err)
				}
				defer store.Close()
				stores[i] = store
			}
			total := 0
			if err := state.Migrate(cmd.Context(), stores[0], stores[1], func(n int) { total = n }); err != nil {
				return fail(exUnavailable, "after %d entries: %v", total, err)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d entries copied\n", total)
			return err
		},
	}
}
