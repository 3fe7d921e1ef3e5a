package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
	"mailweir/internal/textfile"
)

// ofPostfix is the kind of sources that read the configuration of Postfix.
const ofPostfix = "postfix"

// chosenSource is a source with the paths that the command line names for it.
type chosenSource struct {
	importing.Source
	paths []string
	// named says that the command line names it, or its kind: then it must be there.
	named, wanted bool
}

// chooseSources reads arguments: KIND or SOURCE, with :PATH behind it or without; or a directory of
// Postfix. Without any it is all.
func chooseSources(all []importing.Source, args []string) ([]chosenSource, error) {
	chosen := make([]chosenSource, 0, len(all))
	for _, s := range all {
		chosen = append(chosen, chosenSource{Source: s, wanted: len(args) == 0})
	}
	for _, arg := range args {
		what, path, _ := strings.Cut(arg, ":")
		if strings.Contains(what, "/") {
			what, path = ofPostfix, arg
			if _, err := os.Stat(filepath.Join(arg, "main.cf")); err != nil {
				return nil, fail(exUsage, "%s has no main.cf; say what it is: %s:%s", arg, kindsOf(all), arg)
			}
		}
		found := false
		for i := range chosen {
			if c := &chosen[i]; c.Kind == what || c.Name == what {
				c.wanted, c.named, found = true, true, true
				if path != "" {
					c.paths = append(c.paths, path)
				}
			}
		}
		if !found {
			return nil, fail(exUsage, "%q is nothing that can be imported; there is %s, and of these alone %s", what, kindsOf(all), namesOf(all))
		}
	}
	return chosen, nil
}

func kindsOf(all []importing.Source) string {
	var kinds []string
	for _, s := range all {
		if !slices.Contains(kinds, s.Kind) {
			kinds = append(kinds, s.Kind)
		}
	}
	return strings.Join(kinds, ", ")
}

func namesOf(all []importing.Source) string {
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// read has the chosen sources read. Those that are not chosen, and have no error, have no result.
func (q *importQuestion) read(ctx context.Context, chosen []chosenSource, into *importTarget) (read []importing.Read, from *postfix.Postfix, notes []string, err error) {
	from, note, err := q.postfix(ctx, chosen)
	if err != nil {
		return nil, nil, nil, err
	}
	if note != "" {
		notes = append(notes, note)
	}
	some := false
	for _, c := range chosen {
		in := &importing.Input{Postfix: from, Root: q.root, Dir: into.dir, Given: into.given, Run: q.programs()}
		r := importing.Read{Source: c.Source}
		there, err := q.paths(c, in)
		if err != nil {
			return nil, nil, nil, err
		}
		if there {
			some = true
			if r.Result, err = c.Read(ctx, in); err != nil {
				return nil, nil, nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			r.Files = in.Seen()
		}
		read = append(read, r)
	}
	if !some {
		return nil, nil, nil, errors.Join(errNothingFound, noteError(note))
	}
	return read, from, notes, nil
}

var errNothingFound = errors.New("there is nothing to import: neither a Postfix nor one of the programs beside it was found; name where it is, such as mailweir import postgrey:/PATH")

func noteError(note string) error {
	if note == "" {
		return nil
	}
	return errors.New(note)
}

// paths finds what a source is to read, and reports whether that is there.
func (q *importQuestion) paths(c chosenSource, in *importing.Input) (there bool, err error) {
	switch {
	case !c.wanted:
		return false, nil
	case c.Kind == ofPostfix:
		return in.Postfix != nil, nil
	}
	for _, path := range c.paths {
		if _, err := os.Stat(path); err != nil {
			return false, err
		}
		in.Paths = append(in.Paths, path)
	}
	if len(c.paths) > 0 {
		return true, nil
	}
	for _, path := range c.Usual {
		if _, err := os.Stat(q.below(path)); err == nil {
			in.Paths = append(in.Paths, q.below(path))
		}
	}
	if c.named && len(in.Paths) == 0 {
		return false, fmt.Errorf("%s is not at its usual place (%s); name where it is: mailweir import %s:/PATH", c.Kind, strings.Join(c.Usual, ", "), c.Name)
	}
	return len(in.Paths) > 0, nil
}

// postfix reads the Postfix that is meant; nil and a note where there is none and none was named.
func (q *importQuestion) postfix(ctx context.Context, chosen []chosenSource) (from *postfix.Postfix, note string, err error) {
	dir, wanted, named := q.postfixDir, false, q.postfixDir != ""
	for _, c := range chosen {
		if c.Kind != ofPostfix || !c.wanted {
			continue
		}
		wanted, named = true, named || c.named
		for _, path := range c.paths {
			if dir != "" && dir != path {
				return nil, "", fail(exUsage, "one Postfix at a time: %s or %s", dir, path)
			}
			dir = path
		}
	}
	run := q.programs()
	switch {
	case dir == "" && q.root != "":
		dir = q.below("/etc/postfix")
	case dir == "" && wanted:
		if instances, err := postfix.Instances(ctx, run); err == nil && len(instances) > 1 {
			return nil, "", severalPostfixes(instances)
		}
	}
	if dir != "" {
		if _, err := os.Stat(filepath.Join(dir, "main.cf")); err != nil && !named {
			return nil, "no Postfix is read: " + err.Error(), nil
		}
		for _, name := range []string{"main.cf", "master.cf"} { // postconf would wait for a pipe
			if _, err := textfile.Read(filepath.Join(dir, name)); errors.Is(err, textfile.ErrNotRegular) {
				return nil, "", err
			}
		}
	}
	from, err = postfix.Read(ctx, run, dir)
	switch {
	case errors.Is(err, exec.ErrNotFound) && !named:
		return nil, "no Postfix is read: its program postconf is not on this host", nil
	case err != nil && wanted:
		return nil, "", err
	}
	return from, "", nil
}

func severalPostfixes(instances []postfix.Instance) error {
	text := "there are several instances of Postfix; name the one that takes mail from outside:"
	for _, i := range instances {
		text += "\n  mailweir import -c " + i.Config
	}
	return fail(exUsage, "%s", text)
}
