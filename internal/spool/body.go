package spool

import (
	"errors"
	"io"
	"os"
	"sync"
)

// errReleased is what a reader says whose body is gone.
var errReleased = errors.New("the body is not kept any more")

// Body is what is kept of one message. One goroutine writes, before others read. It is there for as
// long as somebody holds it; whoever made it is the first.
type Body struct {
	spool *Spool

	mu     sync.RWMutex
	holds  int
	memory *[inMemory]byte // nil once it is in the file
	file   *os.File
	size   int64
	taken  int64 // of the budget
	err    error
}

// NewBody returns an empty body, held once.
func (s *Spool) NewBody() *Body { return &Body{spool: s, holds: 1} }

// Write keeps one more piece. The error is permanent, nothing is kept from then on: [ErrFull], or
// what the file system says.
func (b *Body) Write(piece []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, b.err
	}
	if err := b.write(piece); err != nil {
		b.drop(err)
		return 0, err
	}
	b.size += int64(len(piece))
	return len(piece), nil
}

func (b *Body) write(piece []byte) error {
	if b.file == nil && b.size+int64(len(piece)) <= inMemory {
		return b.remember(piece)
	}
	if b.file == nil {
		if err := b.spill(); err != nil {
			return err
		}
	}
	if err := b.take(int64(len(piece))); err != nil {
		return err
	}
	_, err := b.file.Write(piece)
	return err
}

// remember keeps a piece in memory.
func (b *Body) remember(piece []byte) error {
	if b.memory == nil {
		if err := b.take(inMemory); err != nil {
			return err
		}
		b.memory = b.spool.buffers.Get().(*[inMemory]byte)
	}
	copy(b.memory[b.size:], piece)
	return nil
}

// spill moves what is in memory to a file.
func (b *Body) spill() error {
	file, err := b.spool.create()
	if err != nil {
		return err
	}
	b.file = file
	if b.memory == nil {
		return nil
	}
	if _, err := file.Write(b.memory[:b.size]); err != nil {
		return err
	}
	b.forget()
	b.giveBack(inMemory - b.size)
	return nil
}

// forget gives the memory to the next body.
func (b *Body) forget() {
	if b.memory != nil {
		b.spool.buffers.Put(b.memory)
		b.memory = nil
	}
}

func (b *Body) take(octets int64) error {
	if !b.spool.take(octets) {
		return ErrFull
	}
	b.taken += octets
	return nil
}

func (b *Body) giveBack(octets int64) {
	b.spool.used.Add(-octets)
	b.taken -= octets
}

// drop gives everything back; the error is what readers are told.
func (b *Body) drop(why error) {
	b.err = why
	b.forget()
	if b.file != nil {
		_ = b.file.Close() // it has no name, and nobody reads it any more
		b.file = nil
	}
	b.giveBack(b.taken)
}

// Err is why the body is not there, nil while it is.
func (b *Body) Err() error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.err
}

// Hold keeps the body beyond the release of whoever else holds it. It reports false when it is gone
// already.
func (b *Body) Hold() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.holds == 0 {
		return false
	}
	b.holds++
	return true
}

// Release ends one hold. After the last one the body is gone, and readers that are left get an
// error.
func (b *Body) Release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.holds--
	if b.holds == 0 {
		if b.err == nil {
			b.drop(errReleased)
		}
	}
}

// Open returns a reader from the first octet. Several may read at once, each on its own.
func (b *Body) Open() io.Reader { return &reader{body: b} }

type reader struct {
	body *Body
	at   int64
}

// Read reads what is kept. The lock is what keeps the memory from going to another message
// meanwhile.
func (r *reader) Read(p []byte) (int, error) {
	b := r.body
	b.mu.RLock()
	defer b.mu.RUnlock()
	left := b.size - r.at
	switch {
	case b.err != nil:
		return 0, b.err
	case left == 0:
		return 0, io.EOF
	case int64(len(p)) > left:
		p = p[:left]
	}
	if b.file == nil {
		n := copy(p, b.memory[r.at:b.size])
		r.at += int64(n)
		return n, nil
	}
	n, err := b.file.ReadAt(p, r.at)
	r.at += int64(n)
	return n, err
}
