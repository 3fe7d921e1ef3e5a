package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mailweir/internal/admin"
	"mailweir/internal/byhand"
	"mailweir/internal/config"
	"mailweir/internal/policy"
	"mailweir/internal/terminal"
	"mailweir/internal/textfile"
)

func newEnforce() *cobra.Command {
	var all, undo, yes bool
	var note string
	cmd := &cobra.Command{
		Use:   "enforce [CHECK…]",
		Short: "Have checks refuse mail from now on, or take that back",
		Long: `Writes CHECK = enforce into ` + modesFile + ` of the directory of --config-dir, looks whether the configuration is valid with it, has the running daemon
load it, and ends what "mailweir monitor" has ordered of the check. All else in that file stays; if anything is wrong, nothing is changed. Without
arguments it shows how every check stands, and changes nothing.

Some checks can hardly hurt mail that is wanted, and may be enforced on the first day. Others should be watched for a week: they want --yes, unless
"mailweir would" says that they are safe to enforce. --all takes what is safe, and all that is configured with --yes.

The first one that is enforced also has the mail server try again later while mailweir does not answer (default_action=tempfail), where mailweir init has attached it.
--undo takes lines of this command out again.

Exit code 0: done. 64: wrong use, or more is to be known first. 69: the daemon did not take it; the file is as it was. 77: this user may not write the
file. 78: the configuration is wrong, or something outranks the file.`,
		Example: `  mailweir enforce
  mailweir enforce client-block sender-block
  mailweir enforce greylist --yes --note='watched since May'
  mailweir enforce --undo greylist`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := readSettings(cmd)
			if err != nil {
				return err
			}
			if all && (len(args) > 0 || undo) {
				return fail(exUsage, "--all goes without checks and without --undo")
			}
			e := &enforcing{cmd: cmd, s: s, out: cmd.OutOrStdout(), yes: yes, all: all, note: note, here: s.standing()}
			if e.standing, e.running, err = s.standingNow(cmd.Context()); err != nil {
				return operationError(err)
			}
			switch {
			case undo:
				return e.undo(args)
			case !all && len(args) == 0:
				return e.show()
			}
			return e.enforce(args)
		},
	}
	addSettings(cmd)
	shows(cmd, findsDaemon)
	cmd.Flags().BoolVar(&all, "all", false, "every check that is configured and safe to enforce; with --yes every one that is configured")
	cmd.Flags().BoolVar(&undo, "undo", false, "take the lines of these checks out of "+modesFile+" again")
	cmd.Flags().BoolVar(&yes, "yes", false, "do it, though the check should be watched for a week first")
	cmd.Flags().StringVar(&note, "note", "", "why, for those who look at it later: `TEXT`")
	return cmd
}

// enforcing is one use of the command.
type enforcing struct {
	cmd      *cobra.Command
	s        *settings
	out      io.Writer
	standing standing // of the daemon
	here     standing // by the flags of this command
	running  bool     // a daemon answers
	yes, all bool
	note     string
}

func (e *enforcing) file() string { return filepath.Join(e.s.found.Dir, modesFile) }

// show tells how every check stands, and when it may be enforced.
func (e *enforcing) show() error {
	off, err := e.off(nil)
	if err != nil {
		return err
	}
	table := terminal.NewTable(e.out, "CHECK", "MODE", "ENFORCE IT", "")
	for _, c := range e.checks() {
		mode, when := e.standing.Checks[c.Name].Mode.String(), c.Proof.String()
		switch {
		case off[c.Name] != "":
			mode, when = policy.Off.String(), off[c.Name]
		case e.standing.Checks[c.Name].Mode == policy.Enforce:
			when = "it is enforced"
		}
		table.Row(c.Name, mode, when)
	}
	return table.Flush()
}

// checks are those that there are.
func (e *enforcing) checks() []*policy.Check { return e.s.draft.Registry().Checks }

// off says of each check why it has nothing to do, "" where it has something, if the file of modes
// enforces these.
func (e *enforcing) off(names []string) (map[string]string, error) {
	text, err := e.text()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text = config.SetLine(text, name, policy.Enforce.String())
	}
	s := e.with(text)
	c, err := newChecked(s)
	if err != nil {
		return nil, &exitError{exConfig, s.mistakes(err, lookAtAll)}
	}
	defer c.close()
	off := map[string]string{}
	for _, one := range c.policy.Checks() {
		off[one.Check.Name] = one.Off
	}
	return off, nil
}

// with are the flags as they would be with another text of the file of modes.
func (e *enforcing) with(text string) *settings {
	from := e.s.origin
	from.Texts = map[string]string{e.file(): text}
	return resolveAll(from)
}

