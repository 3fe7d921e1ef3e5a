package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mailweir/internal/attach"
	"mailweir/internal/config"
	"mailweir/internal/mta"
)

// attachState is where init keeps its journal and copies. It is root's alone, and not below the
// directory of mailweir's own state: whoever may write there says what an undo puts back.
const attachState = "/var/lib/mailweir-init"

// programsWithin is how long a program of the mail server or systemd may take: a stop waits for
// messages in progress.
const programsWithin = 2 * time.Minute

func newInit() *cobra.Command {
	var undo, dryRun, yes bool
	var choice attach.Choice
	var journal string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Attach mailweir to the Postfix or Sendmail of this host, or take it away again",
		Long: `Reads the mail server's configuration, shows what it would change as a diff and asks before it writes anything: 50-init.conf
(local domains, trusted networks, services, size limit, recipients), drop-ins for systemd, and the mail server's own lines. Then it starts mailweir,
has the mail server read its files again, and asks it as a client does, up to the recipient. If it is silent, or does not ask
mailweir, everything becomes what it was. While mailweir does not answer, mail passes (default_action=accept) until checks are enforced.

Run again after a change of the mail server, it shows only what has changed since. --undo takes our part out and leaves what others have changed.`,
		Example: `  mailweir init --dry-run
  mailweir init
  mailweir init --postfix-config-dir=/etc/postfix-mx
  mailweir init --undo`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if undo && dryRun {
				return fail(exUsage, "--dry-run goes without --undo")
			}
			if choice.PostfixDir != "" && choice.SendmailDir != "" {
				return fail(exUsage, "--postfix-config-dir and --sendmail-config-dir exclude each other")
			}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
			defer stop()
			// What is wrong may stand in what init has written before: the plan tries all but that.
			s := resolveAll(originOf(cmd))
			h := attachHost(s, cmd.OutOrStdout())
			h.State = journal
			switch {
			case undo:
				return initError(h.Undo(ctx))
			case s.found.Dir == "":
				return fail(exUsage, "--config-dir is empty, so mailweir would not read what init writes")
			case dryRun:
				return initError(h.Preview(ctx, choice, cmd.OutOrStdout()))
			}
			return initError(h.Init(ctx, choice, cmd.OutOrStdout(), consent(cmd, yes)))
		},
	}
	addSettings(cmd)
	cmd.Flags().BoolVar(&undo, "undo", false, "take away what init has done")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be done, and do nothing")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().StringVar(&journal, "journal", attachState, "directory, root's alone, for what undo needs: journal and copies of files")
	cmd.Flags().StringVar(&choice.PostfixDir, "postfix-config-dir", "", "configuration directory of the Postfix that takes mail from outside, where there are several")
	cmd.Flags().StringVar(&choice.SendmailDir, "sendmail-config-dir", "", "directory of sendmail.mc and sendmail.cf, where the host has Postfix, too")
	return cmd
}

// initError gives an error of init its exit code.
func initError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, attach.ErrConfig):
		return &exitError{exConfig, err}
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0:
		return fail(exNoPerm, "%w; run it as root", err)
	}
	return &exitError{1, err}
}

// consent asks at the terminal. Where there is none, nobody agrees.
func consent(cmd *cobra.Command, yes bool) attach.Ask {
	return func() (bool, error) {
		if yes {
			return true, nil
		}
		in, ok := cmd.InOrStdin().(*os.File)
		if !ok || !term.IsTerminal(int(in.Fd())) {
			return false, fmt.Errorf("%w: standard input is no terminal at which to ask; %s --yes does not ask", attach.ErrUnchanged, cmd.CommandPath())
		}
		if _, err := fmt.Fprint(cmd.OutOrStdout(), "\nDo this? [y/N] "); err != nil {
			return false, err
		}
		answer, err := bufio.NewReader(in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		answer = strings.ToLower(strings.TrimSpace(answer))
		return answer == "y" || answer == "yes", nil
	}
}

// attachHost is this host for package attach.
func attachHost(s *settings, out io.Writer) *attach.Host {
	h := &attach.Host{
		Run:       mta.Programs(programsWithin),
		Etc:       filepath.Dir(s.found.Dir),
		Fragments: s.found.Dir,
		State:     attachState,
		Listen:    s.daemon.addresses(),
		Check:     func(_ context.Context, fragments string) error { return checkWith(s.origin, fragments) },
		Asked:     func(ctx context.Context) (uint64, error) { return timesAsked(ctx, *s.daemon.http) },
		Now:       time.Now,
		Say:       func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) },
	}
	if _, err := os.Stat("/run/systemd/system"); err == nil { // sd_booted(3)
		h.Units = "/etc/systemd/system"
	}
	return h
}

// checkWith builds the policy with another directory of fragments, and throws it away.
func checkWith(from config.Origin, fragments string) error {
	given := config.Given{config.DirFlag: {fragments}}
	for name, values := range from.Given {
		if name != config.DirFlag {
			given[name] = values
		}
	}
	from.Given = given
	s, err := resolve(from)
	if err != nil {
		return err
	}
	if err := s.daemon.validate(); err != nil {
		return err
	}
	backends, err := emptyBackends(s.daemon)
	if err != nil {
		return err
	}
	defer closeBackends(backends)
	p, err := s.draft.Build(backends, nil)
	if err != nil {
		return err
	}
	p.Close()
	return nil
}
