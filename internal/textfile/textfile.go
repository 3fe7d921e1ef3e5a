// Package textfile opens the files that an administrator names. A pipe or a device in the place of
// a file would hold up a reload for ever, so only regular files are read.
package textfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// ErrNotRegular means that the name is a directory, a pipe, a socket or a device.
var ErrNotRegular = errors.New("not a regular file")

// ErrMark means that a text file begins with a byte order mark, which would become part of its
// first word.
var ErrMark = errors.New("the file begins with a byte order mark; save it as UTF-8 without one")

// Open opens a regular file. It never waits for the other end of a pipe.
func Open(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &os.PathError{Op: "open", Path: name, Err: ErrNotRegular}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// OpenText opens a regular file of text, which must not begin with a byte order mark.
func OpenText(name string) (*os.File, error) {
	f, err := Open(name)
	if err != nil {
		return nil, err
	}
	var start [3]byte
	n, err := io.ReadFull(f, start[:])
	switch {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
	case string(start[:n]) == "\xef\xbb\xbf":
		err = fmt.Errorf("%s:1: %w", name, ErrMark)
	default:
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// maxText bounds a file that is read whole.
const maxText = 64 << 20

// ReadText reads a regular file of text, of at most 64 MiB.
func ReadText(name string) ([]byte, error) {
	return readAll(name, OpenText)
}

// Read is [ReadText] for a file that may begin with a byte order mark.
func Read(name string) ([]byte, error) { return readAll(name, Open) }

func readAll(name string, open func(string) (*os.File, error)) ([]byte, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err == nil && len(data) > maxText {
		err = &os.PathError{Op: "read", Path: name, Err: errors.New("larger than 64 MiB")}
	}
	return data, err
}
