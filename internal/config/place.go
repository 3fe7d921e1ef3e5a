package config

import (
	"cmp"
	"path/filepath"
	"slices"
	"strconv"
)

// Place is where a flag is given.
type Place struct {
	// Name is a file, a variable, "flag" for the command line, or "default".
	Name string
	// Line is that of a file, from 1; 0 elsewhere.
	Line int
}

const (
	onCommandLine = "flag"
	byDefault     = "default"
)

// String is FILE:LINE, the name of the variable, "flag" or "default".
func (p Place) String() string {
	if p.Line == 0 {
		return p.Name
	}
	return p.Name + ":" + strconv.Itoa(p.Line)
}

// IsDefault reports whether nobody gives the flag.
func (p Place) IsDefault() bool { return p.Name == byDefault || p.Name == "" }

// IsCommandLine reports whether the flag is given on the command line.
func (p Place) IsCommandLine() bool { return p.Name == onCommandLine }

// Of is the source of the nth value of a flag, as [Place.String].
func (r *Resolved) Of(flag string, n int) string {
	list := r.sources[flag]
	if len(list) == 0 {
		return byDefault
	}
	return list[min(n, len(list)-1)].String()
}

// Sources are where the values of a flag come from, one for each of a repeatable flag.
func (r *Resolved) Sources(flag string) []Place { return slices.Clone(r.sources[flag]) }

// Setting is what one place says of a flag.
type Setting struct {
	Place
	Value string
	// Wins says that it is, or is one of, the effective values; others hide it where it does not.
	Wins bool
}

// Settings are all places that say something of a flag, the weakest first.
func (r *Resolved) Settings(flag string) []Setting {
	var all []Setting
	for _, l := range r.layers {
		for _, s := range l.settings[flag] {
			all = append(all, Setting{Place: s.place, Value: s.value, Wins: slices.Contains(r.winners[flag], s)})
		}
	}
	return all
}

// Above are the places that would win over a line for a flag that may not be repeated, if it stood
// in a file: --config's, or one of the directory, which need not exist. The strongest is the last;
// none means that a line there decides.
func (r *Resolved) Above(flag, file string) []Place {
	var above []Place
	for _, l := range r.layers {
		if !r.stronger(l, file) {
			continue
		}
		for _, s := range l.settings[flag] {
			above = append(above, s.place)
		}
	}
	return above
}

// stronger reports whether a layer is read after a file.
func (r *Resolved) stronger(l layer, file string) bool {
	switch {
	case l.file == "":
		return true
	case !l.fragment:
		return false
	}
	return file == r.File || filepath.Base(l.file) > filepath.Base(file)
}

// Compare orders places as they are read: files, variables by name, the command line, no place.
func (r *Resolved) Compare(a, b Place) int {
	return cmp.Or(r.rank(a)-r.rank(b), a.Line-b.Line, cmp.Compare(a.Name, b.Name))
}

func (r *Resolved) rank(p Place) int {
	for i, l := range r.layers {
		if l.file == p.Name && l.file != "" {
			return i
		}
	}
	switch {
	case p.IsCommandLine():
		return len(r.layers) + 1
	case p.IsDefault():
		return len(r.layers) + 2
	}
	return len(r.layers)
}
