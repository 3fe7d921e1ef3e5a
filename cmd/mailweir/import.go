package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"mailweir/internal/importing"
	"mailweir/internal/importing/access"
	"mailweir/internal/importing/dnslists"
	"mailweir/internal/importing/headerchecks"
	"mailweir/internal/importing/logins"
	"mailweir/internal/importing/postgrey"
	"mailweir/internal/importing/rspamd"
	"mailweir/internal/mta"
)

// importSources are what can be imported. Where several write lines of one flag, the lines stand in
// this order.
func importSources() []importing.Source {
	return []importing.Source{access.Source(), logins.Source(), headerchecks.Source(), dnslists.Source(), postgrey.Source(), rspamd.Source()}
}

// importFragment is the file of the directory of flags that "mailweir import" writes; importDir is
// the directory for the files that it names, beside the directory of flags.
const (
	importFragment = "40-import.conf"
	importDir      = "imported"
)

// importQuestion is what the command line says of an import.
type importQuestion struct {
	postfixDir, root       string
	dryRun, yes, json, all bool
}

func newImport() *cobra.Command {
	q := &importQuestion{}
	cmd := &cobra.Command{
		Use:   "import [WHAT[:PATH]…]",
		Short: "Carry over what Postfix and its helpers were told: lists, weights, exceptions",
		Long: `Reads the Postfix of this host by postconf, the tables that it names, and what else it finds; says of each line whether it is
carried, changed or left, and why; shows what it would write, and asks. Files go to /etc/mailweir/` + importDir + `, flags to conf.d/` + importFragment + `.
Nothing of Postfix is changed, and nothing that is imported refuses mail before "mailweir enforce", unless --default-mode says otherwise.

What you edit in these files stays: a later run does not write it over. Run again, the command shows what is new in the old configuration
since. WHAT is postfix, postgrey, rspamd, or one of the sources below; PATH is where it is if not at the usual place. A PATH alone
is a directory with a main.cf.

` + importable() + `
Exit code 0: done, or nothing to do. 1: nothing was written. 64: wrong use. 77: this user may not read or write that. 78: the
configuration is wrong already.`,
		Example: `  mailweir import --dry-run
  mailweir import
  mailweir import postgrey:/srv/old/etc/postgrey
  mailweir import --root=/srv/old
  mailweir import -c /etc/postfix-mx dnslists`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if q.json && !q.dryRun && !q.yes {
				return fail(exUsage, "--json asks nothing: give --dry-run or --yes, too")
			}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
			defer stop()
			return importError(untilSignal(ctx, signalGrace, func() error { return q.run(ctx, cmd, args) }))
		},
	}
	addSettings(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&q.dryRun, "dry-run", false, "show what would be written, and write nothing")
	flags.BoolVarP(&q.yes, "yes", "y", false, "do not ask")
	flags.BoolVar(&q.json, "json", false, "write the report as JSON, for programs")
	flags.BoolVar(&q.all, "all", false, "of a later run, too, show every line, not only what is new")
	flags.StringVarP(&q.postfixDir, "postfix-config-dir", "c", "", "configuration `DIR` of the Postfix that is read, where there are several")
	flags.StringVar(&q.root, "root", "", "`DIR` that stands for / where files of another host were copied")
	return cmd
}

// importable lists the sources for the help.
func importable() (text string) {
	for _, s := range importSources() {
		text += fmt.Sprintf("  %-14s %s\n", s.Name, s.Title)
	}
	return text
}

// run reads, shows, asks and writes.
func (q *importQuestion) run(ctx context.Context, cmd *cobra.Command, args []string) error {
	s := resolveAll(originOf(cmd))
	if s.found.Dir == "" {
		return fail(exUsage, "--config-dir is empty, so mailweir would not read what is imported")
	}
	into, err := newImportTarget(s)
	if err != nil {
		return err
	}
	chosen, err := chooseSources(importSources(), args)
	if err != nil {
		return err
	}
	read, from, notes, err := q.read(ctx, chosen, into)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errSignal
	}
	plan, err := importing.NewPlan(into.target(), read)
	if err != nil {
		return err
	}
	if from != nil && q.root != "" {
		from.Config = strings.TrimPrefix(from.Config, filepath.Clean(q.root)) // as it is called on that host
	}
	report := plan.Report(from)
	report.Notes = slices.Concat(notes, report.Notes, into.remarks(report.Checks, plan.Fragment()))
	out := cmd.OutOrStdout()
	if !q.json {
		if err := report.Write(out, q.all); err != nil {
			return err
		}
	}
	if !q.dryRun {
		if err := q.apply(ctx, cmd, plan, report); err != nil {
			return err
		}
	}
	var remembered string
	if !q.dryRun {
		remembered, err = importMemory(cmd, read)
	}
	if q.json {
		if remembered != "" {
			report.Notes = append(report.Notes, strings.TrimSpace(remembered))
		}
		return errors.Join(report.JSON(out), err)
	}
	if q.dryRun {
		return nil
	}
	if err := errors.Join(report.WriteDone(out), err); err != nil {
		return err
	}
	_, err = io.WriteString(out, remembered)
	return err
}

// apply asks, and writes.
func (q *importQuestion) apply(ctx context.Context, cmd *cobra.Command, plan *importing.Plan, report *importing.Report) error {
	if err := q.mayWrite(ctx, cmd, !plan.Nothing()); err != nil {
		return err
	}
	if err := plan.Apply(time.Now()); err != nil {
		return err
	}
	report.Written = true
	return nil
}

// importError gives an error of import its exit code.
func importError(err error) error {
	var wrong *importing.ConfigError
	var exit *exitError
	switch {
	case err == nil, errors.As(err, &exit):
		return err
	case errors.As(err, &wrong):
		return &exitError{exConfig, err}
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0:
		return fail(exNoPerm, "%w; run it as root", err)
	}
	return &exitError{1, err}
}

// below is a path of the old host.
func (q *importQuestion) below(path string) string { return filepath.Join("/", q.root, path) }

// programs runs what reads the old configuration.
func (q *importQuestion) programs() mta.Run { return mta.Programs(programsWithin) }
