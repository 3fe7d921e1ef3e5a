package postgrey

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"mailweir/internal/importing"
	"mailweir/internal/textfile"
)

// The files of postgrey's directory: Berkeley DB, in an environment with transactions. What has
// been written since the last checkpoint, up to an hour ago, is in the logs alone.
const (
	triplets = "postgrey.db"
	counts   = "postgrey_clients.db"
	logs     = "log.*"
	dump     = "mailweir.dump"
)

// dumper has Perl's BerkeleyDB, which postgrey itself needs, write the databases of a copy to a
// file as db_dump(1) does.
//
//go:embed dump.pl
var dumper string

// remembered reads what postgrey remembers.
func (r *reading) remembered(ctx context.Context, f found) error {
	if _, set := r.options.set["dbdir"]; set {
		f.databases = []string{r.Old(r.options.dbdir)}
	}
	memory := &memory{options: r.options}
	for _, dir := range f.databases {
		at := importing.Place{File: filepath.Join(dir, triplets)}
		if err := r.readDatabase(ctx, dir, memory); err != nil {
			r.Left(at, triplets, "%v", err)
			continue
		}
		memory.tell(r.Result, at)
	}
	for _, name := range f.dumps {
		at := importing.Place{File: name}
		if err := readDumpFile(name, memory); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		memory.tell(r.Result, at)
	}
	r.Memory = memory.all()
	return nil
}

// database reads a copy of what is in a directory. postgrey may run meanwhile.
func (r *reading) readDatabase(ctx context.Context, dir string, into *memory) error {
	copied, err := os.MkdirTemp("", "mailweir-postgrey-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(copied)
	if err := copyQuiet(dir, copied); err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return errors.New("this user may not read it: run the command as root")
		}
		return err
	}
	if _, err := r.Run(ctx, dumper, "perl", "-", copied); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return errors.New("there is no Perl here to read it: give what \"db_dump FILE\" writes where there is one")
		}
		return fmt.Errorf("it cannot be read by BerkeleyDB of Perl (%w): give what \"db_dump FILE\" writes", err)
	}
	return readDumpFile(filepath.Join(copied, dump), into)
}

// attempts bound how often a copy is made again because a checkpoint came between.
const attempts = 5

// copyQuiet copies databases and logs. A checkpoint between the two moves entries from the logs to
// the databases, which shows in both; then everything is copied again.
func copyQuiet(from, to string) error {
	for range attempts {
		before, err := filesOf(from)
		if err != nil {
			return err
		}
		complete, err := copyAll(before, from, to)
		if err != nil {
			return err
		}
		after, err := filesOf(from)
		if err != nil {
			return err
		}
		if complete && slices.EqualFunc(databasesOf(before), databasesOf(after), sameFile) && !slices.ContainsFunc(before, func(f database) bool { return !hasName(after, f.name) }) {
			return nil
		}
	}
	return errors.New("it changes while it is read: try again")
}

// database is a file of a database as it was seen.
type database struct {
	name string
	info fs.FileInfo
}

func filesOf(dir string) (files []database, err error) {
	found, err := filepath.Glob(filepath.Join(dir, logs))
	if err != nil {
		return nil, err
	}
	// Databases first: what a log has more than they is repeated by the recovery, not the reverse.
	for _, path := range append([]string{filepath.Join(dir, triplets), filepath.Join(dir, counts)}, found...) {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		default:
			files = append(files, database{filepath.Base(path), info})
		}
	}
	return files, nil
}

func databasesOf(files []database) []database {
	return slices.DeleteFunc(slices.Clone(files), func(f database) bool { return filepath.Ext(f.name) != ".db" })
}

func sameFile(a, b database) bool {
	return a.name == b.name && a.info.Size() == b.info.Size() && a.info.ModTime().Equal(b.info.ModTime())
}

func hasName(files []database, name string) bool {
	return slices.ContainsFunc(files, func(f database) bool { return f.name == name })
}

// copyAll copies files; complete is false where one has gone meanwhile.
func copyAll(files []database, from, to string) (complete bool, err error) {
	for _, f := range files {
		source, err := textfile.Open(filepath.Join(from, f.name))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		err = copyTo(filepath.Join(to, f.name), source)
		if closing := source.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

func copyTo(name string, source *os.File) error {
	target, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = target.ReadFrom(source)
	if closing := target.Close(); err == nil {
		err = closing
	}
	return err
}

func readDumpFile(name string, into *memory) error {
	file, err := textfile.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return readDump(file, into.entry)
}
