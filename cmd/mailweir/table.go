package main

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mailweir/internal/resource"
	"mailweir/internal/table"
	"mailweir/internal/table/remote"
)

func newTable() *cobra.Command {
	return group("table", "Look into lookup tables", &cobra.Command{
		Use:   "query TYPE:SOURCE KEY...",
		Short: "Look keys up as postmap -q does",
		Long: `Prints the value of each key that is in the table. With - as the key, keys come from standard input, one a line, and each that is
found is printed as key, tab, value. The exit code is 1 when nothing was found.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return fail(exUsage, "table query wants TYPE:SOURCE and a key")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			t, release, err := openTable(args[0])
			if err != nil {
				return &exitError{exConfig, err}
			}
			defer release()
			found, err := query(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), t, args[1:])
			if err == nil && !found {
				return &exitError{code: 1}
			}
			return err
		},
	})
}

// openTable opens one table, whose answers are not kept. release lets it go.
func openTable(spec string) (t *table.Table, release func(), err error) {
	var pool resource.Pool
	held := pool.Hold()
	elsewhere := remote.Opener{Kinds: tableKinds()}
	loader := table.NewLoader(nil)
	loader.Waiting = func(kind, source string) (table.Waiting, error) { return elsewhere.Open(held, nil, kind, source) }
	t, err = loader.Open(spec)
	return t, func() { _ = held.Release() }, err
}

func query(ctx context.Context, in io.Reader, out io.Writer, t *table.Table, keys []string) (found bool, err error) {
	for _, key := range keys {
		if key == "-" {
			some, err := queryAll(ctx, in, out, t)
			if err != nil {
				return false, err
			}
			found = found || some
			continue
		}
		m, err := t.Lookup(ctx, key)
		if err != nil {
			return found, &exitError{exUnavailable, err}
		}
		if !m.Found() {
			continue
		}
		found = true
		if _, err := fmt.Fprintln(out, m.Value); err != nil {
			return false, err
		}
	}
	return found, nil
}

func queryAll(ctx context.Context, in io.Reader, out io.Writer, t *table.Table) (found bool, err error) {
	w := bufio.NewWriter(out)
	keys := bufio.NewScanner(in)
	keys.Buffer(nil, 1<<20)
	for keys.Scan() {
		m, err := t.Lookup(ctx, keys.Text())
		if err != nil {
			_ = w.Flush() // what was found before
			return found, &exitError{exUnavailable, err}
		}
		if m.Found() {
			found = true
			fmt.Fprintf(w, "%s\t%s\n", keys.Text(), m.Value)
		}
	}
	if err := keys.Err(); err != nil {
		return found, err
	}
	return found, w.Flush()
}
