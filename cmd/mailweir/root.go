package main

import (
	"errors"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mailweir/checks/rbl"
	"mailweir/internal/config"
)

// newRoot makes all commands. usual is the file that they read their flags from where no other one
// is named, "" for none.
func newRoot(usual string) *cobra.Command {
	root := &cobra.Command{
		Use:   "mailweir",
		Short: "A policy milter for Postfix and Sendmail",
		Long: `mailweir is a policy milter: Postfix or Sendmail asks it about every connection, recipient and message, and
it lets the mail continue or answers with a precise SMTP reply.

Flags also come from a file (--config, one a line), from those of a directory that are read after it (--config-dir), and from variables
(--hops-max is MAILWEIR_HOPS_MAX): flag > variable > later file > earlier file > default.`,
		Annotations:   map[string]string{usualFile: usual},
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(suggestFlag)
	addVersionFlag(root)
	root.SetHelpCommand(newHelp())
	root.SetUsageFunc(writeUsage)
	root.AddCommand(newServe(), newExplain(), newCheck(), newDoctor(), newReplies(), newWhy(), newEvents(), newTrace(), newReplay(), newWould(), newEnforce(), newConfig(), newTable(), newContent(), newAuth(), newConsole(), newReport(), newAudit(), newInit(), newImport(), newVersion(), newReference(), newMan())
	root.AddCommand(operationCommands()...)
	below(root, "state", newStateMigrate())
	below(root, "state", newStateBackup())
	below(root, "state", newStateRestore())
	below(root, "events", newEventsDelete())
	below(root, rbl.Check.Name, newRBLTest())
	giveSettings(root)
	return root
}

// newHelp makes the command help. That of cobra repeats what is no command as it came, which may
// hold a password, and calls it a success.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND | flags [NAME]…]", Short: "Show the help of a command, or all flags of the configuration",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && args[0] == "flags" {
				return helpFlags(cmd.OutOrStdout(), args[1:])
			}
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return fail(exUsage, "there is no command %q; %s --help lists them", strings.Join(args, " "), cmd.Root().Name())
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// below adds a command to a group of operations.
func below(root *cobra.Command, group string, cmd *cobra.Command) {
	for _, g := range root.Commands() {
		if g.Name() == group {
			g.AddCommand(cmd)
		}
	}
}

var unknownFlag = regexp.MustCompile(`^unknown flag: --(\S+)$`)

// suggestFlag names the nearest flag when one is unknown.
func suggestFlag(cmd *cobra.Command, err error) error {
	if m := unknownFlag.FindStringSubmatch(err.Error()); m != nil {
		others := ""
		if splitFlags(cmd).others {
			others = ", mailweir help flags all others"
		}
		return fail(exUsage, "there is no flag --%s%s; %s --help lists its own%s", m[1], config.Suggest(cmd.Flags(), m[1]), cmd.CommandPath(), others)
	}
	return fail(exUsage, "%v", err)
}

// usualFile is the annotation of the root command that names its file of flags.
const usualFile = "config"

// settings are the flags that every command has, read from all sources.
type settings struct {
	flags  *pflag.FlagSet
	daemon *daemonFlags
	draft  draft
	origin config.Origin    // where they are read from
	found  *config.Resolved // what was found there
	handed []string         // files that systemd will hand to the service, which need not read them
}

// takesSettings is the annotation of a command that has the flags of serve.
const takesSettings = "settings"

// addSettings says that a command has the flags of serve besides its own. It has them once newRoot
// is done.
func addSettings(cmd *cobra.Command) { annotate(cmd, takesSettings, "") }

// giveSettings registers the flags of serve once for all commands that take them, as one of them is
// carried out: dozens of commands with hundreds of flags would be most of what a command costs.
func giveSettings(root *cobra.Command) {
	set := pflag.NewFlagSet("mailweir", pflag.ContinueOnError)
	register(set)
	everyCommand(root, func(cmd *cobra.Command) {
		if _, takes := cmd.Annotations[takesSettings]; takes {
			set.VisitAll(cmd.Flags().AddFlag)
		}
	})
}

// everyCommand calls a function with a command and all below it.
func everyCommand(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, below := range cmd.Commands() {
		everyCommand(below, do)
	}
}

// annotate adds an annotation to a command.
func annotate(cmd *cobra.Command, name, value string) {
	if cmd.Annotations == nil {
		cmd.Annotations = make(map[string]string)
	}
	cmd.Annotations[name] = value
}

// readSettings reads the flags of a command from the command line, the environment and the file.
func readSettings(cmd *cobra.Command) (*settings, error) {
	s, err := resolve(originOf(cmd))
	if err != nil {
		return nil, &exitError{exConfig, err}
	}
	return s, nil
}

// originOf is where a command reads its flags from.
func originOf(cmd *cobra.Command) config.Origin {
	return config.Origin{Given: givenTo(cmd), Environ: os.Environ(), Usual: cmd.Root().Annotations[usualFile]}
}

// givenTo is what the command line says of the flags of serve.
func givenTo(cmd *cobra.Command) config.Given {
	set := pflag.NewFlagSet("mailweir", pflag.ContinueOnError)
	register(set)
	given := make(config.Given)
	for name, values := range config.FromCommandLine(cmd.Flags()) {
		if set.Lookup(name) != nil {
			given[name] = values
		}
	}
	return given
}

// resolve reads a fresh set of flags; a reload calls it again with where they came from. The error
// is all that is wrong.
func resolve(from config.Origin) (*settings, error) {
	s := resolveAll(from)
	return s, s.need(func(string) bool { return true })
}

// resolveAll reads a fresh set of flags and leaves it to its caller which of them must be right.
func resolveAll(from config.Origin) *settings {
	set := pflag.NewFlagSet("mailweir", pflag.ContinueOnError)
	s := &settings{flags: set, origin: from}
	s.daemon, s.draft = register(set)
	s.found = config.Resolve(set, from)
	return s
}

// need returns all that is wrong with flags that are needed.
func (s *settings) need(needed func(flag string) bool) error {
	var wrong []error
	for _, w := range s.found.Wrong {
		if needed(w.Flag) {
			wrong = append(wrong, w.Err)
		}
	}
	return errors.Join(wrong...)
}

// group makes a command that only has others below it, and says so to who names one that is not
// there.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, SuggestionsMinimumDistance: 2,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			hint := ""
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				hint = ", did you mean " + near[0] + "?"
			}
			return fail(exUsage, "there is no command %q of %s%s", args[0], cmd.CommandPath(), hint)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(commands...)
	return cmd
}

// noArguments refuses arguments with words of its own.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &exitError{exUsage, errors.New("unexpected argument " + args[0])}
	}
	return nil
}
