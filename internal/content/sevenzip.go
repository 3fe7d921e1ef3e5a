package content

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/ulikunitz/xz/lzma"
	"golang.org/x/text/encoding/unicode"
)

// A 7z archive (7zFormat.txt of the 7-Zip SDK) has its header at its end, and that is usually packed with LZMA. Members are packed together and
// can ask for any dictionary, so they are not unpacked; their names are read.
const (
	sevenZipMark   = "7z\xbc\xaf\x27\x1c"
	sevenZipHeader = 256 << 10 // most octets of a header, packed or not, and of what stands before it
	sevenZipMemory = 8 << 20   // of all that a header of that size can ask for
)

// sevenZip examines a 7z archive.
func (w *walk) sevenZip(f file, in *source) {
	if !w.x.examiner.pool.budget.take(sevenZipMemory) {
		w.x.reach(LimitLarge)
		return
	}
	defer w.x.examiner.pool.budget.give(sevenZipMemory)
	var start [32]byte
	if _, err := io.ReadFull(in, start[:]); err != nil {
		w.x.reach(LimitUnreadable)
		return
	}
	offset, size := int64(binary.LittleEndian.Uint64(start[12:])), int64(binary.LittleEndian.Uint64(start[20:]))
	if size == 0 && offset == 0 {
		return // nothing in it
	}
	if size > sevenZipHeader {
		w.x.reach(LimitLarge)
		return
	}
	if size <= 0 || offset < 0 {
		w.x.reach(LimitUnreadable)
		return
	}
	// The packed header stands right before its description.
	before := make([]byte, min(offset, sevenZipHeader))
	header := make([]byte, size)
	w.copy(nil, io.LimitReader(in, offset-int64(len(before))))
	_, err := io.ReadFull(in, before)
	if err == nil {
		_, err = io.ReadFull(in, header)
	}
	if err != nil {
		w.x.reach(LimitUnreadable)
		return
	}
	w.sevenZipNames(f, header, before, offset)
}

// sevenZipNames notes the members that the header names.
func (w *walk) sevenZipNames(f file, header, before []byte, offset int64) {
	for range 3 { // a packed header may hold a packed one
		c := sevenZipCursor{rest: header}
		kind := c.byte()
		if kind != szEncodedHeader {
			break
		}
		streams := c.streams()
		if streams.encrypted {
			w.found.encrypted = true
			return
		}
		header = streams.unpackHeader(before, offset)
	}
	c := sevenZipCursor{rest: header}
	members, encrypted := c.header()
	if c.failed {
		w.x.reach(LimitUnreadable)
	}
	for _, m := range members {
		if !w.member(f, m, encrypted, nil) {
			return
		}
	}
	if len(members) > 0 && !encrypted {
		w.x.reach(LimitUnreadable)
	}
}

// unpackHeader gives the header that the streams hold, nil if it cannot be had.
func (s *sevenZipStreams) unpackHeader(before []byte, offset int64) []byte {
	at := s.packed - (offset - int64(len(before)))
	if s.packed < 0 || at < 0 || at > int64(len(before)) || s.unpackSize > sevenZipHeader || len(s.lzma) != 5 {
		return nil
	}
	// The classic format of LZMA: properties and dictionary size as they are here, then the size. More than 16 tables of literals
	// no one needs.
	if d := s.lzma[0]; d >= 9*5*5 || d%9+d/9%5 > 4 {
		return nil
	}
	head := binary.LittleEndian.AppendUint64(bytes.Clone(s.lzma), s.unpackSize)
	r, err := lzma.ReaderConfig{DictCap: 2 * sevenZipHeader}.NewReader(io.MultiReader(bytes.NewReader(head), bytes.NewReader(before[at:])))
	if err != nil {
		return nil
	}
	header, err := io.ReadAll(io.LimitReader(r, sevenZipHeader))
	if err != nil {
		return nil
	}
	return header
}

// name reads one name, UTF-16 that ends with a NUL.
func (c *sevenZipCursor) name() string {
	for i := 0; i+1 < len(c.rest); i += 2 {
		if c.rest[i] == 0 && c.rest[i+1] == 0 {
			octets := c.take(i)
			c.take(2)
			name, _ := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder().Bytes(octets)
			return string(name)
		}
	}
	c.failed = true
	return ""
}
