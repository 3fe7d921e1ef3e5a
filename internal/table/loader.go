package table

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"mailweir/internal/textfile"
)

// types are those of the tables in memory, as in TYPE:SOURCE.
var types = []string{"texthash", "hash", "lmdb", "btree", "cdb", "dbm", "sdbm", "cidr", "regexp", "pcre", "inline", "static", "list"}

// Loader opens the tables of one policy. A table whose source has not changed since the previous
// loader opened it is that loader's very object, so that a reload costs nothing for it. A loader is
// safe for use by many at once.
type Loader struct {
	// Waiting opens the tables that wait, and says what two policies have in common of them; nil
	// where there are none. It is set before a table is opened.
	Waiting Opener

	mu       sync.Mutex
	opened   map[string]loaded
	previous map[string]loaded
	remarks  []string
	warnings []string
	shared   map[string]Asked // what the uses of one table ask for together
}

// loaded is a table and what its file looked like when it was read.
type loaded struct {
	table  *Table
	source fileState
}

// NewLoader returns a loader that takes over what it can from the previous one, which may be nil
// and stays as it is.
func NewLoader(previous *Loader) *Loader {
	l := &Loader{opened: map[string]loaded{}}
	if previous != nil {
		previous.mu.Lock()
		defer previous.mu.Unlock()
		l.previous = make(map[string]loaded, len(previous.opened))
		for spec, was := range previous.opened {
			l.previous[spec] = was
		}
	}
	return l
}

// Share says that a table is put to this use, too: a key is wrong only where no use of its table
// asks for it. One file may have what clients and what senders are looked up by.
func (l *Loader) Share(use Use, specs ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shared == nil {
		l.shared = map[string]Asked{}
	}
	for _, spec := range specs {
		l.shared[spec] |= use.Asked &^ OwnKeys
	}
}

// sharedBy is what the other uses of a table ask for.
func (l *Loader) sharedBy(spec string) Asked {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shared[spec]
}

// Done lets go of the previous loader's tables. Call it when the policy is built.
func (l *Loader) Done() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.previous = nil
}

// Open opens the table TYPE:SOURCE. A path alone is texthash. hash, lmdb, btree, cdb, dbm and sdbm
// read the text from which postmap makes the database, so that there is one to read and to name
// lines of; what is in use by Postfix is the compiled one, and may be older.
func (l *Loader) Open(spec string) (*Table, error) {
	t, faults, err := l.open(spec)
	switch {
	case err != nil:
		return nil, err
	case faults != nil:
		return nil, faults
	case t.bare && t.file == "":
		return nil, &Error{Place: spec, Err: errNoStatic}
	}
	return t, nil
}

// open returns, where lines of a file are wrong, their errors and what the others come to, so that
// these can be looked at, too.
func (l *Loader) open(spec string) (*Table, *Errors, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok := l.opened[spec]; ok {
		return known.table, nil, nil
	}
	kind, source, err := splitSpec(spec)
	if err == nil && kind == "proxy" {
		kind, source, err = l.withoutProxy(spec, source)
	}
	if err != nil {
		return nil, nil, err
	}
	var entry loaded
	var faults *Errors
	switch {
	case kind == "inline" || kind == "static":
		entry.table, err = openLiteral(spec, kind, source)
	case slices.Contains(types, kind):
		entry, faults, err = l.openFile(spec, kind, source)
	default:
		entry, err = l.openWaiting(spec, kind, source)
	}
	if err == nil && faults == nil {
		l.opened[spec] = entry
	}
	return entry.table, faults, err
}

// Changed returns those of the files in use that look different from when they were read, sorted.
// It only asks the file system for their state, so that it can be asked every few seconds.
func (l *Loader) Changed() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var changed []string
	for _, entry := range l.opened {
		file := entry.table.file
		if file != "" && !slices.Contains(changed, file) && !entry.source.stillSeems(file) {
			changed = append(changed, file)
		}
	}
	slices.Sort(changed)
	return changed
}

