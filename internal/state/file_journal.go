package state

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// journal is the files journal.N in the directory: what was written since the last checkpoint, in
// order. It is synced about every second, and at once for what a person entered; the rows go to the
// bbolt file more rarely, because there every row costs a page. A file is a sequence of batches:
// length and CRC-32C of what follows (4 octets each), then records of key, row and whether it is
// gone. A batch that a crash cut short ends the file. Records say what a row became, so reading
// some of them twice does no harm.
type journal struct {
	dir   string
	owner *owner

	mu      sync.Mutex
	records []byte       // not on disk yet
	rows    int          // how many those are
	leaving int          // how many are on their way to the disk
	waiting []chan error // entered steps that the next sync acknowledges

	writing sync.Mutex // over what follows
	file    *os.File   // nil until there is something to write
	end     int64      // of the last whole batch
	number  int
	old     []string // files that the next checkpoint makes superfluous
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const batchHead = 8

// openJournal reads what is there, in order.
func openJournal(dir string, whose *owner, replay func(key string, c change)) (*journal, error) {
	j := &journal{dir: dir, owner: whose}
	files, err := os.ReadDir(dir) // in order: the numbers have leading zeros
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	for _, file := range files {
		number, isJournal := strings.CutPrefix(file.Name(), "journal.")
		if !isJournal {
			continue
		}
		name := filepath.Join(dir, file.Name())
		if j.number, err = strconv.Atoi(number); err != nil {
			return nil, fmt.Errorf("state: %s is not a journal of ours; move it away", name)
		}
		if err := replayJournal(name, replay); err != nil {
			return nil, fmt.Errorf("state: %s: %w", name, err)
		}
		j.old = append(j.old, name)
	}
	return j, nil
}

// begin begins the next file.
func (j *journal) begin() error {
	name := filepath.Join(j.dir, fmt.Sprintf("journal.%010d", j.number+1))
	file, err := j.owner.open(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := syncDir(j.dir); err != nil {
		return errors.Join(err, file.Close(), os.Remove(name))
	}
	j.number++
	j.file, j.end = file, 0
	return nil
}

func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// add notes what a row became. The caller has the lock of the row, so that the records of a row are
// in order.
func (j *journal) add(key string, c change) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.records) == 0 {
		j.records = append(j.records, make([]byte, batchHead)...)
	}
	j.records = appendRecord(j.records, key, c)
	j.rows++
}

// wait returns a channel that tells when everything noted so far is on disk.
func (j *journal) wait() <-chan error {
	synced := make(chan error, 1)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.waiting = append(j.waiting, synced)
	return synced
}

// pending returns how many records are not on disk.
func (j *journal) pending() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.rows + j.leaving
}

// sync writes what is noted.
func (j *journal) sync() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	return j.write(j.take())
}

// rotate calls cut, which parts the rows into those of this file and those of the next, writes the
// former and ends the file. It returns the files that are superfluous once those rows are in the
// bbolt file.
func (j *journal) rotate(cut func(take func())) (superfluous []string, err error) {
	j.writing.Lock()
	defer j.writing.Unlock()
	var last taken
	cut(func() { last = j.take() })
	if err := j.write(last); err != nil {
		return nil, err
	}
	if j.file != nil {
		j.old = append(j.old, j.file.Name())
		err = j.file.Close()
		j.file, j.end = nil, 0
	}
	return slices.Clone(j.old), err
}

// idle says that there is nothing to write down and nothing to remove.
func (j *journal) idle() bool {
	j.writing.Lock()
	defer j.writing.Unlock()
	return j.end == 0 && len(j.old) == 0 && j.pending() == 0
}

// forget removes files.
func (j *journal) forget(names []string) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	for _, name := range names { // the oldest first: a crash in between leaves no gap
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		j.old = j.old[1:]
	}
	return nil
}

// taken is what one sync writes.
type taken struct {
	records []byte
	rows    int
	waiting []chan error
}

func (j *journal) take() taken {
	j.mu.Lock()
	defer j.mu.Unlock()
	t := taken{j.records, j.rows, j.waiting}
	j.records, j.rows, j.waiting, j.leaving = nil, 0, nil, j.rows
	return t
}

// write writes one batch and answers those who wait. A batch that fails is noted again, before what
// came meanwhile, and will be written over its own remains.
func (j *journal) write(t taken) error {
	err := j.append(t.records)
	j.mu.Lock()
	j.leaving = 0
	if err != nil {
		if len(j.records) > 0 {
			t.records = append(t.records, j.records[batchHead:]...)
		}
		j.records, j.rows = t.records, j.rows+t.rows
	}
	j.mu.Unlock()
	for _, synced := range t.waiting {
		synced <- err
	}
	return err
}

func (j *journal) append(batch []byte) error {
	if len(batch) == 0 {
		return nil
	}
	if j.file == nil {
		if err := j.begin(); err != nil {
			return err
		}
	}
	binary.BigEndian.PutUint32(batch, uint32(len(batch)-batchHead))
	binary.BigEndian.PutUint32(batch[4:], crc32.Checksum(batch[batchHead:], castagnoli))
	if _, err := j.file.WriteAt(batch, j.end); err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	j.end += int64(len(batch))
	return nil
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}

const flagGone = 2

func appendRecord(to []byte, key string, c change) []byte {
	to = binary.AppendUvarint(to, uint64(len(key)))
	to = append(to, key...)
	row := encodeRow(c.row)
	if c.gone {
		row[0] |= flagGone
	}
	to = binary.AppendUvarint(to, uint64(len(row)))
	return append(to, row...)
}

func replayJournal(name string, replay func(string, change)) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	from := bufio.NewReader(file)
	head := make([]byte, batchHead)
	for {
		if _, err := io.ReadFull(from, head); err != nil {
			return ends(err)
		}
		length := binary.BigEndian.Uint32(head)
		batch, err := io.ReadAll(io.LimitReader(from, int64(length)))
		if err != nil {
			return err
		}
		if len(batch) != int(length) || crc32.Checksum(batch, castagnoli) != binary.BigEndian.Uint32(head[4:]) {
			return nil // cut short by a crash
		}
		if err := replayBatch(batch, replay); err != nil {
			return err
		}
	}
}

// ends turns the two ends of a file into none.
func ends(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

func replayBatch(batch []byte, replay func(string, change)) error {
	for len(batch) > 0 {
		key, rest, ok := cutField(batch)
		raw, rest, ok2 := cutField(rest)
		if !ok || !ok2 {
			return errors.New("a record is damaged")
		}
		r, err := decodeRow(raw)
		if err != nil {
			return err
		}
		replay(string(key), change{row: r, gone: raw[0]&flagGone != 0})
		batch = rest
	}
	return nil
}

func cutField(raw []byte) (field, rest []byte, ok bool) {
	n, size := binary.Uvarint(raw)
	if size <= 0 || n > uint64(len(raw)-size) {
		return nil, nil, false
	}
	return raw[size : size+int(n)], raw[size+int(n):], true
}
