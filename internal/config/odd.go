package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/pflag"
)

// odd is an error about a value that is written as other programs have it. All that is said of
// files also holds for variables, as docker's --env-file keeps quotes and comments too.
func odd(f *pflag.Flag, s setting) error {
	value := s.value
	if s.place.Name != onCommandLine {
		if len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
			return errors.New("quotes around a value would be part of it: write it without them")
		}
		if trailingComment(value) {
			return errors.New("a comment behind a value would be part of it: give it a line of its own")
		}
	}
	if f.Value.Type() == "TABLE" {
		return oddTable(f.Name, value)
	}
	return nil
}

// trailingComment reports whether an administrator meant a comment behind a value. Within braces,
// as in inline:{…}, it is none. Nothing of it is repeated: it may be the end of a password.
func trailingComment(value string) bool {
	at := strings.Index(strings.ReplaceAll(value, "\t#", " #"), " #")
	return at >= 0 && !(strings.Contains(value[:at], "{") && strings.Contains(value[at:], "}"))
}

var (
	secondTable = regexp.MustCompile(`[,\s]\s*[a-z]+:[/{]`)
	plainWords  = regexp.MustCompile(`^[^:/{}]+$`)
)

// oddTable is an error about what is a list, or several tables, where one table is meant.
func oddTable(flag, value string) error {
	if strings.Contains(value, "{") {
		return nil // inline:{…} may hold anything
	}
	if at := secondTable.FindStringIndex(value); at != nil && strings.Contains(value[:at[0]], ":") {
		return fmt.Errorf("this looks like several tables: give each a --%s of its own", flag)
	}
	if !plainWords.MatchString(value) {
		return nil
	}
	if _, err := os.Lstat(value); err == nil {
		return nil
	}
	words := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	for i, w := range words {
		words[i] = w + "=x"
	}
	if len(words) == 0 || len(words) == 1 && !strings.ContainsAny(value, ".@,") {
		return nil // a file in this directory, most likely
	}
	return fmt.Errorf("%q is no file, and a table is meant: name a file with one a line, list:/PATH, or write inline:{%s}", value, strings.Join(words, ", "))
}
