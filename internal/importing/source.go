package importing

import (
	"context"
	"path/filepath"
	"strings"

	"mailweir/internal/mta"
	"mailweir/internal/mta/postfix"
)

// Source reads one kind of old configuration.
type Source struct {
	// Name is one word, and begins the names of the files that it wants written.
	Name string
	// Title says what it reads, such as "DNS lists of Postfix".
	Title string
	// Kind is the word by which a person names what it reads: postfix for all that stands in
	// Postfix's configuration or is named there, else that of the program (postgrey, rspamd).
	Kind string
	// Usual are files and directories that it reads where no others are named, each only where it
	// is there. Those of Kind postfix need none.
	Usual []string
	// Read reads it. The error is for what cannot be read at all; what can be read and not be used
	// is an Item that is left.
	Read func(ctx context.Context, in *Input) (*Result, error)
}

// Input is what a source is given.
type Input struct {
	// Postfix is how Postfix is set up; nil for sources of another kind where no Postfix is found.
	Postfix *postfix.Postfix
	// Paths are the files and directories that a source of another kind than postfix is to read:
	// those that were named, or the usual ones that are there. With Root in front already.
	Paths []string
	// Root is a directory that stands for / of the old host, where its files were copied: see Old.
	Root string
	// Dir is the directory imported, for the values of flags: see In.
	Dir string
	// Given are the values that mailweir has of a flag already, without those of an earlier import.
	Given func(flag string) []string
	// Run runs a program, such as postmap.
	Run mta.Run

	seen map[string]error
}

// Old is where a file of the old host that has this name is now. What is below Root already, as
// the values that name $config_directory, stays as it is.
func (in *Input) Old(path string) string {
	if in.Root == "" || path == in.Root || strings.HasPrefix(path, in.Root+"/") {
		return path
	}
	return filepath.Join(in.Root, path)
}

// In is the path of a file of a Result, for the value of a flag: "texthash:" +
// in.In("access-clients").
func (in *Input) In(name string) string { return filepath.Join(in.Dir, name) }

// At is where a word of a parameter stands, or several that follow each other, such as a
// restriction and its argument: in main.cf, or in master.cf where the service overrides the
// parameter. Service nil is for main.cf; without words it is the line of the parameter.
func (in *Input) At(service *postfix.Service, parameter string, words ...string) Place {
	file, line := in.Postfix.Where(service, parameter, words...)
	return Place{file, line}
}
