package content

import "bytes"

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

var (
	szLZMA = []byte{3, 1, 1}
	szAES  = []byte{6, 0xf1, 7, 1}
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

// sevenZipStreams is what is told of packed streams.
type sevenZipStreams struct {
	packed     int64 // where the first one begins, behind the start header
	encrypted  bool
	lzma       []byte // properties, if a single LZMA coder packs the first folder
	unpackSize uint64 // of the first folder
	folders    []sevenZipFolder
}

type sevenZipFolder struct {
	outputs  uint64
	streams  uint64 // members in it
	checksum bool
}

func (c *sevenZipCursor) streams() (s sevenZipStreams) {
	for !c.failed {
		switch c.byte() {
		case szPackInfo:
			s.packed = int64(c.number())
			c.packInfo(c.number())
		case szUnpackInfo:
			c.unpackInfo(&s)
		case szSubStreams:
			c.subStreams(&s)
		case 0:
			return s
		default:
			c.failed = true
		}
	}
	return s
}

func (c *sevenZipCursor) packInfo(streams uint64) {
	for !c.failed {
		switch c.byte() {
		case szSize:
			for i := uint64(0); c.more(i, streams); i++ {
				c.number()
			}
		case szCRC:
			c.digests(streams)
		case 0:
			return
		default:
			c.failed = true
		}
	}
}

func (c *sevenZipCursor) unpackInfo(s *sevenZipStreams) {
	for !c.failed {
		switch c.byte() {
		case szFolder:
			n, external := c.number(), c.byte()
			c.failed = c.failed || external != 0
			for i := uint64(0); c.more(i, n); i++ {
				s.folders = append(s.folders, c.folder(s, i == 0))
			}
		case szUnpackSize:
			for i := range s.folders {
				for k := uint64(0); c.more(k, s.folders[i].outputs); k++ {
					if size := c.number(); i == 0 && k == 0 {
						s.unpackSize = size
					}
				}
			}
		case szCRC:
			defined := c.digests(uint64(len(s.folders)))
			for i := range s.folders {
				s.folders[i].checksum = defined(uint64(i))
			}
		case 0:
			return
		default:
			c.failed = true
		}
	}
}

// folder reads how one folder is packed.
func (c *sevenZipCursor) folder(s *sevenZipStreams, first bool) sevenZipFolder {
	coders := c.number()
	var inputs, outputs uint64
	for i := uint64(0); c.more(i, coders); i++ {
		flag := c.byte()
		id := c.take(int(flag & 0x0f))
		in, out := uint64(1), uint64(1)
		if flag&0x10 != 0 {
			in, out = c.number(), c.number()
		}
		var properties []byte
		if flag&0x20 != 0 {
			properties = c.take(c.size())
		}
		if first && coders == 1 && bytes.Equal(id, szLZMA) {
			s.lzma = properties
		}
		s.encrypted = s.encrypted || bytes.Equal(id, szAES)
		inputs, outputs = inputs+in, outputs+out
	}
	pairs := outputs - 1
	if outputs == 0 || inputs < pairs {
		c.failed = true
		return sevenZipFolder{}
	}
	for i := uint64(0); c.more(i, 2*pairs); i++ {
		c.number()
	}
	if packed := inputs - pairs; packed > 1 {
		for i := uint64(0); c.more(i, packed); i++ {
			c.number()
		}
	}
	return sevenZipFolder{outputs: outputs, streams: 1}
}

func (c *sevenZipCursor) subStreams(s *sevenZipStreams) {
	for !c.failed {
		switch c.byte() {
		case szUnpackStreams:
			for i := range s.folders {
				s.folders[i].streams = c.number()
			}
		case szSize:
			for _, f := range s.folders {
				for k := uint64(1); c.more(k, f.streams); k++ {
					c.number()
				}
			}
		case szCRC:
			var unknown uint64
			for _, f := range s.folders {
				if f.streams != 1 || !f.checksum {
					unknown += f.streams
				}
			}
			c.digests(unknown)
		case 0:
			return
		default:
			c.failed = true
		}
	}
}

// header gives the names of the members, directories left out, and whether they are encrypted.
func (c *sevenZipCursor) header() (names []string, encrypted bool) {
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
			encrypted = c.streams().encrypted
		case szFiles:
			names = c.files()
		case 0:
			return names, encrypted
		default:
			c.failed = true
		}
	}
	return names, encrypted
}

func (c *sevenZipCursor) files() []string {
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
	var names []string
	var nth uint64 // among those without a stream
	for i, name := range all {
		directory := false
		if empty(uint64(i)) {
			directory = !emptyFile(nth)
			nth++
		}
		if !directory && name != "" {
			names = append(names, name)
		}
	}
	return names
}
