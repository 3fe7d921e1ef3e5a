package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mailweir/internal/config"
	"mailweir/internal/doctor"
	"mailweir/internal/mta"
	"mailweir/internal/policy"
	"mailweir/internal/terminal"
)

// doctorWithin is how long the whole report may take, runWithin one program of the mail server's.
const (
	doctorWithin = 30 * time.Second
	runWithin    = 10 * time.Second
)

// usualSendmail is where sendmail.cf is.
const usualSendmail = "/etc/mail"

// doctorFlags are its own.
type doctorFlags struct {
	postfix, skip *[]string
	sendmail      *string
	json          *bool
}

func newDoctor() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what is wrong between mail server, mailweir and host, and how to mend it",
		Long: `Looks at Postfix or Sendmail, at the configuration, at the running mailweir and at the host, and writes a line for each finding:

  LEVEL WHAT: WHY; COMMAND

Level is ok; remark, which works and is likely not what you expect; fault, by which mail is lost, held up or let through unseen; or
unknown, which could not be looked at, most often for want of rights: run it as root. The command mends it. Nothing is changed. Scanners
are sent the harmless samples EICAR and GTUBE. docs/reference/doctor.md explains each finding.

The exit code is 2 with a fault, 1 with a remark, else 0. Within 30 seconds it comes to its end, whatever hangs.`,
		Example: "  sudo mailweir doctor\n  mailweir doctor --json --skip=non-smtpd,milter-maps",
		Args:    noArguments,
	}
	flags := policy.NewFlags(cmd.Flags(), "")
	own := &doctorFlags{
		postfix:  flags.Words("postfix-config-dir", nil, "DIR,…", "directories of main.cf, in place of those that postmulti knows"),
		sendmail: flags.String("sendmail-config-dir", usualSendmail, "DIR", "directory of sendmail.cf and sendmail.mc"),
		skip:     flags.Words("skip", nil, "WHAT,…", "what is as you want it, and need not be said"),
		json:     flags.Bool("json", false, "write the report for programs"),
	}
	addSettings(cmd)
	shows(cmd, findsDaemon)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd, own) }
	return cmd
}

func runDoctor(cmd *cobra.Command, own *doctorFlags) error {
	for _, id := range *own.skip {
		if !slices.ContainsFunc(doctor.Examinations(), func(e doctor.Examination) bool { return e.ID == id }) {
			return fail(exUsage, "--skip: there is no examination %q", id)
		}
	}
	g := &gathering{
		settings: resolveAll(originOf(cmd)),
		run:      mta.Programs(runWithin),
		servers:  doctor.Servers{Postfix: *own.postfix, Sendmail: filepath.Join(*own.sendmail, "sendmail.cf"), Root: os.Geteuid() == 0},
		skip:     *own.skip,
	}
	g.servers.Run = g.run
	ctx, cancel := context.WithTimeout(cmd.Context(), doctorWithin)
	defer cancel()
	report := doctor.Examine(g.gather(ctx), *own.skip)
	for i := range report.Findings {
		f := &report.Findings[i]
		f.Why, f.Subject = config.Masked(f.Why), config.Masked(f.Subject)
	}
	out := terminal.NewWriter(cmd.OutOrStdout())
	write := report.WriteText
	if *own.json {
		write = report.WriteJSON
	}
	if err := write(out); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	if code := report.Exit(); code != 0 {
		return &exitError{code: code}
	}
	return nil
}

// again is the command that reports once more, as root.
func again() string {
	var words []string
	if os.Geteuid() != 0 {
		words = append(words, "sudo")
	}
	return strings.Join(append(words, "mailweir", "doctor"), " ")
}
