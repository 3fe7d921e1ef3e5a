// Package postfixcf reads the files in which Postfix keeps the parameters of a table that lives
// elsewhere: those of ldap_table(5), mysql_table(5), pgsql_table(5) and sqlite_table(5). They are
// in the syntax of main.cf, without its $name: a "$" is a dollar sign.
//
// What Postfix passes over without a word is a remark here, or an error: names that nobody knows,
// and those that are given twice. Every error and remark names file and line.
package postfixcf

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"mailweir/internal/table"
	"mailweir/internal/textfile"
)

// File is one such file. Its getters note which names are known, and keep what is wrong first:
// ask [File.Err] when all has been read. A File is not safe for use by many at once.
type File struct {
	path    string
	sum     [sha256.Size]byte
	entries map[string]entry
	known   map[string]bool
	secrets []string
	remarks []remark
	err     error // the first
}

type entry struct {
	value string
	line  int
}

type remark struct {
	line int
	text string
}

// maxFile bounds a file: one with a long query has a few KiB.
const maxFile = 1 << 20

// Read reads the file of that name.
func Read(path string) (*File, error) {
	f, err := textfile.OpenText(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Parse(path, f)
}

// Parse reads a file; path names it in errors. Of a name that is given twice the last value counts.
func Parse(path string, r io.Reader) (*File, error) {
	f := &File{path: path, entries: map[string]entry{}, known: map[string]bool{}}
	content, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(content) > maxFile:
		return nil, &table.Error{Place: path, Err: errors.New("the file is larger than 1 MiB")}
	}
	f.sum = sha256.Sum256(content)
	if err := f.strays(string(content)); err != nil {
		return nil, err
	}
	if err := table.ReadLines(strings.NewReader(string(content)), f.add); err != nil {
		var place *table.Error
		if errors.As(err, &place) {
			place.Place = path
		}
		return nil, err
	}
	return f, nil
}

// stray is a line that was meant to give a password, and belongs to the one before. What a query
// compares with a column of that name stands in quotes, or is a call.
var stray = regexp.MustCompile(`^[ \t\v\f\r]+(bind_pw|password)[ \t\v\f\r]*=[^'"(]*[^'"( \t\v\f\r\n][^'"(]*$`)

// strays returns an error for a password that would become part of another value, such as a filter
// or the name of a server: nobody would know that it is to be hidden.
func (f *File) strays(content string) error {
	line := 0
	for text := range strings.Lines(content) {
		line++
		if m := stray.FindStringSubmatch(text); m != nil {
			return &table.Error{Place: f.path, Line: line, Err: fmt.Errorf("the line begins with white space, so that it continues the one before; "+
				"take that away, or %s is not what it gives", m[1])}
		}
	}
	return nil
}

// add takes one logical line. Its text may hold a secret, so that errors never show more than the
// name.
func (f *File) add(line int, text string) error {
	name, value, found := strings.Cut(text, "=")
	name = strings.TrimRight(name, whiteSpace)
	switch {
	case !found:
		return errors.New("there is no '='; a line is: name = value")
	case name == "":
		return errors.New("there is no name before the '='; a line is: name = value")
	case strings.ContainsAny(name, whiteSpace):
		return errors.New("there is white space in the name before the '='; a line is: name = value")
	}
	if was, twice := f.entries[name]; twice {
		f.remarks = append(f.remarks, remark{line, fmt.Sprintf("%s is given twice; this line counts, and not line %d", plain(name), was.line)})
	}
	f.entries[name] = entry{strings.Trim(value, whiteSpace), line}
	return nil
}

// whiteSpace is isspace(3) of the C locale.
const whiteSpace = " \t\n\v\f\r"

// Path is the file's name.
func (f *File) Path() string { return f.path }

// Sum tells one content of a file from another.
func (f *File) Sum() [sha256.Size]byte { return f.sum }

// Err returns what is wrong first of the values that have been read, with file and line; nil when
// nothing is.
func (f *File) Err() error { return f.err }

// Remarks says, in the order of the lines, what an administrator may not expect: names given twice
// or known to nobody, and what was noted by [File.Remarkf].
func (f *File) Remarks() []string {
	all := slices.Clone(f.remarks)
	for name, e := range f.entries {
		if !f.known[name] {
			all = append(all, remark{e.line, fmt.Sprintf("nothing here is called %q: the line is ignored, as Postfix does", plain(name))})
		}
	}
	slices.SortStableFunc(all, func(a, b remark) int { return a.line - b.line })
	texts := make([]string, len(all))
	for i, r := range all {
		texts[i] = f.place(r.line) + ": " + r.text
	}
	return texts
}

// plain is a name as far as it could be one: what stands behind may be a value, and a secret, where
// somebody wrote "name:value" and the value has a "=".
func plain(name string) string {
	for i := range len(name) {
		if c := name[i]; c != '_' && c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return name[:i] + "…"
		}
	}
	return name
}

// Errorf notes that the value of a name is wrong.
func (f *File) Errorf(name, format string, args ...any) {
	if f.err == nil {
		f.err = &table.Error{Place: f.path, Line: f.entries[name].line, Err: fmt.Errorf("%s: %w", name, fmt.Errorf(format, args...))}
	}
}

// Remarkf notes what is right and yet may not be expected; name is "" where it is about the file as
// a whole.
func (f *File) Remarkf(name, format string, args ...any) {
	f.remarks = append(f.remarks, remark{f.entries[name].line, fmt.Sprintf(format, args...)})
}

func (f *File) place(line int) string {
	if line == 0 {
		return f.path
	}
	return fmt.Sprintf("%s:%d", f.path, line)
}
