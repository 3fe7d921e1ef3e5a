package config

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/pflag"

	"mailweir/internal/textfile"
)

// readFiles reads the file and those of the directory.
func (r *Resolved) readFiles(set *pflag.FlagSet) (layers []layer) {
	_, named := r.named(FileFlag)
	if r.File != "" {
		l, err := r.readFile(r.File, set, false)
		switch {
		case err == nil:
			layers = append(layers, l)
		case !named && errors.Is(err, fs.ErrNotExist):
		default:
			r.cannotRead(FileFlag, r.File, err)
		}
	}
	_, named = r.named(DirFlag)
	fragments, err := r.listDir(named)
	if err != nil {
		r.cannotRead(DirFlag, r.Dir, err)
	}
	for _, name := range fragments {
		l, err := r.readFile(name, set, true)
		if err != nil {
			r.cannotRead(DirFlag, name, err)
			continue
		}
		layers = append(layers, l)
	}
	return layers
}

// readFile reads flags from a file, one a line, as name = value; two hyphens may stand in front. A
// switch may stand without a value. Lines that begin with # and blank lines are left out. Only a
// repeatable flag may stand there twice.
func (r *Resolved) readFile(name string, set *pflag.FlagSet, fragment bool) (layer, error) {
	text, ok := r.texts[name]
	if !ok {
		data, err := textfile.ReadText(name)
		if err != nil {
			return layer{}, err
		}
		text = string(data)
		r.remarkOpen(name)
	}
	r.Files = append(r.Files, name)
	return r.parseFile(name, text, set, fragment), nil
}

func (r *Resolved) parseFile(name, text string, set *pflag.FlagSet, fragment bool) layer {
	l := layer{file: name, fragment: fragment, settings: make(map[string][]setting)}
	n := 0
	for line := range strings.Lines(text) {
		n++
		raw := strings.TrimRight(line, " \t\r\n")
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		place := Place{name, n}
		flag, err := r.readLine(l, raw, place, set)
		if err != nil {
			r.Wrong = append(r.Wrong, Wrong{flag, place, place.wrong("%w", err)})
		}
	}
	return l
}

// readLine adds a line to the settings of a file. With an error, flag is the one that the line is
// about, or most likely means.
func (r *Resolved) readLine(l layer, raw string, place Place, set *pflag.FlagSet) (flag string, err error) {
	name, value, sep := splitLine(strings.TrimSpace(raw))
	f := set.Lookup(name)
	switch {
	case strings.ContainsFunc(raw, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return nearest(set, name), errors.New("a control character stands in the line")
	case f == nil && raw[0] <= ' ':
		return nearest(set, name), errContinued
	case f == nil:
		return nearest(set, name), noFlag(set, name, sep != nothing)
	case name == FileFlag || name == DirFlag:
		return name, fmt.Errorf("--%s cannot stand in a file: it says which files are read; give it on the command line or as %s", name, Variable(name))
	case sep == nothing && f.NoOptDefVal == "":
		return name, fmt.Errorf("--%s needs a value: write %[1]s = VALUE", name)
	case sep == nothing:
		value = f.NoOptDefVal
	case sep == blank:
		r.Remarks = append(r.Remarks, fmt.Sprintf("%s: no = stands behind %s; write %[2]s = VALUE", place, name))
	}
	s := setting{place: place, value: value, reset: value == "" && repeatable(f) && l.fragment}
	before := l.settings[name]
	if len(before) > 0 && (!repeatable(f) || s.reset) {
		return name, fmt.Errorf("--%s stands at %s already", name, before[0].place)
	}
	l.settings[name] = append(before, s)
	return name, nil
}

// errContinued is about a line that Postfix would take as the end of the one before.
var errContinued = errors.New("the line begins with white space, as if it continued the one before; here a value is one line: write it there, or give a flag that may be repeated again")

// longName is longer than the name of any flag.
const longName = 60

// noFlag names the flag that is not there. What is too long for a name is most likely the rest of a
// line that was broken in two. A word that stands alone and is not nearly a name may be a password.
func noFlag(set *pflag.FlagSet, name string, hasValue bool) error {
	name = Masked(name)
	if !hasValue && nearest(set, name) == "" {
		return fmt.Errorf("the line is one word of %d octets and no flag's name", len(name))
	}
	if len(name) > longName {
		return fmt.Errorf("the line begins with no flag's name, but with %d octets without a space or =: %q…", len(name), name[:longName])
	}
	return fmt.Errorf("there is no flag --%s%s", name, Suggest(set, name))
}

// separator is what stands between name and value.
type separator uint8

const (
	nothing separator = iota
	blank
	equals
)

// splitLine splits "--name=value", "name = value" and "name value".
func splitLine(line string) (name, value string, sep separator) {
	line = strings.TrimPrefix(line, "--")
	end := strings.IndexAny(line, "= \t")
	if end < 0 {
		return line, "", nothing
	}
	value = strings.TrimSpace(line[end:])
	value, found := strings.CutPrefix(value, "=")
	if sep = blank; found {
		sep = equals
	}
	return line[:end], strings.TrimSpace(value), sep
}
