package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Snapshot returns all that a store in one directory holds at this moment, as a file that has no
// name any more: whoever reads it to its end and writes that elsewhere has a backup for [Restore].
// The store goes on meanwhile.
func Snapshot(s Store) (*os.File, error) {
	switch store := s.(type) {
	case traced:
		return Snapshot(store.Store)
	case *Switch:
		inner, err := store.enter(context.Background())
		if err != nil {
			return nil, err
		}
		defer store.leave()
		return Snapshot(inner)
	case *File:
		return store.snapshot()
	case *Redis:
		return nil, errors.New("state: the server has it: back that up by its own means (redis-cli --rdb FILE, or BGSAVE)")
	}
	return nil, errors.New("state: there is no file of it that could be backed up")
}

// snapshot writes the rows of one transaction. What was acknowledged before is among them. The next
// checkpoint waits until the transaction has begun, which otherwise could see a part of its rows.
func (f *File) snapshot() (*os.File, error) {
	f.checkpointing.Lock()
	begun := sync.OnceFunc(f.checkpointing.Unlock)
	defer begun()
	if err := f.checkpoint(); err != nil {
		return nil, err
	}
	name := filepath.Join(f.dir, fmt.Sprintf("backup.%d.%d", os.Getpid(), time.Now().UnixNano()))
	file, err := f.holder.owner.open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	err = os.Remove(name) // so that nothing is left of it, whatever happens
	if err == nil {
		err = f.view(func(tx *bolt.Tx) error {
			begun()
			_, err := tx.WriteTo(file)
			return err
		})
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("state: %w", err), file.Close())
	}
	return file, nil
}

// BackupError says what is wrong with the file of a backup.
type BackupError struct {
	File string
	Err  error
}

func (e *BackupError) Error() string { return e.File + ": " + e.Err.Error() }

// Unwrap is the cause.
func (e *BackupError) Unwrap() error { return e.Err }

// Restored is what [Restore] did.
type Restored struct {
	Rows int    // of the backup
	Kept string // name of the state that was there before, "" for none
}

// Restore puts a backup in the place of the state in dir, which no process may hold: the error is
// then a [HeldError]. The backup is looked through before anything is touched. What was there stays
// beside it, under a name with that time.
func Restore(dir, backup string, now time.Time) (Restored, error) {
	if err := settle(dir); err != nil {
		return Restored{}, err
	}
	h, err := hold(dir)
	if err != nil {
		return Restored{}, err
	}
	done, err := restore(dir, backup, h.owner, now)
	return done, errors.Join(err, h.release())
}

// settle has everything that is in the directory's journal in its file of rows. One that is
// damaged, or of a later version, is left as it is.
func settle(dir string) error {
	if there, err := HasState(dir); err != nil || !there {
		return err
	}
	f, err := OpenFile(dir, Options{})
	held := (*HeldError)(nil)
	foreign := (*DirError)(nil)
	switch {
	case err == nil:
		return f.Close()
	case errors.As(err, &held), errors.As(err, &foreign):
		return err
	}
	return nil
}

func restore(dir, backup string, whose *owner, now time.Time) (done Restored, err error) {
	aside := rowsName(dir) + ".restore"
	if err := os.RemoveAll(aside); err != nil {
		return done, fmt.Errorf("state: %w", err)
	}
	if err := copyFile(backup, aside, whose); err != nil {
		return done, errors.Join(fmt.Errorf("state: %w", err), os.RemoveAll(aside))
	}
	if done.Rows, err = lookThrough(aside); err != nil {
		damaged := (*DamagedError)(nil)
		if errors.As(err, &damaged) {
			err = fmt.Errorf("it is damaged (%s): take another backup", damaged.Cause)
		}
		return done, errors.Join(&BackupError{backup, err}, os.Remove(aside))
	}
	if done.Kept, err = keepOld(dir, now); err != nil {
		return done, fmt.Errorf("state: %w", err)
	}
	if err := os.Rename(aside, rowsName(dir)); err != nil {
		return done, fmt.Errorf("state: %w", err)
	}
	return done, syncDir(dir)
}

