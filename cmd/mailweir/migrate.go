package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"mailweir/internal/state"
)

// migrate copies what the store from holds.
func migrate(cmd *cobra.Command, from, to string) error {
	for _, spec := range []string{from, to} {
		if err := state.Check(spec); err != nil {
			return fail(exUsage, "%v", err)
		}
		if spec == "memory:" {
			return fail(exUsage, "memory: ends with its process: nothing can be copied from there or be kept there")
		}
	}
	source, err := openSource(cmd.Context(), from)
	if err != nil {
		return err
	}
	defer source.Close()
	note, err := prepareTarget(from, to)
	if err != nil {
		return fail(exUnavailable, "%v", err)
	}
	target, err := state.Open(cmd.Context(), to, state.Options{})
	if err != nil {
		return failedState(err)
	}
	defer target.Close()
	total := 0
	if err := state.Migrate(cmd.Context(), source, target, func(n int) { total = n }); err != nil {
		return fail(exUnavailable, "after %d entries: %v", total, err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d entries copied\n%s", total, note)
	return err
}

// openSource opens what is copied. Where nothing is, nothing is made.
func openSource(ctx context.Context, spec string) (state.Store, error) {
	if dir, isFile := strings.CutPrefix(spec, "file:"); isFile {
		there, err := state.HasState(dir)
		if err == nil && !there {
			err = fmt.Errorf("there is no state in %s", dir)
		}
		if err != nil {
			return nil, fail(exUnavailable, "%v", err)
		}
	}
	store, err := state.Open(ctx, spec, state.Options{})
	if err != nil {
		return nil, failedState(err)
	}
	return store, nil
}

// prepareTarget makes a directory that is not there for the user who has that of from. note says
// what root has to do where there is none.
func prepareTarget(from, to string) (note string, err error) {
	dir, isFile := strings.CutPrefix(to, "file:")
	if !isFile {
		return "", nil
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		return "", err
	}
	if like, isFile := strings.CutPrefix(from, "file:"); isFile {
		return "", state.MakeDir(dir, like)
	}
	if os.Geteuid() == 0 {
		note = fmt.Sprintf("note: %s belongs to root: give it to the user that mailweir runs as (chown -R USER: %s)\n", dir, dir)
	}
	return note, nil
}
