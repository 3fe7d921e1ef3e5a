package sevenzip

import "golang.org/x/text/encoding/unicode"

// Property identifiers of a 7z header.
const (
	idHeader        = 0x01
	idArchiveProps  = 0x02
	idMainStreams   = 0x04
	idFiles         = 0x05
	idPackInfo      = 0x06
	idUnpackInfo    = 0x07
	idSubStreams    = 0x08
	idSize          = 0x09
	idCRC           = 0x0a
	idFolder        = 0x0b
	idUnpackSize    = 0x0c
	idUnpackStreams = 0x0d
	idEmptyStream   = 0x0e
	idEmptyFile     = 0x0f
	idNames         = 0x11
	idEncodedHeader = 0x17
)

// Header is what the header of an archive tells.
type Header struct {
	Packed  bool     // the header itself is packed: Streams tell how, and there are no members yet
	Members []Member // directories left out
	Streams Streams
	Damaged bool // it could not be read to its end: what stands before that is told
}

// Parse reads a header.
func Parse(octets []byte) (h Header) {
	c := cursor{rest: octets}
	if len(octets) > 0 && octets[0] == idEncodedHeader {
		c.byte()
		h.Packed, h.Streams = true, c.streams()
	} else {
		h.Members, h.Streams = c.header()
	}
	h.Damaged = c.failed
	return h
}

// cursor reads a header. It trusts no number: what is counted takes an octet each, so a false count
// ends with the octets, and nothing is allocated by it.
type cursor struct {
	rest   []byte
	failed bool
}

// more tells a loop over n things whether there can be another one.
func (c *cursor) more(i, n uint64) bool { return i < n && !c.failed }

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.rest) {
		c.failed, c.rest = true, nil
		return nil
	}
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *cursor) byte() byte {
	if b := c.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// number reads an integer: the leading ones of the first octet tell how many follow.
func (c *cursor) number() uint64 {
	first := c.byte()
	var value uint64
	for i := range 8 {
		mask := byte(0x80) >> i
		if first&mask == 0 {
			return value | uint64(first&(mask-1))<<(8*i)
		}
		value |= uint64(c.byte()) << (8 * i)
	}
	return value
}

// size is a number of octets that follow.
func (c *cursor) size() int {
	n := c.number()
	if n > uint64(len(c.rest)) {
		c.failed, c.rest = true, nil
		return 0
	}
	return int(n)
}

// flags reads n bits.
func (c *cursor) flags(n uint64) func(uint64) bool {
	if n/8 > uint64(len(c.rest)) {
		c.failed, c.rest = true, nil
		return func(uint64) bool { return false }
	}
	bits := c.take(int((n + 7) / 8))
	return func(i uint64) bool { return i/8 < uint64(len(bits)) && bits[i/8]&(0x80>>(i%8)) != 0 }
}

// digests skips checksums and tells which of n there are.
func (c *cursor) digests(n uint64) func(uint64) bool {
	defined := func(uint64) bool { return true }
	if c.byte() == 0 {
		defined = c.flags(n)
	}
	for i := uint64(0); c.more(i, n); i++ {
		if defined(i) {
			c.take(4)
		}
	}
	return defined
}

// Member is a file in an archive.
type Member struct {
	Name  string
	Empty bool // no stream holds it
}

// header gives the members, directories left out, and how they are packed.
func (c *cursor) header() (members []Member, streams Streams) {
	if c.byte() != idHeader {
		c.failed = true
	}
	for !c.failed {
		switch c.byte() {
		case idArchiveProps:
			for c.byte() != 0 && !c.failed {
				c.take(c.size())
			}
		case idMainStreams:
			streams = c.streams()
		case idFiles:
			members = c.files()
		case 0:
			return members, streams
		default:
			c.failed = true
		}
	}
	return members, streams
}

func (c *cursor) files() []Member {
	n := c.number()
	var all []string
	none := func(uint64) bool { return false }
	empty, emptyFile := none, none
	for !c.failed {
		kind := c.byte()
		if kind == 0 {
			break
		}
		property := cursor{rest: c.take(c.size())}
		switch kind {
		case idNames:
			if property.byte() != 0 { // in another stream
				c.failed = true
			}
			for i := uint64(0); property.more(i, n); i++ {
				all = append(all, property.name())
			}
		case idEmptyStream:
			empty = property.flags(n)
		case idEmptyFile:
			emptyFile = property.flags(uint64(len(property.rest)) * 8)
		}
		c.failed = c.failed || property.failed
	}
	var members []Member
	var nth uint64 // among those without a stream
	for i, name := range all {
		directory := false
		if empty(uint64(i)) {
			directory = !emptyFile(nth)
			nth++
		}
		if !directory && name != "" {
			members = append(members, Member{name, empty(uint64(i))})
		}
	}
	return members
}

// name reads one name, UTF-16 that ends with a NUL.
func (c *cursor) name() string {
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
