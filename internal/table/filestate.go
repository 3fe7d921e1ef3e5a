package table

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"os"
	"syscall"
	"time"
)

// fileState is what tells one content of a file from another.
type fileState struct {
	device, inode uint64
	size          int64
	modified      time.Time
	read          time.Time
	sum           [sha256.Size]byte
}

// grain is coarser than any file system's clock in use (FAT counts two seconds): a file that was
// read sooner after its modification may have been modified again without a trace.
const grain = 2 * time.Second

func stateOf(f *os.File) (fileState, error) {
	info, err := f.Stat()
	if err != nil {
		return fileState{}, err
	}
	if !info.Mode().IsRegular() {
		return fileState{}, errors.New("not a regular file")
	}
	return stateFrom(info), nil
}

func stateFrom(info os.FileInfo) fileState {
	s := fileState{size: info.Size(), modified: info.ModTime(), read: time.Now()}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		s.device, s.inode = uint64(stat.Dev), stat.Ino
	}
	return s
}

func (s fileState) seems(now fileState) bool {
	return s.device == now.device && s.inode == now.inode && s.size == now.size && s.modified.Equal(now.modified)
}

// isSurely tells whether the file can't have changed.
func (s fileState) isSurely(now fileState) bool {
	return s.seems(now) && s.read.Sub(s.modified) > grain
}

func (s fileState) stillSeems(path string) bool {
	info, err := os.Stat(path)
	return err == nil && s.seems(stateFrom(info))
}

// hashingReader sums what is read through it.
type hashingReader struct {
	io.Reader
	hash hash.Hash
}

func newHashingReader(r io.Reader) hashingReader {
	h := sha256.New()
	return hashingReader{io.TeeReader(r, h), h}
}

func (h hashingReader) sum() (sum [sha256.Size]byte) {
	h.hash.Sum(sum[:0])
	return sum
}
