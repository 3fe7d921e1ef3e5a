// Package spool keeps the bodies of messages for those who are shown them from the first octet:
// small ones in memory that is used again, larger ones in files that have no name any more and
// vanish with the process. One budget bounds them all.
//
// What only computes on a body as it arrives needs none of this.
package spool

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// ErrFull says that a body was not kept because the budget for all of them is used up.
var ErrFull = errors.New("too much is kept of other messages (--scan-spool-max)")

// inMemory is how much of a body is kept in memory; what is larger goes into a file.
const inMemory = 64 << 10

// Spool is the place for the bodies of all sessions. It is safe for use by many at once.
type Spool struct {
	dir     string
	max     int64
	used    atomic.Int64
	buffers sync.Pool
}

// New returns a spool that keeps at most max octets at once, in memory and files together. The
// files are in dir, which is tried; "" is the system's temporary directory, which is not.
func New(dir string, limit int64) (*Spool, error) {
	s := &Spool{dir: dir, max: limit, buffers: sync.Pool{New: func() any { return new([inMemory]byte) }}}
	if dir != "" {
		if err := s.Try(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Try reports why a file cannot be made just now.
func (s *Spool) Try() error {
	file, err := s.create()
	if err != nil {
		return err
	}
	return file.Close()
}

// Used is how many octets of the budget are taken just now.
func (s *Spool) Used() int64 { return s.used.Load() }

// Max is how many octets the budget has.
func (s *Spool) Max() int64 { return s.max }

// take reserves a part of the budget.
func (s *Spool) take(octets int64) bool {
	if s.used.Add(octets) > s.max {
		s.used.Add(-octets)
		return false
	}
	return true
}

// create makes a file of mode 0600 without a name.
func (s *Spool) create() (*os.File, error) {
	file, err := open(s.dir)
	if err != nil {
		return nil, fmt.Errorf("a body cannot be kept: %w", err)
	}
	return file, nil
}

// openNamed makes a file whose name is gone at once.
func openNamed(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, "mailweir-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