// text is what stands in the file of modes now, "" where there is none.
func (e *enforcing) text() (string, error) {
	if e.s.found.Dir == "" {
		return "", fail(exConfig, "there is no directory of files of flags (--config-dir), so there is nowhere to write modes: write CHECK = enforce into the file of --config, then mailweir reload")
	}
	data, err := textfile.ReadText(e.file())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case errors.Is(err, fs.ErrPermission):
		return "", &exitError{exNoPerm, err}
	case err != nil:
		return "", &exitError{exConfig, err}
	}
	return string(data), nil
}

// enforce has checks refuse mail from now on.
func (e *enforcing) enforce(names []string) error {
	if err := e.mayWrite(); err != nil {
		return err
	}
	chosen, err := e.choose(names)
	if err != nil || len(chosen) == 0 {
		return err
	}
	for _, c := range chosen {
		above := e.above(c.Name)
		switch one := e.standing.Checks[c.Name]; {
		case len(above) == 0:
		case one.Mode == policy.Enforce:
			_, err := fmt.Fprintf(e.out, "%s is enforced already, from %s; nothing was changed\n", c.Name, placeText(one.At))
			return err
		default:
			return fail(exConfig, "%s: --%s stands there, too, and outranks %s: take it out, or give it the mode enforce", placeText(above[len(above)-1]), c.Name, e.file())
		}
	}
	text, err := e.text()
	if err != nil {
		return err
	}
	for _, c := range chosen {
		text = config.SetLine(headed(text), c.Name, policy.Enforce.String())
	}
	if err := e.write(text); err != nil {
		return err
	}
	for _, c := range chosen {
		if _, err := fmt.Fprintf(e.out, "%s: enforced; mailweir enforce --undo %s takes it back\n", c.Name, c.Name); err != nil {
			return err
		}
	}
	e.endMonitoring(chosen)
	e.setDefaultAction("tempfail")
	return nil
}

// above are the places that win over a line about a check: variables and command line are those of
// the daemon, files those that it will read.
func (e *enforcing) above(check string) (places []string) {
	places = e.standing.Checks[check].Above
	if e.running {
		for _, place := range e.here.Checks[check].Above {
			if isFile(place) && !slices.Contains(places, place) {
				places = append(places, place)
			}
		}
	}
	return places
}

func isFile(place string) bool { return strings.HasPrefix(place, "/") || strings.Contains(place, ":") }

// mayWrite says what would keep a line of the file of modes from having any effect.
func (e *enforcing) mayWrite() error {
	if _, err := e.text(); err != nil {
		return err
	}
	if e.running && e.standing.Dir != e.here.Dir {
		return fail(exConfig, "the running daemon reads %q as --config-dir, and this command %q: give it the --config of the daemon", e.standing.Dir, e.here.Dir)
	}
	for _, st := range []standing{e.standing, e.here} {
		if st.Cap < policy.Enforce && (!e.running || isFile(st.CapAt) || st.CapAt == e.standing.CapAt) {
			return fail(exConfig, "%s: --mode=%s caps every check: take it out first", placeText(st.CapAt), st.Cap)
		}
	}
	return nil
}

// placeText names a place that may be the command line of the daemon.
func placeText(place string) string {
	switch {
	case place == "flag":
		return "the command line (of the daemon: systemctl cat mailweir)"
	case strings.HasPrefix(place, config.Prefix):
		return "the variable " + place
	}
	return place
}

// write puts a text into the file of modes once it is known to be valid, and has the daemon load
// it. Where that fails, the file is as it was.
func (e *enforcing) write(text string) error {
	s := e.with(text)
	if err := s.need(func(string) bool { return true }); err != nil {
		return &exitError{exConfig, s.mistakes(nil, lookAtAll)}
	}
	if err := lookAtAll(s); err != nil {
		return &exitError{exConfig, s.mistakes(err, lookAtAll)}
	}
	before, err := e.text()
	if err != nil {
		return err
	}
	_, missing := os.Lstat(e.file())
	if err := config.WriteFile(e.file(), text); err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return &exitError{exNoPerm, err}
		}
		return &exitError{exIOErr, err}
	}
	if !e.running {
		_, err := fmt.Fprintf(e.cmd.ErrOrStderr(), "note: no daemon answers; %s counts from its next start on\n", e.file())
		return err
	}
	if err := e.reload(); err != nil {
		back := config.WriteFile(e.file(), before)
		if missing != nil {
			back = os.Remove(e.file())
		}
		return fail(exUnavailable, "the daemon has not loaded it, so %s is as it was: %w", e.file(), errors.Join(err, back))
	}
	return nil
}

