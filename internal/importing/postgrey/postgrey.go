// Package postgrey carries over the greylisting of postgrey: its lists of clients and recipients
// that need not wait, its options, what it remembers, and where Postfix asks it. How it reads its
// files is that of postgrey 1.37.
package postgrey

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/textfile"
)

// Source reads a postgrey: directories with its lists or its database, files of options
// (/etc/default/postgrey), lists, and what db_dump(1) has made of a database.
func Source() importing.Source {
	return importing.Source{
		Name: "postgrey", Title: "postgrey: lists, options, and what it remembers", Kind: "postgrey",
		Usual: []string{"/etc/default/postgrey", "/etc/sysconfig/postgrey", "/etc/postgrey", defaultDatabase},
		Read:  read,
	}
}

const (
	defaultLists    = "/etc/postgrey"
	defaultDatabase = "/var/lib/postgrey"
)

// reading is one run.
type reading struct {
	*importing.Input
	*importing.Result
	options *options
	clients clients
	people  recipients
}

func read(ctx context.Context, in *importing.Input) (*importing.Result, error) {
	r := &reading{Input: in, Result: &importing.Result{}, options: defaults()}
	found, err := r.sort(in.Paths)
	if err != nil {
		return nil, err
	}
	for _, name := range found.options {
		r.readOptions(name)
	}
	r.options.flags(r.Result)
	r.lists(found)
	r.asked()
	if err := r.remembered(ctx, found); err != nil {
		return nil, err
	}
	return r.Result, nil
}

// found are the paths by what they hold.
type found struct{ options, clients, recipients, databases, dumps []string }

// sort tells what each path is.
func (r *reading) sort(paths []string) (f found, err error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return f, err
		case info.IsDir():
			f.directory(path)
		default:
			f.file(path)
		}
	}
	return f, nil
}

func (f *found) directory(path string) {
	if _, err := os.Stat(filepath.Join(path, triplets)); err == nil {
		f.databases = append(f.databases, path)
	}
	for _, suffix := range []string{"", ".local"} {
		for base, list := range map[string]*[]string{"whitelist_clients": &f.clients, "whitelist_recipients": &f.recipients} {
			name := filepath.Join(path, base+suffix)
			if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
				*list = append(*list, name)
			}
		}
	}
}

func (f *found) file(path string) {
	switch base := filepath.Base(path); {
	case isDump(path):
		f.dumps = append(f.dumps, path)
	case strings.Contains(base, "recipients"):
		f.recipients = append(f.recipients, path)
	case strings.Contains(base, "clients"):
		f.clients = append(f.clients, path)
	default:
		f.options = append(f.options, path)
	}
}

// isDump reports whether a file begins as the output of db_dump(1) does.
func isDump(path string) bool {
	file, err := textfile.Open(path)
	if err != nil {
		return false // whoever reads it says why
	}
	defer file.Close()
	begins := make([]byte, len(dumpBegins))
	_, err = io.ReadFull(file, begins)
	return err == nil && string(begins) == dumpBegins
}

// lists reads the lists of clients and recipients: those that the options name instead of all
// others.
func (r *reading) lists(f found) {
	if named := r.options.clients; len(named) > 0 {
		f.clients = r.old(named)
	}
	if named := r.options.recipients; len(named) > 0 {
		f.recipients = r.old(named)
	}
	for _, name := range f.clients {
		r.each(name, r.clients.line)
	}
	for _, name := range f.recipients {
		r.each(name, r.people.line)
	}
	r.clients.write(r)
	r.people.write(r)
}

func (r *reading) old(names []string) (paths []string) {
	for _, name := range names {
		paths = append(paths, r.Old(name))
	}
	return paths
}

// each calls line for every entry of a list as postgrey reads them: without comments, which begin
// anywhere, and blanks around.
func (r *reading) each(name string, line func(*reading, importing.Place, string)) {
	text, ok := r.text(name)
	if !ok {
		return
	}
	number := 0
	for one := range strings.Lines(string(text)) {
		number++
		one, _, _ = strings.Cut(one, "#")
		if one = strings.TrimSpace(one); one != "" {
			line(r, importing.Place{File: name, Line: number}, one)
		}
	}
}

// text is that of a file, or the file is left.
func (r *reading) text(name string) (text string, ok bool) {
	data, err := r.ReadText(name)
	if err != nil {
		why := err
		if path := (*fs.PathError)(nil); errors.As(err, &path) {
			why = path.Err
		}
		r.Left(importing.Place{File: name}, filepath.Base(name), "it cannot be read: %v", why)
	}
	return string(data), err == nil
}
