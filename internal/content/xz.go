package content

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"path"
	"strings"

	"github.com/ulikunitz/xz/lzma"
)

// Parts of an xz file (The .xz File Format 1.2.1).
const (
	xzMark      = "\xfd7zXZ\x00"
	xzBCJ       = 0x04
	xzLZMA2     = 0x21
	xzPacked    = 0x40 // the size of the block is told
	xzUnpacked  = 0x80 // the size of what comes out is told
	xzFilters   = 0x03
	xzReserved  = 0x3c
	xzSizeLimit = 9 // octets of a number
)

// xz examines a file compressed by xz. The library's own reader makes a dictionary of any size that the file names, so only its LZMA2 is used.
func (w *walk) xz(f file, in *source) {
	x := &xzReader{w: w, in: in}
	defer x.close()
	defer w.survive()
	name := strings.TrimSuffix(path.Base(f.name), path.Ext(f.name))
	x.body = w.expand(x, in)
	w.member(f, name, false, x.body)
}

// xzReader unpacks one block after the other.
type xzReader struct {
	w      *walk
	in     *source
	check  int64     // octets of the checksum behind a block
	block  io.Reader // nil between blocks
	begin  int64     // where the block's data begin
	memory int
	body   *expansion
	err    error
}

var errXZBlock = errors.New("content: damaged xz file")

func (x *xzReader) Read(p []byte) (int, error) {
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
			x.err = errXZBlock
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, x.err
}

// close ends a block.
func (x *xzReader) close() {
	x.w.giveBack(x.memory)
	x.block, x.memory = nil, 0
}

// end skips the padding and the checksum behind a block.
func (x *xzReader) end() error {
	x.close()
	padding := (x.begin - x.in.used()) & 3
	_, err := x.in.Discard(int(padding + x.check))
	return err
}

// next begins the next block, of the next stream where there is none.
func (x *xzReader) next() error {
	for {
		head, err := x.in.Peek(6)
		switch {
		case err != nil:
			return io.EOF
		case string(head) == xzMark:
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
func (x *xzReader) stream() error {
	var h [12]byte
	if _, err := io.ReadFull(x.in, h[:]); err != nil {
		return err
	}
	x.check = [16]int64{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}[h[7]&15]
	return nil
}

// skipIndex goes to the next stream; false if there is none.
func (x *xzReader) skipIndex() bool {
	for {
		if _, err := x.in.Peek(len(xzMark)); err != nil {
			return false
		}
		buffered, _ := x.in.Peek(x.in.Buffered())
		skip := bytes.Index(buffered, []byte(xzMark))
		if skip == 0 {
			return true
		}
		if skip < 0 {
			skip = len(buffered) - len(xzMark) + 1
		}
		_, _ = x.in.Discard(skip)
	}
}

// open begins a block whose header has so many octets.
func (x *xzReader) open(size int) error {
	header := make([]byte, size)
	if _, err := io.ReadFull(x.in, header); err != nil {
		return err
	}
	x.begin = x.in.used()
	flags, rest := header[1], header[2:]
	if flags&xzReserved != 0 {
		return errXZBlock
	}
	unpacked := uint64(math.MaxUint64)
	if flags&xzPacked != 0 {
		_, rest = xzNumber(rest)
	}
	if flags&xzUnpacked != 0 {
		unpacked, rest = xzNumber(rest)
	}
	bcj := false
	for range flags&xzFilters + 1 {
		var id, length uint64
		id, rest = xzNumber(rest)
		length, rest = xzNumber(rest)
		switch {
		case id == xzBCJ && length == 0:
			bcj = true
		case id == xzLZMA2 && length == 1 && len(rest) > 0:
			return x.lzma2(min(lzma2Dictionary(rest[0]), unpacked), bcj)
		default:
			return errXZBlock
		}
	}
	return errXZBlock
}

func (x *xzReader) lzma2(dictionary uint64, bcj bool) error {
	if dictionary > maxDictionary {
		dictionary, x.body.fault = maxDictionary, LimitLarge
	}
	memory := int(dictionary) + lzmaTables
	if !x.w.takeSpare(memory) {
		return io.EOF
	}
	x.memory = memory
	r, err := lzma.Reader2Config{DictCap: max(int(dictionary), lzma.MinDictCap)}.NewReader2(x.in)
	if err != nil {
		return errXZBlock
	}
	if x.block = r; bcj {
		x.block = &bcjReader{r: r}
	}
	return nil
}

// xzNumber reads an integer, seven bits an octet.
func xzNumber(p []byte) (n uint64, rest []byte) {
	n, size := binary.Uvarint(p)
	if size <= 0 || size > xzSizeLimit {
		return 0, nil
	}
	return n, p[size:]
}
