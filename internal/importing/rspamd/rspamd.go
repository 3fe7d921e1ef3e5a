// Package rspamd carries over what an administrator has told rspamd: multimaps that refuse or
// accept by themselves, and thresholds. rspamd stays: what only adds to its score, and all else
// that it does, it does as before, whether Postfix or mailweir asks it. How maps are read is that
// of rspamd 3.4.
package rspamd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mailweir/internal/importing"
)

// Source reads directories as /etc/rspamd: what is in local.d and override.d. Files of the package
// beside them are rspamd's own.
func Source() importing.Source {
	return importing.Source{
		Name: "rspamd", Title: "rspamd: multimaps and thresholds; rspamd itself stays", Kind: "rspamd",
		Usual: []string{usualDir}, Read: read,
	}
}

const usualDir = "/etc/rspamd"

// reading is one run.
type reading struct {
	*importing.Input
	*importing.Result
	dir   string
	files []*source
	lists lists
}

// source is a file of local.d or override.d.
type source struct {
	path, name string
	lines      []string
	root       *node
}

func read(ctx context.Context, in *importing.Input) (*importing.Result, error) {
	r := &reading{Input: in, Result: &importing.Result{}, lists: newLists()}
	for _, dir := range in.Paths {
		r.dir, r.files = dir, nil
		for _, name := range []string{"local.d", "override.d"} {
			if err := r.directory(filepath.Join(dir, name)); err != nil {
				return nil, err
			}
		}
		if err := r.settings(ctx); err != nil {
			return nil, err
		}
	}
	r.lists.write(r)
	r.scanner()
	return r.Result, nil
}

// settings accounts for the files of one directory.
func (r *reading) settings(ctx context.Context) error {
	r.multimaps(ctx)
	for _, f := range r.files {
		switch f.name {
		case "multimap.conf":
		case "actions.conf":
			r.each(f, r.action)
		case "greylist.conf":
			r.each(f, r.greylisting)
		case "milter_headers.conf":
			r.all(f, r.Carried, "rspamd asks for these fields, and mailweir has the MTA add them")
		case "whitelist.conf":
			r.all(f, r.Left, "it changes rspamd's score, which rspamd goes on doing")
		default:
			r.Left(importing.Place{File: f.path}, f.name, "rspamd goes on doing this")
		}
	}
	return nil
}

// directory reads its files of settings. Those that cannot be read as such are left.
func (r *reading) directory(dir string) error {
	entries, err := os.ReadDir(dir)
	r.Saw(dir, unlessGone(err))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if errors.Is(err, fs.ErrPermission) {
		r.Left(importing.Place{File: dir}, filepath.Base(dir), "this user may not read it: run the command as root")
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if e.IsDir() || !isSettings(e.Name()) {
			continue
		}
		text, ok := r.text(path)
		if !ok {
			continue
		}
		f := &source{path: path, name: e.Name(), lines: strings.Split(text, "\n")}
		var wrong *uclError
		if f.root, err = parseUCL(text, r.vars()); errors.As(err, &wrong) {
			if isRead(f.name) {
				r.Left(importing.Place{File: path, Line: wrong.line}, strings.TrimSpace(f.line(wrong.line)), "nothing of this file is read: %s", wrong.text)
				continue
			}
			f.root = &node{}
		}
		r.files = append(r.files, f)
	}
	return nil
}

// unlessGone is an error but that of what is not there: a directory is named nowhere else, so that
// one that is gone is gone on purpose.
func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func isSettings(name string) bool {
	return slices.Contains([]string{".conf", ".inc"}, filepath.Ext(name))
}

// isRead reports whether anything in a file of this name counts here.
func isRead(name string) bool {
	return slices.Contains([]string{"multimap.conf", "actions.conf", "greylist.conf"}, name)
}

// vars are the variables of rspamd, where the package of Debian has them.
func (r *reading) vars() map[string]string {
	return map[string]string{
		"CONFDIR": r.dir, "LOCAL_CONFDIR": r.dir, "DBDIR": "/var/lib/rspamd", "RUNDIR": "/run/rspamd", "LOGDIR": "/var/log/rspamd",
		"SHAREDIR": "/usr/share/rspamd", "PLUGINSDIR": "/usr/share/rspamd/plugins", "RULESDIR": "/usr/share/rspamd/rules",
	}
}

// text is that of a file, or the file is left.
func (r *reading) text(path string) (text string, ok bool) {
	data, err := r.ReadText(path)
	if err != nil {
		why := err
		if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
			why = failed.Err
		}
		r.Left(importing.Place{File: path}, filepath.Base(path), "it cannot be read: %v", why)
	}
	return string(data), err == nil
}

// line is a line of the file by its number.
func (f *source) line(n int) string {
	if n < 1 || n > len(f.lines) {
		return ""
	}
	return f.lines[n-1]
}

// fate is one of Carried, Changed and Left of a result.
type fate func(at importing.Place, text, reason string, args ...any)

// account gives all lines of a setting the same fate.
func (r *reading) account(f *source, n *node, give fate, reason string, args ...any) {
	for i := n.line; i <= n.end; i++ {
		if text := strings.TrimSpace(f.line(i)); text != "" && text[0] != '#' {
			give(importing.Place{File: f.path, Line: i}, text, reason, args...)
		}
	}
}

// all gives all settings of a file the same fate.
func (r *reading) all(f *source, give fate, reason string) {
	for _, n := range f.root.fields {
		r.account(f, n, give, reason)
	}
}

// each calls judge for every setting of a file; a module's own name may stand around them.
func (r *reading) each(f *source, judge func(*source, *node)) {
	for _, n := range f.root.fields {
		if n.include {
			r.account(f, n, r.Left, "what is included is not read")
			continue
		}
		judge(f, n)
	}
}

// action accounts for a threshold. mailweir does what rspamd says, unless told otherwise.
func (r *reading) action(f *source, n *node) {
	switch key := strings.ReplaceAll(n.key, " ", "_"); {
	case key == "reject":
		r.account(f, n, r.Carried, "rspamd says when; mailweir, once it asks rspamd, refuses then (--spam-reject-at=action)")
	case key == "quarantine", key == "discard":
		r.account(f, n, r.Changed, "rspamd says when; mailweir, once it asks rspamd, refuses then, so that the sender knows")
	case key == "add_header":
		r.account(f, n, r.Carried, "rspamd says when; mailweir, once it asks rspamd, marks the message then (--spam-tag-at=action)")
	case key == "rewrite_subject":
		r.account(f, n, r.Changed, "rspamd says when; mailweir, once it asks rspamd, marks the message then; its subject stays")
	case strings.HasPrefix(key, "grey"):
		r.account(f, n, r.Left, "mailweir has greylisting of its own: what rspamd would greylist goes on")
	case key == "soft_reject":
		r.account(f, n, r.Carried, "rspamd says when; mailweir, once it asks rspamd, answers 451 then")
	default:
		r.account(f, n, r.Left, "rspamd goes on doing this")
	}
}

// greylisting accounts for a setting of rspamd's greylisting, which is about suspicious mail alone.
func (r *reading) greylisting(f *source, n *node) {
	if n.key != "whitelisted_ip" {
		r.account(f, n, r.Left, "rspamd greylists by its score; where mailweir greylists, write enabled = false here")
		return
	}
	entries, why := r.entries(n, true)
	if why != "" {
		r.account(f, n, r.Left, "%s", why)
		return
	}
	r.account(f, n, r.Carried, "these clients need not wait")
	for _, e := range entries {
		r.net(&r.lists.waitless, e, "OK")
	}
}
