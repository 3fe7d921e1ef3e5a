// Package xz unpacks xz files (The .xz File Format 1.2.1). A library's reader makes a dictionary of
// any size that the file names, so only its LZMA2 is used.
package xz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"

	"mailweir/internal/content/bcj"
	"mailweir/internal/content/lzma"
	"mailweir/internal/content/source"
)

// Parts of a file.
const (
	mark         = "\xfd7zXZ\x00"
	filterBCJ    = 0x04
	filterLZMA2  = 0x21
	flagPacked   = 0x40 // the size of the block is told
	flagUnpacked = 0x80 // the size of what comes out is told
	flagFilters  = 0x03
	flagReserved = 0x3c
	maxNumber    = 9 // octets of a number
)

// Memory is asked for the memory of a dictionary before it is made, and gets it back.
type Memory interface {
	Take(octets int) bool
	Give(octets int)
}

// Reader unpacks one block after the other. It leaves checksums alone.
type Reader struct {
	in      *source.Reader
	budget  Memory
	check   int64     // octets of the checksum behind a block
	block   io.Reader // nil between blocks
	begin   int64     // where the block's data begin
	memory  int
	clipped bool
	err     error
}

// NewReader unpacks in. Where budget does not give the memory for a block, the file ends. The
// caller must call Close.
func NewReader(in *source.Reader, budget Memory) *Reader { return &Reader{in: in, budget: budget} }

// Clipped says that a block asked for a larger dictionary than it got: an error may mean just that.
func (x *Reader) Clipped() bool { return x.clipped }

var errDamaged = errors.New("xz: damaged file")

func (x *Reader) Read(p []byte) (int, error) {
	for x.err == nil {
		if x.block == nil {
			x.err = x.next()
			continue
		}
		n, err := x.block.Read(p)
		switch {
		case err == io.EOF:
			x.err = x.end()
		case err != nil:
			x.err = errDamaged
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, x.err
}

// Close gives the memory back.
func (x *Reader) Close() {
	x.budget.Give(x.memory)
	x.block, x.memory = nil, 0
}

// end skips the padding and the checksum behind a block.
func (x *Reader) end() error {
	x.Close()
	padding := (x.begin - x.in.Used()) & 3
	_, err := x.in.Discard(int(padding + x.check))
	return err
}

// next begins the next block, of the next stream where there is none.
func (x *Reader) next() error {
	for {
		head, err := x.in.Peek(6)
		switch {
		case err != nil:
			return io.EOF
		case string(head) == mark:
			if err := x.stream(); err != nil {
				return err
			}
		case head[0] == 0: // the index, which no one needs, and what follows it
			if !x.skipIndex() {
				return io.EOF
			}
		default:
			return x.open(int(head[0])*4 + 4)
		}
	}
}

// stream reads the header of a stream.
func (x *Reader) stream() error {
	var h [12]byte
	if _, err := io.ReadFull(x.in, h[:]); err != nil {
		return err
	}
	x.check = [16]int64{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}[h[7]&15]
	return nil
}

// skipIndex goes to the next stream; false if there is none.
func (x *Reader) skipIndex() bool {
	for {
		if _, err := x.in.Peek(len(mark)); err != nil {
			return false
		}
		buffered, _ := x.in.Peek(x.in.Buffered())
		skip := bytes.Index(buffered, []byte(mark))
		if skip == 0 {
			return true
		}
		if skip < 0 {
			skip = len(buffered) - len(mark) + 1
		}
		_, _ = x.in.Discard(skip)
	}
}

// open begins a block whose header has so many octets.
func (x *Reader) open(size int) error {
	header := make([]byte, size)
	if _, err := io.ReadFull(x.in, header); err != nil {
		return err
	}
	x.begin = x.in.Used()
	flags, rest := header[1], header[2:]
	if flags&flagReserved != 0 {
		return errDamaged
	}
	unpacked := uint64(math.MaxUint64)
	if flags&flagPacked != 0 {
		_, rest = number(rest)
	}
	if flags&flagUnpacked != 0 {
		unpacked, rest = number(rest)
	}
	x86 := false
	for range flags&flagFilters + 1 {
		var id, length uint64
		id, rest = number(rest)
		length, rest = number(rest)
		switch {
		case id == filterBCJ && length == 0:
			x86 = true
		case id == filterLZMA2 && length == 1 && len(rest) > 0:
			return x.lzma2(min(lzma.Dictionary2(rest[0]), unpacked), x86)
		default:
			return errDamaged
		}
	}
	return errDamaged
}

func (x *Reader) lzma2(dictionary uint64, x86 bool) error {
	if dictionary > lzma.MaxDictionary {
		dictionary, x.clipped = lzma.MaxDictionary, true
	}
	memory := int(dictionary) + lzma.Tables
	if !x.budget.Take(memory) {
		return io.EOF
	}
	x.memory = memory
	r, err := lzma.NewReader2(x.in, int(dictionary))
	if err != nil {
		return errDamaged
	}
	if x.block = r; x86 {
		x.block = bcj.NewReader(r)
	}
	return nil
}

// number reads an integer, seven bits an octet.
func number(p []byte) (n uint64, rest []byte) {
	n, size := binary.Uvarint(p)
	if size <= 0 || size > maxNumber {
		return 0, nil
	}
	return n, p[size:]
}
