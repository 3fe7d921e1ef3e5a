package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manSection is the one of man(1) for programs that administrators run.
const manSection = 8

// newMan writes the manual pages that a package installs, one a command, in the language of
// man(7).
func newMan() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return writeManPages(cmd.Root(), args[0])
		},
	}
}

// writeManPages writes the page of a command and of those below it.
func writeManPages(cmd *cobra.Command, dir string) error {
	name := filepath.Join(dir, fmt.Sprintf("%s.%d", manName(cmd), manSection))
	if err := os.WriteFile(name, []byte(manPage(cmd)), 0o644); err != nil {
		return err
	}
	for _, below := range documented(cmd) {
		if err := writeManPages(below, dir); err != nil {
			return err
		}
	}
	return nil
}

// documented are the commands below another that have a page: cobra's own, for shells, have none.
func documented(cmd *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(cmd.Commands()), func(c *cobra.Command) bool {
		return c.Hidden || c.Name() == "completion" || c.Name() == "help"
	})
}

func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func manPage(cmd *cobra.Command) string {
	var p manWriter
	name := manName(cmd)
	fmt.Fprintf(&p, ".TH %s %d \"\" \"mailweir\" \"mailweir\"\n.nh\n.ad l\n", strings.ToUpper(roff(name)), manSection)
	fmt.Fprintf(&p, ".SH NAME\n%s \\- %s\n", roff(name), roff(lower(cmd.Short)))
	p.section("SYNOPSIS")
	fmt.Fprintf(&p, ".B %s\n", roff(strings.Replace(cmd.UseLine(), " [flags]", "", 1)+" [FLAGS]"))
	if text := cmd.Long; text != "" {
		p.section("DESCRIPTION")
		p.text(text)
	}
	p.commands(cmd)
	p.options(cmd)
	if cmd.HasExample() {
		p.section("EXAMPLES")
		fmt.Fprintf(&p, ".EX\n%s.EE\n", roffLines(cmd.Example))
	}
	if !cmd.HasParent() {
		p.section("FILES")
		p.entry("/etc/mailweir/mailweir.conf", "flags, one a line; read where it is there and \\-\\-config is not given")
		p.entry("/etc/mailweir/conf.d/*.conf", "read after it, in the order of their names; mailweir's commands write here")
		p.entry("/usr/share/doc/mailweir/docs", "the documentation, one question a page")
	}
	p.section("SEE ALSO")
	switch parent := cmd.Parent(); {
	case parent == nil:
		p.WriteString("/usr/share/doc/mailweir/docs/README.md\n")
	case cmd.Name() == "serve":
		fmt.Fprintf(&p, ".BR %s (%d)\n", roff(manName(parent)), manSection)
	default:
		fmt.Fprintf(&p, ".BR %s (%d),\n.BR mailweir\\-serve (%[2]d)\n", roff(manName(parent)), manSection)
	}
	return p.String()
}

// manWriter writes man(7).
type manWriter struct{ strings.Builder }

func (p *manWriter) section(name string) { fmt.Fprintf(p, ".SH %s\n", name) }

// entry writes a word, and what it means. Both are roff already.
func (p *manWriter) entry(word, meaning string) { fmt.Fprintf(p, ".TP\n.B %s\n%s\n", word, meaning) }

// text writes paragraphs. A line that is indented stands by itself.
func (p *manWriter) text(text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			p.WriteString(".PP\n")
		}
		p.WriteString(roffLines(paragraph))
	}
}

func (p *manWriter) commands(cmd *cobra.Command) {
	below := documented(cmd)
	if len(below) == 0 {
		return
	}
	p.section("COMMANDS")
	for _, c := range below {
		fmt.Fprintf(p, ".TP\n.BR %s (%d)\n%s\n", roff(manName(c)), manSection, roff(c.Short))
	}
}

// options writes the flags of a command. Those of serve are described once, on its page, part by
// part.
func (p *manWriter) options(cmd *cobra.Command) {
	shown := splitFlags(cmd)
	if cmd.Name() == "serve" {
		p.section("OPTIONS")
		for _, g := range flagGroups() {
			fmt.Fprintf(p, ".SS %s (%s)\n", roff(g.name), roff(g.title))
			p.flags(g.flags)
		}
		return
	}
	flags := without(slices.Concat(allOf(shown.own), allOf(shown.find)), []*pflag.Flag{{Name: "help"}})
	if len(flags) == 0 && !shown.others {
		return
	}
	p.section("OPTIONS")
	p.flags(flags)
	if shown.others {
		p.WriteString(".PP\nThe flags of\n.BR mailweir\\-serve (8)\nare accepted as well.\n")
	}
}

func (p *manWriter) flags(flags []*pflag.Flag) {
	for _, f := range flags {
		kind, meaning := pflag.UnquoteUsage(f)
		value := "=" + kind
		switch {
		case kind == "": // a switch
			value = ""
		case f.NoOptDefVal != "":
			value = "[=" + kind + "]"
		}
		if f.DefValue != "" && f.DefValue != "[]" && f.NoOptDefVal == "" {
			meaning += " (default " + f.DefValue + ")"
		}
		p.entry(roff("--"+f.Name)+"\\fR"+roff(value), roff(meaning))
	}
}

// roff quotes what would be a command or a hyphen to troff.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		return `\&` + text
	}
	return text
}

func roffLines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		b.WriteString(roff(line))
	}
	return b.String()
}

// lower begins a text with a small letter, unless its first word is an abbreviation.
func lower(s string) string {
	if len(s) > 1 && strings.ToUpper(s[:2]) == s[:2] {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
