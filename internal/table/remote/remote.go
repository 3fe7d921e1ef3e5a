// Package remote keeps the tables that live elsewhere: in a directory, a database, behind a server.
// A type of table implements [Driver], which asks; everything that all of them need stands here.
// Answers are kept briefly. For one key there is one question at a time, whoever asks. A server
// that does not answer within its deadline is lost: then every question fails at once, and a prober
// asks until it is back (internal/backend).
//
// What a table holds belongs to its file, not to the policy that uses it: it outlives a reload that
// leaves the file as it is.
package remote

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"mailweir/internal/backend"
	"mailweir/internal/resource"
	"mailweir/internal/table"
	"mailweir/internal/table/postfixcf"
)

// Kind is a type of table.
type Kind struct {
	// Name is the type, as in NAME:SOURCE.
	Name string
	// File says that the source is the name of a file in the syntax of main.cf.
	File bool
	// InFlight is the most calls of Find under way at once, for one source; others wait for room. 0
	// is 32.
	InFlight int
	// WholeKeys says that the server expects whole addresses and names, as those of regexp: tables
	// do, and not the parts of them.
	WholeKeys bool
	// Open reads and checks the source, and does not connect: a server that is down must not keep a
	// policy from being loaded.
	Open func(Source) (Driver, error)
}

// Source is what a table is opened from.
type Source struct {
	// Spec is the table as TYPE:SOURCE, and names it in errors.
	Spec string
	// Text is what stands behind TYPE:.
	Text string
	// File is the file of that name; nil unless the Kind says that there is one.
	File *postfixcf.File
}

// Driver asks one table. Its methods may be called from any goroutine, and end when the context
// does.
type Driver interface {
	// Find answers one key as [table.Waiting] does. Errors lose the server, but for those that are
	// [Answered].
	Find(ctx context.Context, key string) (value string, found bool, err error)
	// Probe asks a server that is lost whether it would answer again.
	Probe(ctx context.Context) error
	// Inspect says, for a person, what has answered, and what may not be expected of it.
	Inspect(ctx context.Context) (text string, remarks []string, err error)
	// Close lets connections go. It does not wait for calls that are under way.
	Close() error
}

// Answered is an error that a server has given for an answer, such as that there are too many
// entries: nothing is known of the key, and yet the server works.
type Answered struct{ Err error }

func (a Answered) Error() string { return a.Err.Error() }
func (a Answered) Unwrap() error { return a.Err }

func isAnswer(err error) bool {
	var a Answered
	return errors.As(err, &a)
}

// Opener opens tables.
type Opener struct {
	// Kinds are the types that there are.
	Kinds []Kind
	// CacheFor is how long an answer is kept; 0 keeps none.
	CacheFor time.Duration
}

// Open opens TYPE:SOURCE, or takes it over from another policy that has it. What there is to say of
// its server goes to the observer, which may be nil. For a type that is not of the kinds the error
// is a [table.UnknownType].
func (o *Opener) Open(held *resource.Holder, observer *backend.Observer, kind, text string) (table.Waiting, error) {
	k, err := o.kind(kind)
	if err != nil {
		return nil, err
	}
	source, err := k.read(text)
	if err != nil {
		return nil, err
	}
	name := source.Spec
	if source.File != nil {
		name += fmt.Sprintf(" %x", source.File.Sum())
	}
	return resource.Get(held, name, func() (*Table, error) {
		driver, err := k.Open(source)
		if err != nil {
			return nil, err
		}
		return newTable(k, source, driver, o.CacheFor, observer), nil
	})
}

func (o *Opener) kind(name string) (Kind, error) {
	var known table.UnknownType
	for _, k := range o.Kinds {
		if k.Name == name {
			return k, nil
		}
		known = append(known, k.Name)
	}
	return Kind{}, known
}

// Open opens the bare driver of a source, without what this package adds.
func Open(k Kind, text string) (Driver, error) {
	source, err := k.read(text)
	if err != nil {
		return nil, err
	}
	return k.Open(source)
}

// read reads the source, and its file if there is one.
func (k Kind) read(text string) (Source, error) {
	source := Source{Spec: k.Name + ":" + text, Text: text}
	if !k.File {
		return source, nil
	}
	url := strings.HasPrefix(text, "//") && strings.Contains(text, "@")
	if url || !path.IsAbs(text) && !strings.HasPrefix(text, ".") && strings.ContainsAny(text, "{= @") {
		err := fmt.Errorf("the source is no file; write server, user and password into a file, as in %s_table(5), and name it: %s:/PATH", k.Name, k.Name)
		return source, &table.Error{Place: k.Name + ":…", Err: err} // there may be a password in the text
	}
	// Postfix takes any other name for the beginning of parameters in main.cf.
	if !strings.HasPrefix(text, "/") && !strings.HasPrefix(text, ".") {
		return source, fmt.Errorf("%q is no whole path of a file; write the whole path, such as %s:/etc/postfix/%s (parameters that main.cf has as %s_NAME belong in a file as NAME)", text, k.Name, path.Base(text), text)
	}
	var err error
	source.File, err = postfixcf.Read(text)
	return source, err
}

func (k Kind) inFlight() int {
	if k.InFlight > 0 {
		return k.InFlight
	}
	return 32
}
