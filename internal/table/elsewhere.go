package table

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Described is a [Waiting] table of which there is more to know.
type Described interface {
	// File is read when the table is opened, "" for none. A table whose file has changed is to be
	// opened again.
	File() string
	// Paths are the files and directories that it needs besides, such as certificates.
	Paths() []string
	// Remarks are sentences about what an administrator may not expect of it.
	Remarks() []string
	// WholeKeys says that it is asked for whole addresses and names only, as patterns are.
	WholeKeys() bool
}

// UnknownType is the error of an [Opener] for a type that it does not know; it names those that it
// does.
type UnknownType []string

func (u UnknownType) Error() string { return "not one of " + strings.Join(u, ", ") }

// withoutProxy takes the proxy: from in front of a type. Postfix has it to share connections among
// its processes, or to reach a file from a chroot; mailweir is one process.
func (l *Loader) withoutProxy(spec, rest string) (kind, source string, err error) {
	if !strings.Contains(rest, ":") {
		return "", "", fmt.Errorf("the table %q has no source; want proxy:TYPE:SOURCE, or TYPE:SOURCE", spec)
	}
	l.remarks = append(l.remarks, fmt.Sprintf("%s: \"proxy:\" is left out; %s is asked directly", spec, rest))
	return splitSpec(rest)
}

func (l *Loader) openWaiting(spec, kind, source string) (loaded, error) {
	known := types
	if l.Waiting != nil {
		state := stateBefore(source)
		t, err := l.Waiting(kind, source)
		var unknown UnknownType
		switch {
		case errors.As(err, &unknown):
			known = slices.Concat(types, unknown)
		case err != nil:
			return loaded{}, placed(spec, err)
		case t != nil:
			entry := loaded{table: &Table{spec: spec, waiting: t}}
			if d, ok := t.(Described); ok {
				entry.table.wholes = d.WholeKeys()
				entry.table.file, entry.source = d.File(), state
				l.remarks = append(l.remarks, d.Remarks()...)
			}
			return entry, nil
		}
	}
	if strings.Contains(source, "@") {
		spec = kind + ":…" // perhaps user:password@host
	}
	if hint := instead[kind]; hint != "" {
		return loaded{}, fmt.Errorf("table type %q of %q is not supported: %s", kind, spec, hint)
	}
	return loaded{}, fmt.Errorf("unknown table type %q in %q; known are %s", kind, spec, strings.Join(known, ", "))
}

// placed returns err with the table in front, unless it names a place of its own.
func placed(spec string, err error) error {
	var place *Error
	if errors.As(err, &place) {
		return place
	}
	return &Error{Place: spec, Err: err}
}

// stateBefore is what a file looks like before it is read: so a change while it is read is seen
// later. It is nothing where there is no file.
func stateBefore(path string) fileState {
	info, err := os.Stat(path)
	if err != nil {
		return fileState{}
	}
	return stateFrom(info)
}

// instead says what to write in the place of types that Postfix has and mailweir has not.
var instead = map[string]string{
	"unionmap": "it joins what several tables say; give the flag several times, where the first table that has an answer gives it",
	"pipemap":  "it asks one table for what another one says; let a directory or database do so by its query, or ask through a socketmap: server",
	"randmap":  "its answers are random",
	"memcache": "ask the database behind it; answers are cached here (--table-cache)",
	"nis":      "write the map into a file for texthash: (ypcat -k MAP), or ask through a socketmap: server",
	"nisplus":  "write the table into a file for texthash:, or ask through a socketmap: server",
	"netinfo":  "write the table into a file for texthash:",
	"mongodb":  "ask through a socketmap: server",
	"environ":  "write the entries into the flag: inline:{NAME=VALUE, ...}",
	"unix":     "it reads /etc/passwd or /etc/group; write the names into a file for texthash: (getent passwd)",
	"fail":     "it never answers; leave it out",
	"internal": "it is a table within one process of Postfix",
	"debug":    "name the table without debug:, and see what it answers in the log with --log-level=debug, or by mailweir table query",
}
