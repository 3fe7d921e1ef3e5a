package importing

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mailweir/internal/textfile"
)

// Target is the mailweir that is to have what is imported.
type Target struct {
	// Dir is the directory imported, Fragment the file 40-import.conf.
	Dir, Fragment string
	// Flag tells what there is to know of a flag; nil where there is none of that name.
	Flag func(name string) *FlagFacts
	// Check reports what is wrong with the configuration, were this the text of Fragment.
	Check func(fragment string) error
	// Mode is the one that a check is to have a line for, because otherwise what is imported would
	// refuse mail at once; "" for none. Names of checks are those that Flag tells.
	Mode func(check string) string
	// Watched are checks that have something to do by other files and refuse nothing only because
	// Fragment has a line for them: they keep it, whatever else becomes of Fragment.
	Watched []string
}

// FlagFacts is what there is to know of a flag.
type FlagFacts struct {
	// Repeatable says that all its values count.
	Repeatable bool
	// Check is the one that it belongs to, "" where that refuses nothing by itself.
	Check string
	// Elsewhere are its values that stand in other files than Fragment.
	Elsewhere []Standing
}

// Standing is a value of a flag with its place.
type Standing struct{ Value, At string }

// change is what becomes of a file.
type change struct {
	path string
	// before and after are its texts, nil where there is no file.
	before, after *string
	// kept says why the file stays as it is though after is another text, "" where it does not.
	kept string
	mode fs.FileMode // of a new file
}

// notOurs is why a file is kept that import has not written.
const notOurs = "not written by mailweir import"

// Modes of new files.
const (
	secretMode = 0o640
	openMode   = 0o644
)

// newChange reads what is there. ours are the sums of what import has written by that name.
func newChange(path string, after *string, ours ...string) (*change, error) {
	c := &change{path: path, after: after, mode: openMode}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "import", Path: path, Err: errors.New("is no regular file; move it away")}
	}
	data, err := textfile.Read(path)
	if err != nil {
		return nil, err
	}
	text := string(data)
	c.before = &text
	known := false
	for _, s := range ours {
		known = known || s != ""
		if s == sum(text) {
			return c, nil
		}
	}
	switch {
	case c.same():
	case known:
		c.kept = "edited since it was imported"
	default:
		c.kept = notOurs
	}
	return c, nil
}

// same reports whether nothing becomes of the file.
func (c *change) same() bool {
	if c.before == nil || c.after == nil {
		return c.before == nil && c.after == nil
	}
	return *c.before == *c.after
}

// writes reports whether the file is to be written or removed.
func (c *change) writes() bool { return c.kept == "" && !c.same() }

// now is the text that the file has once all is written, nil for none.
func (c *change) now() *string {
	if c.kept != "" {
		return c.before
	}
	return c.after
}

// moved is the text with the names of files below another directory.
func moved(text, from, to string) string {
	return strings.ReplaceAll(text, from+"/", to+"/")
}

// trialDir makes a directory with the files that Dir would have.
func (t *Target) trialDir(changes []*change) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "mailweir-import-"); err != nil {
		return "", err
	}
	texts := map[string]string{}
	entries, err := os.ReadDir(t.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || e.Name() == ledgerFile {
			continue
		}
		data, err := textfile.Read(filepath.Join(t.Dir, e.Name()))
		if err != nil {
			return dir, err
		}
		texts[e.Name()] = string(data)
	}
	for _, c := range changes {
		delete(texts, filepath.Base(c.path))
		if now := c.now(); now != nil {
			texts[filepath.Base(c.path)] = *now
		}
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(moved(text, t.Dir, dir)), 0o600); err != nil {
			return dir, err
		}
	}
	return dir, nil
}