func (e *enforcing) reload() error {
	answer, err := e.do("reload", policy.Nothing{})
	if err != nil {
		return err
	}
	var r reloaded
	if err := json.Unmarshal(answer, &r); err != nil {
		return err
	}
	if r.Error != "" {
		return errors.New(r.Error)
	}
	return nil
}

// do has the daemon carry an operation out.
func (e *enforcing) do(operation string, request any) (json.RawMessage, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	client, err := dial(*e.s.daemon.control)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return client.Do(e.cmd.Context(), admin.Request{Operation: operation, Why: e.note, Body: body})
}

// endMonitoring ends what people have ordered of the checks. What is ordered of all is left, and
// noted.
func (e *enforcing) endMonitoring(chosen []*policy.Check) {
	if !e.running {
		return
	}
	answer, err := e.do(byhand.MonitorGroup+"/"+byhand.MonitorList, policy.Nothing{})
	var orders []byhand.Order
	if err != nil || json.Unmarshal(answer, &orders) != nil {
		return
	}
	for _, o := range orders {
		switch {
		case o.Check == byhand.All:
			fmt.Fprintln(e.cmd.ErrOrStderr(), "note: all checks refuse nothing yet,", o.String()+": mailweir monitor end --all")
		case slices.ContainsFunc(chosen, func(c *policy.Check) bool { return c.Name == o.Check }):
			if _, err := e.do(byhand.MonitorGroup+"/"+byhand.MonitorEnd, map[string][]string{"checks": {o.Check}}); err != nil {
				fmt.Fprintln(e.cmd.ErrOrStderr(), "note:", err)
			}
		}
	}
}

// setDefaultAction has the mail server do that while mailweir does not answer, where init has
// attached it.
func (e *enforcing) setDefaultAction(action string) {
	notes := e.cmd.ErrOrStderr()
	if _, err := os.Stat(attachState); err != nil {
		if action == "tempfail" {
			fmt.Fprintln(notes, "note: mailweir init has not attached mailweir here: see that the mail server tries again later while mailweir does not answer (default_action=tempfail; Sendmail: F=T)")
		}
		return
	}
	ctx, cancel := context.WithTimeout(e.cmd.Context(), programsWithin)
	defer cancel()
	changed, err := attachHost(e.s, e.out).SetDefaultAction(ctx, action)
	switch {
	case err != nil:
		fmt.Fprintf(notes, "note: what the mail server does while mailweir does not answer stays as it is, not %s: %v\n", action, err)
	case changed && action == "tempfail":
		fmt.Fprintln(e.out, "the mail server now tries again later while mailweir does not answer (default_action=tempfail)")
	case changed:
		fmt.Fprintln(e.out, "nothing is refused any more: mail passes while mailweir does not answer (default_action=accept)")
	}
}

// undo takes lines out of the file of modes again.
func (e *enforcing) undo(names []string) error {
	if len(names) == 0 {
		return fail(exUsage, "name the checks that are not to be enforced any more; mailweir enforce shows them")
	}
	text, err := e.text()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := e.known(name); err != nil {
			return err
		}
		var dropped bool
		if text, dropped = config.DropLine(text, name); !dropped {
			return fail(exUsage, "%s has no line about %s; its mode is %s, from %s", e.file(), name, e.standing.Checks[name].Mode, placeText(e.standing.Checks[name].At))
		}
	}
	if err := e.write(text); err != nil {
		return err
	}
	after := e.with(text).standing()
	refusing := false
	for _, c := range e.checks() {
		one := after.Checks[c.Name]
		if slices.Contains(names, c.Name) {
			if _, err := fmt.Fprintf(e.out, "%s: %s again, from %s\n", c.Name, one.Mode, placeText(one.At)); err != nil {
				return err
			}
		}
		refusing = refusing || one.Mode.Refuses() && len(c.Replies) > 0
	}
	if !refusing {
		e.setDefaultAction("accept")
	}
	return nil
}

func (e *enforcing) known(name string) error {
	if _, ok := e.standing.Checks[name]; ok {
		return nil
	}
	var names []string
	for _, c := range e.checks() {
		names = append(names, c.Name)
	}
	return fail(exUsage, "there is no check %q; there are %s", name, strings.Join(names, ", "))
}

// headed is a text that says who writes it.
func headed(text string) string {
	if text != "" {
		return text
	}
	return "# Modes of checks, as mailweir enforce has written them on " + time.Now().UTC().Format(time.DateOnly) + " and later.\n" +
		"# mailweir enforce --undo CHECK takes a line out.\n"
}
