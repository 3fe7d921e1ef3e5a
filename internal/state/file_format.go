package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The file has a bucket "meta" (schema: the version in decimal), a bucket "spaces" (a space's rows
// and evictions, 8 octets each), and for each space a bucket "r" + space (key: flags, end, value)
// and a bucket "e" + space (end and key: nothing). Keys there go without their space, which the
// bucket has.
//
// A row always has a place in "e" at its end or before: renewing leaves the place where it is,
// because moving it would cost a page of its own, and whoever comes by there moves it. Numbers are
// big-endian; an end is in Unix milliseconds.
var (
	metaBucket   = []byte("meta")
	spacesBucket = []byte("spaces")
	schemaKey    = []byte("schema")
)

const flagEntered = 1

// inner is the part of a key that its bucket holds, which is never empty.
func inner(space, key string) []byte { return []byte(key[len(space):]) }

func rowsOf(tx *bolt.Tx, space string) *bolt.Bucket { return tx.Bucket([]byte("r" + space)) }
func endsOf(tx *bolt.Tx, space string) *bolt.Bucket { return tx.Bucket([]byte("e" + space)) }

func encodeRow(r row) []byte {
	raw := make([]byte, 9, 9+len(r.value))
	if r.entered {
		raw[0] = flagEntered
	}
	binary.BigEndian.PutUint64(raw[1:], uint64(r.until))
	return append(raw, r.value...)
}

func decodeRow(raw []byte) (row, error) {
	if len(raw) < 9 {
		return row{}, errRow
	}
	return row{
		entered: raw[0]&flagEntered != 0,
		until:   int64(binary.BigEndian.Uint64(raw[1:])),
		value:   raw[9:len(raw):len(raw)],
	}, nil
}

func encodeEnd(space string, x ending) []byte {
	raw := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(x.key)), uint64(x.until))
	return append(raw, x.key[len(space):]...)
}

func decodeEnd(space string, raw []byte) (ending, error) {
	if len(raw) < 8 {
		return ending{}, errRow
	}
	return ending{until: int64(binary.BigEndian.Uint64(raw)), key: space + string(raw[8:])}, nil
}

// smallestFile is two heads of bbolt, in the smallest pages. To bbolt an empty file would be a new
// one.
const smallestFile = 2 * 4096

// openRows opens the file and reads what it counts. A new one is made aside and renamed when it is
// whole, so that no crash leaves half a file.
func openRows(name string, whose *owner) (rows *rowsFile, spaces map[string]SpaceStats, err error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = makeBolt(name, whose)
	case err == nil && info.Size() < smallestFile:
		err = &DamagedError{name, fmt.Sprintf("it has %d octets", info.Size())}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("state: %w", err)
	}
	rows = &rowsFile{name: name}
	err = guarded(name, func() (err error) {
		if rows.DB, err = bolt.Open(name, 0o600, boltOptions(whose, &rows.file)); err == nil {
			spaces, err = readSpaces(rows.DB)
		}
		return err
	})
	if err == nil {
		return rows, spaces, nil
	}
	if damage := (*DamagedError)(nil); !errors.As(err, &damage) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	if rows.file != nil {
		_ = rows.abandon() // bbolt has closed it, or never will
	}
	return nil, nil, fmt.Errorf("state: %w", err)
}

// boltOptions are how bbolt opens a file, which it also tells us.
func boltOptions(whose *owner, opened **os.File) *bolt.Options {
	return &bolt.Options{
		OpenFile: func(name string, flag int, mode os.FileMode) (file *os.File, err error) {
			*opened, err = whose.open(name, flag, mode)
			return *opened, err
		},
		Timeout:      time.Second,
		FreelistType: bolt.FreelistMapType,
		// Addresses for 16 GiB (nothing on 32 bits): when the map must grow, everyone waits for
		// everyone.
		InitialMmapSize: math.MaxInt >> 29,
	}
}

func makeBolt(name string, whose *owner) error {
	aside := name + ".new"
	if err := os.Remove(aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var file *os.File
	db, err := bolt.Open(aside, 0o600, boltOptions(whose, &file))
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		meta, err := tx.CreateBucket(metaBucket)
		if err != nil {
			return err
		}
		if _, err := tx.CreateBucket(spacesBucket); err != nil {
			return err
		}
		return meta.Put(schemaKey, strconv.AppendInt(nil, Schema, 10))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := os.Rename(aside, name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

func checkSchema(tx *bolt.Tx) error {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		return errors.New("this is not a state of mailweir")
	}
	return schemaFits(string(meta.Get(schemaKey)))
}

// schemaFits says whether this program knows what is written under that version.
func schemaFits(version string) error {
	n, err := strconv.Atoi(version)
	if err != nil {
		return fmt.Errorf("this is not a state of mailweir: its schema is %q", version)
	}
	if n > Schema {
		return fmt.Errorf("%w: it has schema %d, and this one knows %d; run the newer program, restore a backup from before (mailweir state restore), or name another state", ErrNewer, n, Schema)
	}
	return nil
}

// readSpaces counts the rows of a state that we know.
func readSpaces(db *bolt.DB) (map[string]SpaceStats, error) {
	spaces := map[string]SpaceStats{}
	err := db.View(func(tx *bolt.Tx) error {
		if err := checkSchema(tx); err != nil {
			return err
		}
		return tx.Bucket(spacesBucket).ForEach(func(k, v []byte) error {
			// bbolt takes no empty key: the space without a name needs a letter.
			s, err := decodeSpace(strings.TrimPrefix(string(k), "s"), v)
			spaces[s.Space] = s
			return err
		})
	})
	return spaces, err
}

func spaceKey(space string) []byte { return []byte("s" + space) }

func decodeSpace(name string, raw []byte) (SpaceStats, error) {
	if len(raw) != 16 {
		return SpaceStats{}, fmt.Errorf("%w: the count of space %s", errRow, name)
	}
	return SpaceStats{
		Space: name, Rows: int64(binary.BigEndian.Uint64(raw)), Evicted: int64(binary.BigEndian.Uint64(raw[8:])),
	}, nil
}

func encodeSpace(s SpaceStats) []byte {
	raw := binary.BigEndian.AppendUint64(nil, uint64(s.Rows))
	return binary.BigEndian.AppendUint64(raw, uint64(s.Evicted))
}
