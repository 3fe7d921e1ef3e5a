package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mailweir/checks"
	"mailweir/internal/record"
	"mailweir/internal/record/why"
)

// maxBounce bounds what is read of a bounce, in octets.
const maxBounce = 64 << 20

func newWhy() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "why [ID… | -]",
		Short: "Tell why a mail was refused, by the id in the reply",
		Long: `Tells a past decision: who, when, which check and why, what was asked and answered, what happened since, and what would let such mail
pass. IDs are those in replies, in bounces and in the log, such as mw-0a1b2c3d; a text around one does not matter. With -, or without arguments
where standard input is no terminal, a whole bounce or lines of the log are read from there, and every id in it is told.

Exit code 0: told. 1: an id is not in the record (of several found in a text: none of them is). 64: no id was given, or none stands in the text.
69: the record cannot be read. 78: the configuration is wrong.`,
		Example: `  mailweir why mw-0a1b2c3d
  mailweir why <bounce.eml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, strict, err := askedIDs(cmd.InOrStdin(), args)
			if err != nil {
				return err
			}
			t, _, done, err := openTeller(cmd)
			if err != nil {
				return err
			}
			defer done()
			return tellAll(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), t, ids, strict, asJSON)
		},
	}
	addSettings(cmd)
	shows(cmd, findsRecord)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one object a line")
	return cmd
}

// askedIDs are the ids that are asked for. Strict: each must be known; in a whole text there may be
// what only looks like one.
func askedIDs(in io.Reader, args []string) (ids []string, strict bool, err error) {
	if len(args) == 0 && !isTerminal(in) || slices.Equal(args, []string{"-"}) {
		text, err := io.ReadAll(io.LimitReader(in, maxBounce+1))
		switch {
		case err != nil:
			return nil, false, fail(exNoInput, "standard input: %v", err)
		case len(text) > maxBounce:
			return nil, false, fail(exDataErr, "standard input has more than %d MiB: give the id alone", maxBounce>>20)
		}
		if ids = why.FindIDs(text); len(ids) == 0 {
			return nil, false, fail(exUsage, "no id stands in this text; ids look like mw-0a1b2c3d")
		}
		return ids, false, nil
	}
	if len(args) == 0 {
		return nil, false, fail(exUsage, "give an id, such as mw-0a1b2c3d, or a bounce on standard input")
	}
	for _, arg := range args {
		found := why.FindIDs([]byte(arg))
		if id, ok := why.ReadID(arg); ok {
			found = []string{id}
		}
		if len(found) == 0 {
			return nil, false, fail(exUsage, "%q has no id; ids look like mw-0a1b2c3d", arg)
		}
		for _, id := range found {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids, true, nil
}

// isTerminal reports whether a person types there.
func isTerminal(in io.Reader) bool {
	file, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// openTeller opens the record for telling.
func openTeller(cmd *cobra.Command) (*why.Teller, *settings, func(), error) {
	reader, done, err := openRecord(cmd) // says what is wrong with the flags
	if err != nil {
		return nil, nil, nil, err
	}
	s := resolveAll(originOf(cmd))
	return s.teller(reader), s, done, nil
}

// teller tells what a record has, under these flags.
func (s *settings) teller(reader record.Reader) *why.Teller {
	overrides, _ := s.draft.Overrides() // a file that is wrong is noted elsewhere; the declarations stand
	return &why.Teller{Reader: reader, Registry: checks.Registry(), Overrides: overrides, Tables: s.tables, Clock: time.Now}
}

// tables are the tables that a flag names.
func (s *settings) tables(flag string) []string {
	f := s.flags.Lookup(flag)
	if f == nil {
		return nil
	}
	list, ok := f.Value.(interface{ GetSlice() []string })
	if !ok {
		return nil
	}
	return list.GetSlice()
}

// tellAll tells decisions one after the other.
func tellAll(ctx context.Context, out, errs io.Writer, t *why.Teller, ids []string, strict, asJSON bool) error {
	told, missing := 0, error(nil)
	for _, id := range ids {
		telling, err := t.Tell(ctx, id)
		var unknown *why.UnknownError
		switch {
		case errors.As(err, &unknown):
			missing = err
			fmt.Fprintln(errs, "mailweir:", err)
			continue
		case err != nil:
			return readFailed(err)
		}
		if err := writeTelling(out, telling, told, asJSON); err != nil {
			return err
		}
		told++
	}
	if missing != nil && (strict || told == 0) {
		return &exitError{code: 1}
	}
	return nil
}

func writeTelling(out io.Writer, t *why.Telling, before int, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(t)
	}
	if before > 0 {
		fmt.Fprintf(out, "\n%s\n\n", strings.Repeat("─", 72))
	}
	return t.Write(out)
}

// readFailed is an error of the record, which cannot be read.
func readFailed(err error) error { return &exitError{exUnavailable, recordError{err}} }