// Files are the files that the tables in use need, sorted.
func (l *Loader) Files() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var files []string
	for _, entry := range l.opened {
		if entry.table.file != "" {
			files = append(files, entry.table.file)
		}
		if d, ok := entry.table.waiting.(Described); ok {
			files = append(files, d.Paths()...)
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// Sum is the SHA-256 of the file of a table in use, as it was read; zero for one that has none, or
// lives elsewhere.
func (l *Loader) Sum(spec string) [sha256.Size]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.opened[spec].source.sum
}

// Remarks are sentences about what an administrator may not expect of the tables in use, in the
// order in which they were opened, and then of entries that never answer.
func (l *Loader) Remarks() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	remarks := slices.Clone(l.remarks)
	for _, spec := range slices.Sorted(maps.Keys(l.opened)) {
		if r := l.opened[spec].table.hiddenRemark(); r != "" {
			remarks = append(remarks, r)
		}
	}
	return remarks
}

// Remark adds a sentence to [Loader.Remarks], Warn to [Loader.Warnings].
func (l *Loader) Remark(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remarks = append(l.remarks, text)
}

func (l *Loader) Warn(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.warnings = append(l.warnings, text)
}

// Warnings are the sentences about entries that let too much pass.
func (l *Loader) Warnings() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.warnings)
}

func splitSpec(spec string) (kind, source string, err error) {
	kind, source, found := strings.Cut(spec, ":")
	if !found || strings.Contains(kind, "/") {
		kind, source = "texthash", spec
	}
	if source == "" && kind != "static" {
		return "", "", fmt.Errorf("the table %q has no source; want TYPE:SOURCE", spec)
	}
	return kind, source, nil
}

func openLiteral(spec, kind, source string) (*Table, error) {
	t := &Table{spec: spec}
	var err error
	if kind == "static" {
		t.bare = source == ""
		t.source, err = parseStatic(source)
	} else if t.hash, err = parseInline(source); err == nil {
		t.source = t.hash
	}
	if err != nil {
		return nil, &Error{Place: spec, Err: err}
	}
	return t, nil
}

func (l *Loader) openFile(spec, kind, path string) (entry loaded, faults *Errors, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("table %s: %w", spec, err)
		}
	}()
	f, err := textfile.OpenText(path)
	if err != nil {
		return loaded{}, nil, err
	}
	defer f.Close()
	state, err := stateOf(f)
	if err != nil {
		return loaded{}, nil, err
	}
	was, known := l.previous[spec]
	if known && was.source.isSurely(state) {
		return was, nil, nil
	}
	content := newHashingReader(f)
	if known && was.source.size == state.size {
		// Touched, or written within the grain of the file system's clock: only the content can
		// tell.
		if _, err := io.Copy(io.Discard, content); err != nil {
			return loaded{}, nil, err
		}
		if state.sum = content.sum(); state.sum == was.source.sum {
			return loaded{was.table, state}, nil, nil
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return loaded{}, nil, err
		}
		content = newHashingReader(f)
	}
	t := &Table{spec: spec, file: path}
	err = t.read(kind, content, int(min(state.size, maxArena/2))) // it is for a guess
	if errors.As(err, &faults) {
		for _, one := range faults.List {
			one.Place = path
		}
		return loaded{table: t}, faults, nil
	}
	state.sum = content.sum()
	return loaded{t, state}, nil, err
}

func (t *Table) read(kind string, r io.Reader, size int) (err error) {
	switch kind {
	case "cidr":
		t.source, err = readNetworks(r)
	case "regexp", "pcre":
		t.source, err = readPatterns(r, kind == "regexp")
	case "list":
		t.bare = true
		t.hash, err = readKeys(r, size)
		t.source = t.hash
	default:
		t.hash, err = readText(r, size)
		t.source = t.hash
	}
	return err
}
