package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
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
				if err := writePage(filepath.Join(args[0], name), write); err != nil {
					return err
				}
			}
			if err := os.MkdirAll(filepath.Join(args[0], "checks"), 0o755); err != nil {
				return err
			}
			for _, g := range flagGroups() {
				if g.check == nil {
					continue
				}
				err := writePage(filepath.Join(args[0], "checks", g.name+".md"), func(out io.Writer) { writeCheckPage(out, g) })
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func writePage(name string, write func(io.Writer)) error {
	var page strings.Builder
	page.WriteString("<!-- Generated from the code by `make docs`; do not edit. -->\n\n")
	write(&page)
	return os.WriteFile(name, []byte(page.String()), 0o644)
}

// writeChecksPage lists the checks, and the order in which they answer.
func writeChecksPage(out io.Writer) {
	registry := checks.Registry()
	fmt.Fprint(out, "# Checks\n\nThe first enforced objection answers, in this order:\n\n")
	for _, stage := range slices.Insert(policy.Stages(), int(policy.StageMail), policy.StageAuth) {
		var names []string
		for _, c := range registry.Order[stage] {
			names = append(names, checkLink(c))
		}
		if len(names) > 0 {
			fmt.Fprintf(out, "- %s: %s\n", stage, strings.Join(names, ", "))
		}
	}
	fmt.Fprint(out, "\n| check | refuses | unless told otherwise |\n| --- | --- | --- |\n")
	for _, c := range registry.Checks {
		fmt.Fprintf(out, "| %s | %s | %s |\n", checkLink(c), cell(c.Title), c.Mode)
	}
}

// checkLink leads from a page of the reference to that of a check.
func checkLink(c *policy.Check) string { return "[" + c.Name + "](checks/" + c.Name + ".md)" }

var docsPath = regexp.MustCompile(`\bdocs/([a-z/-]+\.md)`)

// writeCheckPage writes all that is declared of a check.
func writeCheckPage(out io.Writer, g flagGroup) {
	c := g.check
	page := c.Page
	if page == "" {
		page = c.Name
	}
	fmt.Fprintf(out, "# %s: %s\n\nHow to use it: [%s.md](../../checks/%[3]s.md).\n\n", c.Name, c.Title, page)
	fmt.Fprintf(out, "%s\n\n", docsPath.ReplaceAllString(c.Help, "[$1](../../$1)"))
	fmt.Fprintf(out, "- `mailweir enforce %s`: %s\n", c.Name, c.Proof)
	if by := c.Exempt.Names(); len(by) > 0 {
		fmt.Fprintf(out, "- Gives way to: %s\n", strings.Join(by, ", "))
	}
	fmt.Fprint(out, "\n## Flags\n\n")
	writeFlagTable(out, g.flags)
	if len(c.Replies) > 0 {
		fmt.Fprint(out, "\n## Replies\n")
	}
	for _, r := range c.Replies {
		fmt.Fprintf(out, "\n### %s\n\n    %s\n\n%s\n\n**What to do:** %s\n", r.ID, words(r), r.Description, r.Resolution)
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
			fmt.Fprintf(out, "| %s | `--%s-on-error=%s`%s |\n", checkLink(c), c.Name, c.OnError, own)
		}
	}
}

func words(r *policy.Reply) string { return fmt.Sprintf("%d %s %s", r.Code, r.Enhanced, r.Text) }

func writeFlagTable(out io.Writer, flags []*pflag.Flag) {
	fmt.Fprint(out, "| flag | default | meaning |\n| --- | --- | --- |\n")
	for _, f := range flags {
		fmt.Fprintf(out, "| `--%s=%s` | %s | %s |\n", f.Name, cell(f.Value.Type()), code(cell(f.DefValue)), cell(f.Usage))
	}
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// writeRepliesPage lists the replies by what a person has of them: code and text.
func writeRepliesPage(out io.Writer) {
	fmt.Fprint(out, "# Replies\n\nEvery reply that mailweir can give: `CODE X.Y.Z Text[ - help-url] [mw-XXXXXXXX]`. "+
		"The id at the end names the event: `mailweir why mw-XXXXXXXX`.\nThe page of the check says what to do.\n\n"+
		"| reply | id | check |\n| --- | --- | --- |\n")
	var rows []string
	checks.Registry().Replies(func(c *policy.Check, r *policy.Reply) bool {
		rows = append(rows, fmt.Sprintf("| `%s` | [%s](checks/%s.md#%s) | %s |\n", cell(words(r)), r.ID, c.Name, r.ID, checkLink(c)))
		return true
	})
	slices.Sort(rows)
	fmt.Fprint(out, strings.Join(rows, ""))
}

// writeFlagsPage has the flags that belong to no check, and leads to all others.
func writeFlagsPage(out io.Writer) {
	fmt.Fprintf(out, "# Flags\n\n    mailweir help flags          # all of them\n    mailweir help flags rbl      # those of one check\n\n"+
		"Each is also a line of the file of `--%s`, and a variable: `--hops-max` is `%s`.\n"+
		"Command line > variable > later file > earlier file > default, see [configuration.md](../operate/configuration.md).\n"+
		"A `TABLE` is a Postfix lookup table `TYPE:SOURCE`, see [tables.md](../checks/tables.md).\n",
		config.FileFlag, config.Variable("hops-max"))
	groups := flagGroups()
	type entry struct{ flag, page string }
	var all []entry
	for _, g := range groups {
		page := "#" + g.name
		if g.check != nil {
			page = "checks/" + g.name + ".md#flags"
		} else {
			fmt.Fprintf(out, "\n## %s\n\n%s.\n\n", g.name, upper(g.title))
			writeFlagTable(out, g.flags)
		}
		for _, f := range g.flags {
			all = append(all, entry{f.Name, "[" + g.name + "](" + page + ")"})
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.flag, b.flag) })
	fmt.Fprint(out, "\n## By alphabet\n\n| flag | described with |\n| --- | --- |\n")
	for _, e := range all {
		fmt.Fprintf(out, "| `--%s` | %s |\n", e.flag, e.page)
	}
}
