package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestDocsCommands holds that every command line of mailweir in the documentation is one: the
// command exists, it has the flags, and they take the values. So does every line of a configuration
// file, and every flag that is named alone has to exist.
func TestDocsCommands(t *testing.T) {
	root := newRoot("")
	root.InitDefaultHelpCmd()
	flags := everyFlag(root)
	pages, lines := 0, 0
	for _, page := range docsPages(t) {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, line := range commandLines(string(data)) {
			lines++
			if err := tryCommand(root, line); err != "" {
				t.Errorf("%s: mailweir %s: %s", page, line, err)
			}
		}
		for _, m := range aloneFlag.FindAllStringSubmatch(string(data), -1) {
			if !flags[m[1]] && m[1] != "set-xauthrequest" { // oauth2-proxy's
				t.Errorf("%s: there is no flag --%s", page, m[1])
			}
		}
		for _, line := range configLines(string(data)) {
			lines++
			if err := tryConfig(line); err != nil {
				t.Errorf("%s: %s: %v", page, line, err)
			}
		}
	}
	if pages < 40 || lines < 300 {
		t.Errorf("only %d lines on %d pages were found", lines, pages)
	}
}

// docsPages are the pages that people write.
func docsPages(t *testing.T) []string {
	t.Helper()
	pages := []string{"../../README.md"}
	err := filepath.WalkDir("../../docs", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "reference" {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".md") {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

var (
	inlineCommand = regexp.MustCompile("`mailweir ([^`]+)`")
	blockCommand  = regexp.MustCompile(`(?m)^ {4,}(?:\$ |sudo )*(?:docker compose exec mailweir )?mailweir (.+)$`)
	continued     = regexp.MustCompile(`\\\n\s*`)
	lineComment   = regexp.MustCompile(`\s+#.*$`)
	aloneFlag     = regexp.MustCompile("`--([a-z][a-z0-9-]*)[`=\\s]")
	sentence      = regexp.MustCompile(`^(?:is|\d\S*) `) // what the program says of itself
	configLine    = regexp.MustCompile(`^ {4}([a-z][a-z0-9-]*) = (.*)$`)
)

// commandLines are what follows "mailweir" in the blocks and in the text of a page. A line with a
// colon behind its first word is the program's own, such as an error.
func commandLines(page string) []string {
	var lines []string
	page = continued.ReplaceAllString(page, " ")
	for _, pattern := range []*regexp.Regexp{blockCommand, inlineCommand} {
		for _, m := range pattern.FindAllStringSubmatch(page, -1) {
			lines = append(lines, lineComment.ReplaceAllString(m[1], ""))
		}
	}
	return lines
}

// configLines are the lines of configuration files in blocks that say that they are one.
func configLines(page string) []string {
	var lines []string
	is := false
	for line := range strings.Lines(page) {
		switch line = strings.TrimRight(line, "\n"); {
		case !strings.HasPrefix(line, "    "):
			is = false
		case strings.HasPrefix(line, "    # /etc/mailweir/mailweir.conf"):
			is = true
		case is && configLine.MatchString(line):
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// tryCommand returns what is wrong with a command line, "" for nothing.
func tryCommand(root *cobra.Command, line string) string {
	args := shellWords(line)
	if len(args) == 0 || placeholder(args[0]) || sentence.MatchString(line) {
		return ""
	}
	cmd, rest, err := root.Find(args)
	if err != nil || cmd == root && !strings.HasPrefix(args[0], "-") {
		return "there is no such command"
	}
	if cmd.Name() == "help" || cmd.Name() == "completion" {
		return ""
	}
	cmd.InitDefaultHelpFlag()
	for _, arg := range rest {
		name, value, has := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		if !strings.HasPrefix(arg, "--") || placeholder(name) {
			continue
		}
		f := cmd.Flags().Lookup(name)
		if f == nil {
			return "there is no flag --" + name
		}
		if has && value != "" && !placeholder(value) {
			if err := f.Value.Set(value); err != nil {
				return "--" + name + ": " + err.Error()
			}
		}
	}
	return ""
}

// tryConfig returns what is wrong with a line of a configuration file.
func tryConfig(line string) error {
	set := pflag.NewFlagSet("mailweir", pflag.ContinueOnError)
	register(set)
	name, value, _ := strings.Cut(line, " = ")
	if strings.Contains(value, " #") {
		return errors.New("a comment behind a value is part of it")
	}
	return set.Set(name, value)
}

// shellWords splits a command line as a shell would, up to where another command begins.
func shellWords(line string) []string {
	var args []string
	var word strings.Builder
	quote, open := rune(0), false
	end := func() {
		if open {
			args = append(args, word.String())
		}
		word.Reset()
		open = false
	}
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, open = c, true
		case c == ' ':
			end()
		case strings.ContainsRune("|<>;&", c):
			end()
			return args
		default:
			word.WriteRune(c)
			open = true
		}
	}
	end()
	return args
}

// placeholder reports whether a word stands for others: it is in capitals, or has dots in their
// place.
func placeholder(word string) bool {
	return strings.ContainsAny(word, "…") || strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ,/:[]|@.") == ""
}

// everyFlag are the names of the flags of all commands.
func everyFlag(root *cobra.Command) map[string]bool {
	names := make(map[string]bool)
	everyCommand(root, func(cmd *cobra.Command) {
		cmd.InitDefaultHelpFlag()
		for _, f := range allOf(cmd.Flags()) {
			names[f.Name] = true
		}
	})
	return names
}
