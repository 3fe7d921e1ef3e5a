package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mailweir/checks"
	"mailweir/internal/config"
	"mailweir/internal/policy"
)

// newReference writes the generated pages of docs/. It is for maintainers and CI.
func newReference() *cobra.Command {
	return &cobra.Command{
		Use:    "reference DIR",
		Short:  "Write the generated pages of the documentation",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			for name, write := range map[string]func(io.Writer){"checks.md": writeChecksPage, "replies.md": writeRepliesPage, "flags.md": writeFlagsPage, "failures.md": writeFailuresPage, "doctor.md": writeDoctorPage, "metrics.md": writeMetricsPage} {
				var page strings.Builder
				page.WriteString("<!-- Generated from the code by `make docs`; do not edit. -->\n\n")
				write(&page)
				if err := os.WriteFile(filepath.Join(args[0], name), []byte(page.String()), 0o644); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func writeChecksPage(out io.Writer) {
	registry := checks.Registry()
	fmt.Fprint(out, "# Checks\n\nEvery check, in the order of declaration. The first enforced objection answers, in this order:\n\n")
	for _, stage := range slices.Insert(policy.Stages(), int(policy.StageMail), policy.StageAuth) {
		var names []string
		for _, c := range registry.Order[stage] {
			names = append(names, "["+c.Name+"](#"+c.Name+")")
		}
		if len(names) > 0 {
			fmt.Fprintf(out, "- %s: %s\n", stage, strings.Join(names, ", "))
		}
	}
	for _, c := range registry.Checks {
		writeCheck(out, c)
	}
}

func writeCheck(out io.Writer, c *policy.Check) {
	fmt.Fprintf(out, "\n## %s\n\n%s.\n\n%s\n\n", c.Name, upper(c.Title), c.Help)
	fmt.Fprintf(out, "- Default: `--%s=%s`", c.Name, c.Mode)
	if c.OnError != policy.Fails {
		fmt.Fprintf(out, ", `--%s-on-error=%s`", c.Name, c.OnError)
	}
	fmt.Fprintf(out, "\n- `mailweir enforce`: %s\n", c.Proof)
	if by := c.Exempt.Names(); len(by) > 0 {
		fmt.Fprintf(out, "- Gives way to: %s\n", strings.Join(by, ", "))
	}
	for _, r := range c.Replies {
		fmt.Fprintf(out, "- Reply [%s](replies.md#%s): `%d %s %s`\n", r.ID, r.ID, r.Code, r.Enhanced, r.Text)
	}
	set := pflag.NewFlagSet(c.Name, pflag.ContinueOnError)
	if c.Setup != nil {
		c.Setup(policy.NewFlags(set, c.Name))
	}
	if set.HasFlags() {
		fmt.Fprintln(out)
		writeFlagTable(out, set)
	}
}

// writeFailuresPage says what becomes of mail that a check could not judge.
func writeFailuresPage(out io.Writer) {
	registry := checks.Registry()
	fmt.Fprintf(out, `# When a check fails

What a check relies on may fail: the DNS, the state, a deadline. That is never an objection. `+"`--CHECK-on-error`"+` says what becomes of
the mail: `+"`accept`"+` lets it on, `+"`defer`"+` answers %s before DATA and %s after it. Either way the log has the error, and
`+"`mailweir_check_failures_total`"+` counts it. A check that is not listed has nothing that could fail; an error in it is a fault of mailweir.

| check | default |
| --- | --- |
`, "`"+words(registry.Unavailable)+"`", "`"+words(registry.Unprocessed)+"`")
	for _, c := range registry.Checks {
		if c.OnError != policy.Fails {
			own := ""
			if c.Unavailable != nil {
				own = "; `defer` answers `" + words(c.Unavailable) + "`"
			}
			fmt.Fprintf(out, "| [%s](checks.md#%s) | `--%s-on-error=%s`%s |\n", c.Name, c.Name, c.Name, c.OnError, own)
		}
	}
}

func words(r *policy.Reply) string { return fmt.Sprintf("%d %s %s", r.Code, r.Enhanced, r.Text) }

func writeFlagTable(out io.Writer, set *pflag.FlagSet) {
	fmt.Fprint(out, "| flag | default | meaning |\n| --- | --- | --- |\n")
	set.VisitAll(func(f *pflag.Flag) {
		fmt.Fprintf(out, "| `--%s=%s` | %s | %s |\n", f.Name, cell(f.Value.Type()), code(cell(f.DefValue)), cell(f.Usage))
	})
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func writeRepliesPage(out io.Writer) {
	fmt.Fprint(out, "# Replies\n\nEvery reply that mailweir can give: `CODE X.Y.Z Text[ - help-url] [mw-XXXXXXXX]`. The id at the end names the event in the log.\n")
	checks.Registry().Replies(func(c *policy.Check, r *policy.Reply) bool {
		fmt.Fprintf(out, "\n## %s\n\n    %d %s %s\n\nCheck [%s](checks.md#%s), row %s.\n\n%s\n\n**What to do:** %s\n",
			r.ID, r.Code, r.Enhanced, r.Text, c.Name, c.Name, r.Row, r.Description, r.Resolution)
		return true
	})
}

func writeFlagsPage(out io.Writer) {
	fmt.Fprintf(out, "# Flags\n\nAll commands take these. Each is also a line of the file of `--%s`, and a variable: `--hops-max` is `%s`.\nFlag > variable > file > default. A `TABLE` is a Postfix lookup table `TYPE:SOURCE`, see docs/checks/tables.md.\n\n",
		config.FileFlag, config.Variable("hops-max"))
	set := pflag.NewFlagSet("mailweir", pflag.ContinueOnError)
	register(set)
	writeFlagTable(out, set)
}
