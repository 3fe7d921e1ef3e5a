package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"mailweir/internal/config"
	"mailweir/internal/record"
	"mailweir/internal/replay"
	"mailweir/internal/runner"
)

// replayFlags say what is judged again, and by what.
type replayFlags struct {
	with          string
	since, until  *momentFlag
	changed, json bool
}

func newReplay() *cobra.Command {
	f := &replayFlags{}
	cmd := &cobra.Command{
		Use:   "replay --with=FILE [flags]",
		Short: "Judge recorded mail under another configuration",
		Long: `Judges the mail of the record again, under the configuration of another file, and shows what would be decided otherwise: from what to
what, and why. The flags given here apply on top of that file, as they do to the daemon. Nothing is asked of DNS, servers, scanners or
state: all say what they said then. Lists in files are read as they are now.

What cannot be told is said and not guessed: a check that would have to see the body, which is not kept, or that asks what was not asked
then. A check whose settings and lists are those of then repeats what it said, so that its mode can be tried: monitor or enforce.

Exit code 0: nothing changes. 1: something does. 2: of more than half of the decisions it cannot be told, or there are none. 64: wrong
use. 69: the record cannot be read. 78: a configuration is wrong.`,
		Example: `  mailweir replay --with=new.conf
  mailweir replay --with=/etc/mailweir/mailweir.conf --greylist=enforce --since=2d --changed`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runReplay(cmd, f) },
	}
	addSettings(cmd)
	shows(cmd, findsRecord)
	flags := cmd.Flags()
	flags.StringVar(&f.with, "with", "", "`FILE` with the configuration to judge by")
	f.since = addMoment(flags, "since", "7d", "from when: so long ago, a day or a time")
	f.until = addUntil(flags, "until", "", "up to when; a day counts whole")
	flags.BoolVar(&f.changed, "changed", false, "leave out what cannot be told")
	flags.BoolVar(&f.json, "json", false, "print JSON, one object a line; the last has the sums")
	return cmd
}

func runReplay(cmd *cobra.Command, f *replayFlags) error {
	now := time.Now()
	since, until := f.since.at(now), f.until.at(now)
	switch {
	case f.with == "":
		return fail(exUsage, "name the configuration to judge by: --with=FILE")
	case !until.IsZero() && !since.Before(until):
		return fail(exUsage, "--since=%s is not before --until=%s", f.since, f.until)
	}
	from := originOf(cmd)
	from.Given[config.FileFlag] = []string{f.with}
	s, err := resolve(from)
	if err != nil {
		return &exitError{exConfig, err}
	}
	reader, done, err := openRecord(cmd)
	if err != nil {
		return err
	}
	defer done()
	world, err := replay.NewWorld()
	if err != nil {
		return err
	}
	defer world.Close()
	p, err := s.draft.Build(world.Backends(), nil)
	if err != nil {
		return &exitError{exConfig, s.placedAll(err)}
	}
	return judgeRecord(cmd, f, reader, world, p, since, until)
}

func judgeRecord(cmd *cobra.Command, f *replayFlags, reader record.Reader, world *replay.World, p *runner.Policy, since, until time.Time) error {
	known, err := replay.Known(cmd.Context(), reader)
	if err != nil {
		p.Close()
		return &exitError{exUnavailable, recordError{err}}
	}
	j := replay.NewJudge(world, p, reader, known)
	defer j.Close()
	out := replay.NewPrinter(cmd.OutOrStdout(), f.json)
	sums, err := j.Run(cmd.Context(), since, until, func(r replay.Result) error {
		if r.Kind == replay.Unchanged || f.changed && r.Kind == replay.CannotTell {
			return nil
		}
		return out.Result(r)
	})
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case err != nil:
		return &exitError{exUnavailable, recordError{err}}
	}
	if err := out.Sums(sums); err != nil {
		return err
	}
	if code := sums.Verdict(); code != 0 {
		return &exitError{code, nil}
	}
	return nil
}
