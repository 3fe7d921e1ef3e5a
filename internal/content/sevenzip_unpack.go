package content

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"math"

	"github.com/ulikunitz/xz/lzma"
)

// Methods of packing (Methods.txt of the 7-Zip SDK). BCJ2, PPMd, the filters of other processors than x86, and Delta are left out.
const (
	szCopy    = "\x00"
	szLZMA2   = "\x21"
	szLZMA    = "\x03\x01\x01"
	szBCJ     = "\x03\x03\x01\x03"
	szDeflate = "\x04\x01\x08"
	szBZip2   = "\x04\x02\x02"
	szAES     = "\x06\xf1\x07\x01"
)

// maxDictionary is the most octets of unpacked text that LZMA may look back to. An archive that asks for more is unpacked as far as it does
// not need more.
const maxDictionary = 16 << 20

// sevenZipUnpacker gives one member after the other.
type sevenZipUnpacker struct {
	w       *walk
	packed  *held
	streams *sevenZipStreams

	folder int        // the next one
	at     int64      // where its packed streams begin, behind streams.packedAt
	stream int        // the number of its first packed stream
	size   int        // the next of streams.sizes
	left   uint64     // members to come in the open folder
	rest   uint64     // their octets
	body   *expansion // nil if the open folder can't be read
	memory int
}

// next opens the next member; body is nil if it can't be read.
func (u *sevenZipUnpacker) next() (body io.Reader, size int64, encrypted bool) {
	for u.left == 0 {
		if u.folder == len(u.streams.folders) {
			return nil, 0, false
		}
		u.open(&u.streams.folders[u.folder])
		u.folder++
	}
	u.left--
	octets := u.rest
	if u.left > 0 {
		octets = 0
		if u.size < len(u.streams.sizes) {
			octets = min(u.streams.sizes[u.size], u.rest)
		}
		u.size++
	}
	u.rest -= octets
	if u.body == nil || u.body.over {
		return nil, 0, u.streams.folders[u.folder-1].encrypted
	}
	return u.body, int64(octets), false
}

// open begins a folder.
func (u *sevenZipUnpacker) open(f *sevenZipFolder) {
	u.close()
	u.left, u.rest = f.streams, 0
	from, streams := u.streams.packedAt+u.at, u.streams.packed[min(u.stream, len(u.streams.packed)):]
	streams = streams[:min(f.inputs, uint64(len(streams)))]
	for _, size := range streams {
		u.at += int64(min(size, math.MaxInt32)) // more is not held
	}
	u.stream += len(streams)
	if f.encrypted {
		return
	}
	chain := f.chain()
	if len(chain) == 0 || len(streams) != 1 || streams[0] > math.MaxInt32 {
		u.w.x.reach(LimitUnreadable)
		return
	}
	section := u.packed.section(from, int64(streams[0]))
	if section == nil {
		u.w.x.reach(LimitLarge)
		return
	}
	last := chain[len(chain)-1].size
	if last > math.MaxInt64 {
		last = 0
	}
	packed := newSource(section)
	r, clipped := u.decoders(chain, packed)
	if r == nil {
		return
	}
	u.rest = last
	u.body = u.w.expand(r, packed)
	if clipped {
		u.body.fault = LimitLarge
	}
}

// close ends the open folder.
func (u *sevenZipUnpacker) close() {
	u.w.giveBack(u.memory)
	u.body, u.memory = nil, 0
}

// chain is the coders in the order of unpacking, none if they are no chain. The input of a coder has the coder's own number, and so has its output.
func (f *sevenZipFolder) chain() []sevenZipCoder {
	fed := map[uint64]bool{}
	after := map[uint64]uint64{} // a coder, and the one that takes what comes out of it
	for _, b := range f.binds {
		fed[b[0]], after[b[1]] = true, b[0]
	}
	at := uint64(0)
	for fed[at] {
		at++
	}
	var chain []sevenZipCoder
	for at < uint64(len(f.coders)) && len(chain) < len(f.coders) {
		chain = append(chain, f.coders[at])
		next, more := after[at]
		if !more {
			break
		}
		at = next
	}
	if len(chain) < len(f.coders) {
		return nil
	}
	return chain
}

// decoders puts the decoders of a chain on each other; nil if one isn't known or takes too much.
func (u *sevenZipUnpacker) decoders(chain []sevenZipCoder, packed io.Reader) (r io.Reader, clipped bool) {
	r = packed
	for _, coder := range chain {
		dictionary := min(coder.dictionary(), coder.size)
		if dictionary > maxDictionary {
			dictionary, clipped = maxDictionary, true
		}
		memory := int(dictionary) + coder.tables()
		if !u.w.takeSpare(memory) {
			return nil, false
		}
		u.memory += memory
		var err error
		if r, err = coder.decoder(r, max(int(dictionary), lzma.MinDictCap)); err != nil {
			u.w.x.reach(LimitUnreadable)
			return nil, false
		}
	}
	return r, clipped
}

// dictionary is how far a coder says it may look back.
func (c *sevenZipCoder) dictionary() uint64 {
	switch {
	case c.id == szLZMA && len(c.properties) == 5:
		return uint64(binary.LittleEndian.Uint32(c.properties[1:]))
	case c.id == szLZMA2 && len(c.properties) == 1:
		return lzma2Dictionary(c.properties[0])
	}
	return 0
}

// lzma2Dictionary undoes the one octet in which LZMA2 and xz write it.
func lzma2Dictionary(property byte) uint64 {
	return uint64(2|property&1) << (property&63/2 + 11)
}

// lzmaTables is what LZMA takes beside its dictionary; deflate takes less.
const lzmaTables = 128 << 10

// tables is the memory that a decoder needs beside a dictionary, at most.
func (c *sevenZipCoder) tables() int {
	switch c.id {
	case szCopy, szBCJ:
		return 16 << 10
	case szBZip2:
		return bzip2Memory
	}
	return lzmaTables
}

var errMethod = errors.New("content: unknown method of packing")

// decoder undoes one step. No dictionary is made that is larger than said.
func (c *sevenZipCoder) decoder(r io.Reader, dictionary int) (io.Reader, error) {
	switch c.id {
	case szCopy:
		return r, nil
	case szDeflate:
		return flate.NewReader(r), nil
	case szBZip2:
		return bzip2.NewReader(r), nil
	case szBCJ:
		return &bcjReader{r: r}, nil
	case szLZMA2:
		return lzma.Reader2Config{DictCap: dictionary}.NewReader2(r)
	case szLZMA:
		return c.lzma(r, dictionary)
	}
	return nil, errMethod
}

// lzma reads the classic format of LZMA: properties, dictionary size, size.
func (c *sevenZipCoder) lzma(r io.Reader, dictionary int) (io.Reader, error) {
	// More than 16 tables of literals no one needs.
	if len(c.properties) != 5 || c.properties[0] >= 9*5*5 || c.properties[0]%9+c.properties[0]/9%5 > 4 {
		return nil, errMethod
	}
	head := binary.LittleEndian.AppendUint32(c.properties[:1:1], uint32(dictionary))
	head = binary.LittleEndian.AppendUint64(head, c.size)
	return lzma.ReaderConfig{DictCap: dictionary}.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(head), r)))
}
