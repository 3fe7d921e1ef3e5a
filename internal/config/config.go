// Package config reads flags from where an administrator may put them: the command line, variables
// of the environment, files. The first of these that has a flag decides: flag > variable > file >
// default. There is one file, and a directory of others that are read after it, in the order of
// their names, so that commands and packages can add to a configuration without editing a file of
// the administrator's:
//
//   - What a later file says of a flag replaces what the files before it say.
//   - A flag that may be repeated has the values of all files, in their order. In a file of the
//     directory, such a flag with nothing behind it takes away those of the files before.
//   - The command line and variables replace all values of a flag.
package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Prefix begins the name of every variable: MAILWEIR_HOPS_MAX is --hops-max.
const Prefix = "MAILWEIR_"

// FileFlag is the flag that names the file, DirFlag the one that names the directory.
const (
	FileFlag = "config"
	DirFlag  = "config-dir"
)

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

func repeatable(f *pflag.Flag) bool {
	_, ok := f.Value.(pflag.SliceValue)
	return ok
}

// Origin is where flags are read from.
type Origin struct {
	// Given is the command line.
	Given Given
	// Environ is a list of NAME=VALUE.
	Environ []string
	// Usual is the file that is read where it exists and no other one is named; "" for none.
	Usual string
	// Texts are files that are to have these texts, whatever the disk says of them, so that a file
	// can be tried before it is written.
	Texts map[string]string
}

// Resolved is what was found of flags, and where.
type Resolved struct {
	// File is the file of --config, or the usual one, which need not exist; "" for none.
	File string
	// Dir is the directory of --config-dir; "" for none. The one beside the file need not exist.
	Dir string
	// Files are those that were read, in this order.
	Files []string
	// Variables are the names of those that set a flag.
	Variables []string
	// Unknown are the variables that begin with the prefix but name no flag: not an error, because
	// whatever runs mailweir may have some of its own.
	Unknown []Unknown
	// Wrong is what no flag can have, in the order of the files, then of variables and command
	// line.
	Wrong []Wrong
	// Remarks are about lines that mean something, and most likely not what was meant.
	Remarks []string

	texts   map[string]string
	layers  []layer // the weakest first
	sources map[string][]Place
	winners map[string][]setting
}

// Wrong is a line, a variable or a value that a flag cannot have.
type Wrong struct {
	// Flag is the one that it is about, or that is most likely meant; "" when there is none.
	Flag string
	// Place is where it stands.
	Place Place
	// Err names the flag, the variable or the file and line.
	Err error
}

// layer is all that one file, the variables, or the command line say.
type layer struct {
	file     string // "" but for a file
	fragment bool   // it is a file of the directory
	settings map[string][]setting
}

// setting is one line, one value of a variable or of the command line.
type setting struct {
	place Place
	value string
	reset bool // takes away what files before it say
}

// Resolve sets every flag of a fresh set. What is wrong is told and passed over: such a flag keeps
// what it had.
func Resolve(set *pflag.FlagSet, from Origin) *Resolved {
	r := &Resolved{texts: from.Texts, sources: make(map[string][]Place), winners: make(map[string][]setting)}
	variables := r.readEnviron(set, from.Environ)
	given := layer{settings: make(map[string][]setting)}
	for name, values := range from.Given {
		for _, value := range values {
			given.settings[name] = append(given.settings[name], setting{place: Place{Name: onCommandLine}, value: value})
		}
		if len(values) == 0 {
			given.settings[name] = []setting{}
		}
	}
	r.layers = []layer{variables, given}
	r.findFiles(from.Usual)
	r.layers = append(r.readFiles(set), variables, given)
	set.VisitAll(func(f *pflag.Flag) { r.apply(f) })
	r.setFound(set)
	slices.SortStableFunc(r.Wrong, func(a, b Wrong) int { return r.Compare(a.Place, b.Place) })
	return r
}

// findFiles says which file and directory are to be read. Both flags come from the variables and
// the command line alone.
func (r *Resolved) findFiles(usual string) {
	file, named := r.named(FileFlag)
	if r.File = file; !named {
		r.File = usual
	}
	dir, named := r.named(DirFlag)
	switch {
	case named:
		r.Dir = dir
	case r.File != "":
		r.Dir = beside(r.File)
	}
}

// named is the last value of a flag that is not read from files.
func (r *Resolved) named(flag string) (value string, ok bool) {
	for _, l := range r.layers {
		if list, has := l.settings[flag]; has && l.file == "" {
			value, ok = "", true
			if len(list) > 0 {
				value = list[len(list)-1].value
			}
		}
	}
	return value, ok
}

// decide returns what sets a flag: of the strongest layer that has it, and of files together where
// it may be repeated.
func (r *Resolved) decide(flag string, repeatable bool) (winners []setting, found bool) {
	for _, l := range r.layers {
		list, ok := l.settings[flag]
		if !ok {
			continue
		}
		if !repeatable || l.file == "" || list[0].reset {
			winners = nil
		}
		found = true
		for _, s := range list {
			if !s.reset {
				winners = append(winners, s)
			}
		}
	}
	return winners, found
}

// apply sets a flag, and keeps the source of each of its values.
func (r *Resolved) apply(f *pflag.Flag) {
	r.sources[f.Name] = []Place{{Name: byDefault}}
	winners, found := r.decide(f.Name, repeatable(f))
	if !found {
		return
	}
	r.winners[f.Name] = winners
	var sources []Place
	for _, s := range winners {
		err := odd(f, s)
		if err == nil {
			err = f.Value.Set(s.value)
		}
		if err != nil {
			r.Wrong = append(r.Wrong, Wrong{f.Name, s.place, s.place.wrong("--%s: %s", f.Name, short(err))})
			continue
		}
		sources = append(sources, s.place)
	}
	if len(sources) > 0 || len(winners) == 0 {
		f.Changed = true
	}
	if len(sources) > 0 {
		r.sources[f.Name] = sources
	}
}

// setFound gives the flags of file and directory what is in use.
func (r *Resolved) setFound(set *pflag.FlagSet) {
	if f := set.Lookup(FileFlag); f != nil && slices.Contains(r.Files, r.File) {
		_ = f.Value.Set(r.File)
	}
	if f := set.Lookup(DirFlag); f != nil {
		_ = f.Value.Set(r.Dir)
	}
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

// wrong is an error that begins with the place, but for the command line, where it is plain.
func (p Place) wrong(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if p.Name == onCommandLine {
		return err
	}
	return fmt.Errorf("%s: %w", p, err)
}
