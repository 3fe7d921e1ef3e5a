package content

import "golang.org/x/text/encoding/unicode"

// Property identifiers of a 7z header.
const (
	szHeader        = 0x01
	szArchiveProps  = 0x02
	szMainStreams   = 0x04
	szFiles         = 0x05
	szPackInfo      = 0x06
	szUnpackInfo    = 0x07
	szSubStreams    = 0x08
	szSize          = 0x09
	szCRC           = 0x0a
	szFolder        = 0x0b
	szUnpackSize    = 0x0c
	szUnpackStreams = 0x0d
	szEmptyStream   = 0x0e
	szEmptyFile     = 0x0f
	szNames         = 0x11
	szEncodedHeader = 0x17
)

// sevenZipCursor reads a header. It trusts no number: what is counted takes an octet each, so a false count ends with the octets, and nothing
// is allocated by it.
type sevenZipCursor struct {
	rest   []byte
	failed bool
}

// more tells a loop over n things whether there can be another one.
func (c *sevenZipCursor) more(i, n uint64) bool { return i < n && !c.failed }

func (c *sevenZipCursor) take(n int) []byte {
	if n < 0 || n > len(c.rest) {
		c.failed, c.rest = true, nil
		return nil
	}
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *sevenZipCursor) byte() byte {
	if b := c.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// number reads an integer: the leading ones of the first octet tell how many follow.
func (c *sevenZipCursor) number() uint64 {
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
func (c *sevenZipCursor) size() int {
	n := c.number()
	if n > uint64(len(c.rest)) {
		c.failed, c.rest = true, nil
		return 0
	}
	return int(n)
}

// flags reads n bits.
func (c *sevenZipCursor) flags(n uint64) func(uint64) bool {
	if n/8 > uint64(len(c.rest)) {
		c.failed, c.rest = true, nil
		return func(uint64) bool { return false }
	}
	bits := c.take(int((n + 7) / 8))
	return func(i uint64) bool { return i/8 < uint64(len(bits)) && bits[i/8]&(0x80>>(i%8)) != 0 }
}

// digests skips checksums and tells which of n there are.
func (c *sevenZipCursor) digests(n uint64) func(uint64) bool {
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

// sevenZipMember is a file in an archive.
type sevenZipMember struct {
	name  string
	empty bool // no stream holds it
}

// header gives the members, directories left out, and how they are packed.
func (c *sevenZipCursor) header() (members []sevenZipMember, streams sevenZipStreams) {
	if c.byte() != szHeader {
		c.failed = true
	}
	for !c.failed {
		switch c.byte() {
		case szArchiveProps:
			for c.byte() != 0 && !c.failed {
				c.take(c.size())
			}
		case szMainStreams:
			streams = c.streams()
		case szFiles:
			members = c.files()
		case 0:
			return members, streams
		default:
			c.failed = true
		}
	}
	return members, streams
}

func (c *sevenZipCursor) files() []sevenZipMember {
	n := c.number()
	var all []string
	none := func(uint64) bool { return false }
	empty, emptyFile := none, none
	for !c.failed {
		kind := c.byte()
		if kind == 0 {
			break
		}
		property := sevenZipCursor{rest: c.take(c.size())}
		switch kind {
		case szNames:
			if property.byte() != 0 { // in another stream
				c.failed = true
			}
			for i := uint64(0); property.more(i, n); i++ {
				all = append(all, property.name())
			}
		case szEmptyStream:
			empty = property.flags(n)
		case szEmptyFile:
			emptyFile = property.flags(uint64(len(property.rest)) * 8)
		}
		c.failed = c.failed || property.failed
	}
	var members []sevenZipMember
	var nth uint64 // among those without a stream
	for i, name := range all {
		directory := false
		if empty(uint64(i)) {
			directory = !emptyFile(nth)
			nth++
		}
		if !directory && name != "" {
			members = append(members, sevenZipMember{name, empty(uint64(i))})
		}
	}
	return members
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
