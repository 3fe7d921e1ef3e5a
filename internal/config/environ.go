package config

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Variable is the name of a flag's variable.
func Variable(flag string) string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
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

// readEnviron finds the variables that set flags. A repeatable flag takes one value a line.
func (r *Resolved) readEnviron(set *pflag.FlagSet, environ []string) layer {
	flags := make(map[string]*pflag.Flag)
	set.VisitAll(func(f *pflag.Flag) { flags[Variable(f.Name)] = f })
	known := layer{settings: make(map[string][]setting)}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, Prefix) {
			continue
		}
		f, ok := flags[name]
		if !ok {
			r.Unknown = append(r.Unknown, unknownVariable(set, Masked(name)))
			continue
		}
		list := []string{value}
		if repeatable(f) {
			list = nonEmpty(strings.Split(value, "\n"))
		}
		known.settings[f.Name] = make([]setting, 0, len(list))
		for _, value := range list {
			known.settings[f.Name] = append(known.settings[f.Name], setting{place: Place{Name: name}, value: value})
		}
		r.Variables = append(r.Variables, name)
	}
	slices.Sort(r.Variables)
	slices.SortFunc(r.Unknown, func(a, b Unknown) int { return strings.Compare(a.Name, b.Name) })
	return known
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
