// Package config reads flags from where an administrator may put them: the command line, variables
// of the environment, a file. The first of these that has a flag decides: flag > variable > file >
// default.
package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Prefix begins the name of every variable: MAILWEIR_HOPS_MAX is --hops-max.
const Prefix = "MAILWEIR_"

// FileFlag is the flag that names the file.
const FileFlag = "config"

// Given holds what the command line says: the values of each flag that stands there.
type Given map[string][]string

// FromCommandLine returns the flags that were set while the set was parsed.
func FromCommandLine(set *pflag.FlagSet) Given {
	given := make(Given)
	set.Visit(func(f *pflag.Flag) { given[f.Name] = values(f) })
	return given
}

func values(f *pflag.Flag) []string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	return []string{f.Value.String()}
}

// Sources tells where each flag's value comes from: "flag", the name of the variable, FILE:LINE, or
// "default". A repeatable flag has a source for each of its values.
type Sources map[string][]string

// Of is the source of the nth value of a flag.
func (s Sources) Of(flag string, n int) string {
	list := s[flag]
	return list[min(n, len(list)-1)]
}

// Resolve sets every flag of a fresh set from the command line, the environment and the file. The
// environment is a list of NAME=VALUE. It returns where each value came from, and variables that
// begin with the prefix but name no flag: not an error, because whatever runs mailweir may have
// some of its own. The error is the first thing that is wrong.
func Resolve(set *pflag.FlagSet, given Given, environ []string) (Sources, []Unknown, error) {
	sources, unknown, wrong := ResolveAll(set, given, environ)
	if len(wrong) > 0 {
		return nil, nil, wrong[0].Err
	}
	return sources, unknown, nil
}

// Wrong is a line, a variable or a value that a flag cannot have.
type Wrong struct {
	// Flag is the one that it is about, or that is most likely meant; "" when there is none.
	Flag string
	// Err names the flag, the variable or the file and line.
	Err error
}

// ResolveAll does as [Resolve] and goes on after what is wrong: such a flag keeps what it had.
func ResolveAll(set *pflag.FlagSet, given Given, environ []string) (Sources, []Unknown, []Wrong) {
	variables, unknown := readEnviron(set, environ)
	name, where := fileName(given, variables)
	var file map[string]setting
	var wrong []Wrong
	if name != "" {
		file, wrong = readFile(name, set)
	}
	sources := make(Sources)
	set.VisitAll(func(f *pflag.Flag) {
		s, ok := pick(f.Name, given, variables, file)
		if f.Name == FileFlag && name != "" {
			s, ok = setting{values: []string{name}, where: where}, true
		}
		sources[f.Name] = []string{"default"}
		if !ok {
			return
		}
		from, err := apply(f, s)
		if err != nil {
			wrong = append(wrong, Wrong{f.Name, err})
			return
		}
		sources[f.Name] = from
	})
	return sources, unknown, wrong
}

// Unknown is a variable that begins with the prefix but names no flag.
type Unknown struct {
	Name    string
	Nearest string // the variable that may have been meant, "" for none
}

// String says what is wrong with it.
func (u Unknown) String() string {
	if u.Nearest == "" {
		return "the variable " + u.Name + " names no flag"
	}
	return "the variable " + u.Name + " names no flag, did you mean " + u.Nearest + "?"
}

// setting is what one source says of one flag.
type setting struct {
	values []string
	where  string   // of the first value
	lines  []string // of each value in a file
}

// source is where one value stands.
func (s setting) source(i int) string {
	if i < len(s.lines) {
		return s.lines[i]
	}
	return s.where
}

func pick(name string, given Given, variables, file map[string]setting) (setting, bool) {
	if values, ok := given[name]; ok {
		return setting{values: values, where: "flag"}, true
	}
	if s, ok := variables[name]; ok {
		return s, true
	}
	s, ok := file[name]
	return s, ok
}

// apply sets the flag and returns the source of each of its values.
func apply(f *pflag.Flag, s setting) ([]string, error) {
	var sources []string
	list, repeatable := f.Value.(pflag.SliceValue)
	for i, value := range s.values {
		where := s.source(i)
		if err := f.Value.Set(value); err != nil {
			if where == "flag" {
				return nil, fmt.Errorf("--%s: %s", f.Name, short(err))
			}
			return nil, fmt.Errorf("%s: --%s: %s", where, f.Name, short(err))
		}
		for repeatable && len(sources) < len(list.GetSlice()) {
			sources = append(sources, where)
		}
	}
	if len(sources) == 0 {
		sources = []string{s.where}
	}
	f.Changed = true
	return sources, nil
}

// mostWords bounds what an error repeats of a value, in octets.
const mostWords = 400

// short is an error's text without the rest of a value that fills screens.
func short(err error) string {
	text := Masked(err.Error())
	if len(text) <= mostWords {
		return text
	}
	return strings.ToValidUTF8(text[:mostWords], "") + "…"
}

func fileName(given Given, variables map[string]setting) (name, where string) {
	if s, ok := pick(FileFlag, given, variables, nil); ok && len(s.values) > 0 {
		return s.values[len(s.values)-1], s.where
	}
	return "", ""
}

// Variable is the name of a flag's variable.
func Variable(flag string) string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// readEnviron finds the variables that set flags. A repeatable flag takes one value a line.
func readEnviron(set *pflag.FlagSet, environ []string) (known map[string]setting, unknown []Unknown) {
	flags := make(map[string]*pflag.Flag)
	set.VisitAll(func(f *pflag.Flag) { flags[Variable(f.Name)] = f })
	known = make(map[string]setting)
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, Prefix) {
			continue
		}
		f, ok := flags[name]
		if !ok {
			unknown = append(unknown, unknownVariable(set, Masked(name)))
			continue
		}
		s := setting{values: []string{value}, where: name}
		if _, repeatable := f.Value.(pflag.SliceValue); repeatable {
			s.values = nonEmpty(strings.Split(value, "\n"))
		}
		known[f.Name] = s
	}
	slices.SortFunc(unknown, func(a, b Unknown) int { return strings.Compare(a.Name, b.Name) })
	return known, unknown
}

func unknownVariable(set *pflag.FlagSet, name string) Unknown {
	u := Unknown{Name: name}
	flag := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, Prefix), "_", "-"))
	if near := nearest(set, flag); near != "" {
		u.Nearest = Variable(near)
	}
	return u
}

func nonEmpty(lines []string) []string {
	var kept []string
	for _, line := range lines {
		if line = strings.TrimSpace(line); line != "" {
			kept = append(kept, line)
		}
	}
	return kept
}