// keepOld keeps the state that is there under a name of its own, until the rename of the new one
// also under its own.
func keepOld(dir string, now time.Time) (kept string, err error) {
	journals, err := filepath.Glob(filepath.Join(dir, "journal.*"))
	if err != nil {
		return "", err
	}
	name := rowsName(dir) + "." + now.UTC().Format("20060102T150405Z")
	kept = name
	for n := 2; exists(kept); n++ {
		kept = fmt.Sprintf("%s.%d", name, n)
	}
	if there, err := HasState(dir); err != nil {
		return "", err
	} else if there {
		err = os.Link(rowsName(dir), kept)
		if err != nil {
			return "", err
		}
	} else if len(journals) == 0 {
		return "", nil
	}
	for _, journal := range journals { // of a state that could not be read
		if err := os.Rename(journal, kept+"."+filepath.Base(journal)); err != nil {
			return "", err
		}
	}
	return kept, syncDir(dir)
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

func copyFile(from, to string, whose *owner) error {
	in, err := os.OpenFile(from, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would wait for a writer
	if err != nil {
		return err
	}
	defer in.Close()
	if info, err := in.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(err, fmt.Errorf("%s is no file", from))
	}
	out, err := whose.open(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// lookThrough reads a whole file of rows, and counts them.
func lookThrough(name string) (rows int, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, err
	}
	if info.Size() < smallestFile {
		return 0, &DamagedError{name, fmt.Sprintf("it has %d octets", info.Size())}
	}
	err = guarded(name, func() (err error) {
		db, err := bolt.Open(name, 0o600, &bolt.Options{Timeout: time.Second}) // for writing, to read the list of free pages
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		return db.View(func(tx *bolt.Tx) error {
			if err := checkSchema(tx); err != nil {
				return err
			}
			if tx.Size() > info.Size() {
				return fmt.Errorf("%w: it has %d octets of %d", berrors.ErrInvalid, info.Size(), tx.Size())
			}
			if err := checkLengths(tx); err != nil {
				return err
			}
			if rows, err = countRows(tx); err != nil {
				return err
			}
			// In a goroutine, where a page that is not there would be fatal: all that rows are in,
			// and the keys that lead there, have been read by now.
			for wrong := range tx.Check(bolt.WithKVStringer(unsaid{})) {
				err = errors.Join(err, wrong)
			}
			if err != nil {
				return fmt.Errorf("%w: %w", berrors.ErrInvalid, err)
			}
			return nil
		})
	})
	return rows, err
}

// checkLengths looks at how many pages each page goes on for: bbolt's check counts them one by one,
// and keeps each in memory.
func checkLengths(tx *bolt.Tx) error {
	for id, length := 2, 1; ; id += length { // two heads come first
		page, err := tx.Page(id)
		if err != nil || page == nil {
			return err
		}
		if length = 1; page.Type != "free" {
			length += page.OverflowCount
		}
		if int64(id+length)*int64(tx.DB().Info().PageSize) > tx.Size() {
			return fmt.Errorf("%w: page %d goes on for %d pages", berrors.ErrInvalid, id, length)
		}
	}
}

// unsaid has an error of a check name no key: it is somebody's address, or leads out of the file.
type unsaid struct{}

func (unsaid) KeyToString([]byte) string   { return "-" }
func (unsaid) ValueToString([]byte) string { return "-" }

// countRows reads every row, to its last octet, and looks for it as one that is asked for: a length
// or a place that is wrong may lead out of the file.
func countRows(tx *bolt.Tx) (rows int, err error) {
	err = tx.ForEach(func(name []byte, bucket *bolt.Bucket) error {
		return bucket.ForEach(func(key, raw []byte) error {
			if !bytes.Equal(bucket.Get(key), raw) {
				return fmt.Errorf("%w: it is not where it is looked for", errRow)
			}
			switch name[0] {
			case 'r':
				rows++
				_, err := decodeRow(raw)
				return err
			case 'e':
				_, err := decodeEnd("", key)
				return err
			}
			return nil
		})
	})
	return rows, err
}
