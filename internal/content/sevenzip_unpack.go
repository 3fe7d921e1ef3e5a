package content

import (
	"io"
	"math"

	"mailweir/internal/content/lzma"
	"mailweir/internal/content/sevenzip"
	"mailweir/internal/content/source"
)

// sevenZipUnpacker gives one member after the other.
type sevenZipUnpacker struct {
	w       *walk
	packed  *held
	streams *sevenzip.Streams

	folder int        // the next one
	at     int64      // where its packed streams begin, behind streams.PackedAt
	stream int        // the number of its first packed stream
	size   int        // the next of streams.Sizes
	left   uint64     // members to come in the open folder
	rest   uint64     // their octets
	body   *expansion // nil if the open folder can't be read
	memory int
}

// next opens the next member; body is nil if it can't be read.
func (u *sevenZipUnpacker) next() (body io.Reader, size int64, encrypted bool) {
	for u.left == 0 {
		if u.folder == len(u.streams.Folders) {
			return nil, 0, false
		}
		u.open(&u.streams.Folders[u.folder])
		u.folder++
	}
	u.left--
	octets := u.rest
	if u.left > 0 {
		octets = 0
		if u.size < len(u.streams.Sizes) {
			octets = min(u.streams.Sizes[u.size], u.rest)
		}
		u.size++
	}
	u.rest -= octets
	if u.body == nil || u.body.over {
		return nil, 0, u.streams.Folders[u.folder-1].Encrypted
	}
	return u.body, int64(octets), false
}

// open begins a folder.
func (u *sevenZipUnpacker) open(f *sevenzip.Folder) {
	u.close()
	u.left, u.rest = f.Members, 0
	from, streams := u.streams.PackedAt+u.at, u.streams.Packed[min(u.stream, len(u.streams.Packed)):]
	streams = streams[:min(f.Inputs, uint64(len(streams)))]
	for _, size := range streams {
		u.at += int64(min(size, math.MaxInt32)) // more is not held
	}
	u.stream += len(streams)
	if f.Encrypted {
		return
	}
	chain := f.Chain()
	if len(chain) == 0 || len(streams) != 1 || streams[0] > math.MaxInt32 {
		u.w.x.reach(LimitUnreadable)
		return
	}
	section := u.packed.section(from, int64(streams[0]))
	if section == nil {
		u.w.x.reach(LimitLarge)
		return
	}
	last := chain[len(chain)-1].Size
	if last > math.MaxInt64 {
		last = 0
	}
	packed := source.New(section)
	r, clipped := u.decoders(chain, packed)
	if r == nil {
		return
	}
	u.rest = last
	u.body = u.w.expand(r, packed)
	u.body.clipped = func() bool { return clipped }
}

// close ends the open folder.
func (u *sevenZipUnpacker) close() {
	u.w.giveBack(u.memory)
	u.body, u.memory = nil, 0
}

// decoders puts the decoders of a chain on each other; nil if one isn't known or takes too much.
func (u *sevenZipUnpacker) decoders(chain []sevenzip.Coder, packed io.Reader) (r io.Reader, clipped bool) {
	r = packed
	for _, coder := range chain {
		dictionary := min(coder.Dictionary(), coder.Size)
		if dictionary > lzma.MaxDictionary {
			dictionary, clipped = lzma.MaxDictionary, true
		}
		memory := int(dictionary) + coder.Tables()
		if !u.w.takeSpare(memory) {
			return nil, false
		}
		u.memory += memory
		var err error
		if r, err = coder.Decoder(r, int(dictionary)); err != nil {
			u.w.x.reach(LimitUnreadable)
			return nil, false
		}
	}
	return r, clipped
}
