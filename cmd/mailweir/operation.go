package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mailweir/internal/admin"
	"mailweir/internal/byhand"
	"mailweir/internal/config"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// operationCommands makes the commands of every operation that is declared; those of a group are
// below one.
func operationCommands() []*cobra.Command {
	var commands []*cobra.Command
	for _, g := range operationGroups() {
		var own []*cobra.Command
		for _, op := range g.Operations {
			if !op.Hidden {
				own = append(own, operationCommand(g, op))
			}
		}
		switch {
		case g.Name == byhand.MonitorGroup:
			own = []*cobra.Command{monitorCommand(g, own)}
		case g.Name != "" && len(own) > 0:
			own = []*cobra.Command{group(g.Name, g.Title, own...)}
		}
		commands = append(commands, own...)
	}
	return commands
}

// operationGroups are all operations that are declared.
func operationGroups() []policy.OperationGroup {
	_, draft := register(pflag.NewFlagSet("mailweir", pflag.ContinueOnError))
	return slices.Concat(ownOperations(ownParts{}), draft.Operations())
}

// monitorCommand makes "mailweir monitor CHECK" what "monitor start CHECK" is: the words that are
// needed in a bad night.
func monitorCommand(g policy.OperationGroup, verbs []*cobra.Command) *cobra.Command {
	var cmd *cobra.Command
	for _, op := range g.Operations {
		if op.Name == byhand.MonitorStart {
			cmd = operationCommand(g, op)
			cmd.Use = g.Name + " " + op.Args
		}
	}
	for _, verb := range verbs {
		verb.Hidden = verb.Name() == byhand.MonitorStart
		cmd.AddCommand(verb)
	}
	return cmd
}

// offer is what the checks let people do under these flags.
func (s *settings) offer() admin.Offer {
	return admin.Offer{Groups: s.draft.Operations(), Delimiter: s.draft.Delimiter()}
}

// operationCommand makes the command of one operation. What it is given becomes a request, which
// the daemon carries out, so that it acts at once; with no daemon running, the command opens the
// state itself.
func operationCommand(g policy.OperationGroup, op policy.Operation) *cobra.Command {
	cmd := &cobra.Command{Use: strings.TrimSpace(op.Name + " " + op.Args), Short: op.Title, Long: op.Help, Example: op.Example}
	addSettings(cmd)
	shows(cmd, findsDaemon)
	flags := policy.NewFlags(cmd.Flags(), "")
	read := op.Request(flags)
	life, note := new(time.Duration), new(string)
	if op.Effect == policy.Enters {
		life = flags.Duration("for", 0, "for how long, 0 for until it is taken back")
	}
	if op.Effect != policy.Looks {
		note = flags.String("note", "", "TEXT", "why, for those who look at it later")
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		request, err := read(args)
		if err != nil {
			return operationError(err)
		}
		body, err := json.Marshal(request)
		if err != nil {
			return err
		}
		answer, err := carryOut(cmd, g, op, admin.Request{Operation: admin.Path(g, op), Why: *note, For: *life, Within: op.Within, Body: body})
		if err != nil {
			return operationError(err)
		}
		return op.Show(cmd.OutOrStdout(), answer)
	}
	return cmd
}

// carryOut has the daemon carry an operation out, or does it here.
func carryOut(cmd *cobra.Command, g policy.OperationGroup, op policy.Operation, r admin.Request) (json.RawMessage, error) {
	var answer json.RawMessage
	return answer, carryOutAll(cmd, g, op, []admin.Request{r}, func(one json.RawMessage) error {
		answer = one
		return nil
	})
}

// carryOutAll is carryOut for several requests, of which each answer is taken before the next is
// put. An error ends it.
func carryOutAll(cmd *cobra.Command, g policy.OperationGroup, op policy.Operation, all []admin.Request, take func(json.RawMessage) error) error {
	s, err := commandSettings(cmd)
	if err != nil {
		return err
	}
	each := func(do carrier) error {
		for _, r := range all {
			answer, err := carried(cmd, do, g, op, r)
			if err == nil {
				err = take(answer)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	address := *s.daemon.control
	if address == "" && op.Daemon {
		return fail(exUsage, "this command asks the running daemon: name its control socket (--control=unix:/PATH), or its --config")
	}
	spec := stateSpec(*s.daemon.state)
	if address != "" {
		client, err := dial(address)
		if err != nil {
			return err
		}
		defer client.Close()
		err = each(client.Do)
		// A state in memory is the daemon's, and gone with it.
		if op.Daemon || !errors.Is(err, admin.ErrNotRunning) || spec == "memory:" {
			return at(address, err)
		}
	}
	if spec == "memory:" {
		return fail(exUsage, "--state=memory: is the daemon's own memory: name its control socket (--control=unix:/PATH), or its --config")
	}
	if err := s.need(func(flag string) bool { return op.ByFlags && goesBy(g, flag) }); err != nil {
		return &exitError{exConfig, err}
	}
	store, err := openExisting(cmd.Context(), spec)
	if err != nil {
		return err
	}
	defer store.Close()
	if address != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: no daemon answers at %s; this is done in %s itself\n", address, spec)
	}
	known, done := s.known()
	defer done()
	service := admin.Service{
		Backends: &policy.Backends{State: store, Clock: time.Now}, Offer: s.offer, Own: ownOperations(ownParts{store: spec, mode: s.mode}), Known: known,
	}
	return each(func(ctx context.Context, r admin.Request) (json.RawMessage, error) {
		return service.Do(ctx, admin.Local(os.Getuid(), "state"), r)
	})
}

// carried has an operation carried out, and notes where what is entered refuses nothing yet. What
// only the daemon can do acts on itself.
func carried(cmd *cobra.Command, do carrier, g policy.OperationGroup, op policy.Operation, r admin.Request) (json.RawMessage, error) {
	answer, err := do(cmd.Context(), r)
	if err == nil && op.Effect == policy.Enters && !op.Daemon {
		if note := idle(cmd.Context(), do, g.Name); note != "" {
			fmt.Fprintln(cmd.ErrOrStderr(), "note:", note)
		}
	}
	return answer, err
}

// goesBy reports whether keys and scores of a check are made under a flag.
func goesBy(g policy.OperationGroup, flag string) bool {
	return strings.HasPrefix(flag, g.Name+"-") || flag == "recipient-delimiter"
}

// operationError gives an error of an operation its exit code.
func operationError(err error) error {
	var exit *exitError
	var wrong *policy.WrongError
	var denied *admin.DeniedError
	var away *admin.UnavailableError
	var unknown *admin.UnknownError
	switch {
	case errors.As(err, &exit):
		return err
	case errors.As(err, &wrong):
		return &exitError{exUsage, wrong}
	case errors.As(err, &denied), errors.Is(err, admin.ErrClosed):
		return &exitError{exNoPerm, err}
	case errors.As(err, &away), errors.As(err, &unknown), errors.Is(err, admin.ErrNotRunning), errors.Is(err, state.ErrDown):
		return &exitError{exUnavailable, err}
	}
	return &exitError{exSoftware, err}
}

// at names the socket in an error that is about it.
func at(address string, err error) error {
	var unknown *admin.UnknownError
	if errors.Is(err, admin.ErrClosed) || errors.Is(err, admin.ErrNotRunning) || errors.As(err, &unknown) {
		return fmt.Errorf("%s: %w", address, err)
	}
	return err
}

// dial returns a client for the socket of --control.
func dial(address string) (*admin.Client, error) {
	path, err := admin.SocketPath(address)
	if err != nil {
		return nil, fail(exUsage, "--control: %v", err)
	}
	return admin.NewClient(path), nil
}

// findFlags are the flags by which a command finds the daemon and the state.
var findFlags = []string{config.FileFlag, config.DirFlag, "control", "state"}

// commandSettings reads the flags of a command. What is wrong with a flag that finds neither the
// daemon nor the state is said and no more: whoever has to switch an account off now cannot mend
// the configuration first.
func commandSettings(cmd *cobra.Command) (*settings, error) { return settingsOf(cmd, originOf(cmd)) }

// settingsOf is commandSettings where not all that the command line says is about the daemon.
func settingsOf(cmd *cobra.Command, from config.Origin) (*settings, error) {
	s := resolveAll(from)
	needed := findFlags
	if s.closed() && (s.given("control") || s.given("state")) {
		needed = []string{"control", "state"} // who says where to find it need not read the file
	}
	return s, s.noteAllBut(cmd, needed)
}

// noteAllBut says what is wrong with flags, but for those that are needed: that is the error.
func (s *settings) noteAllBut(cmd *cobra.Command, needed []string) error {
	isNeeded := func(flag string) bool { return slices.Contains(needed, flag) }
	if err := s.need(isNeeded); err != nil {
		return &exitError{exConfig, err}
	}
	for _, w := range s.found.Wrong {
		fmt.Fprintln(cmd.ErrOrStderr(), "note:", w.Err)
	}
	return nil
}

// closed reports whether this user may not read the usual file, or one beside it. A file that the
// command line names is one that he means.
func (s *settings) closed() bool {
	return len(s.origin.Given[config.FileFlag]) == 0 && slices.ContainsFunc(s.found.Wrong, func(w config.Wrong) bool {
		return errors.Is(w.Err, fs.ErrPermission)
	})
}

// given reports whether a flag has not only its default.
func (s *settings) given(flag string) bool { return s.flags.Lookup(flag).Changed }
