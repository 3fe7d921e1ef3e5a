package table

import (
	"hash/maphash"
	"math"
	"strings"
)

// hashed is a hash table made for a million entries: all keys and values stand in one string, and
// nothing in it is a pointer that the garbage collector would have to follow. A slot is one octet
// of the hash in tags, and where its entry begins in starts. Most keys of a sequence are not in the
// table, and tags is small enough for a cache to say so. The seed is the table's own, so no list
// can be made that is slow to ask.
type hashed struct {
	seed   maphash.Seed
	arena  strings.Builder // of entries: line, length of key, length of value (4 octets each), key, value
	text   string          // the arena when it is complete
	tags   []uint8         // 0 is a free slot
	starts []uint32
	count  int
	source int // octets of the source, to guess how many entries will come
	shape  shape
	hidden hidden // entries whose key another one has
}

// shape tells which forms of keys the table holds: a look-up of a form that is not there costs
// nothing.
type shape uint8

const (
	hasAddress shape = 1 << iota // "@" inside
	hasUser                      // "user@"
	hasParent                    // ".example.com"
	hasName                      // no "@" and no dot at the beginning: domains, nets, anything
)

const (
	entryHeader = 12
	maxArena    = min(math.MaxUint32-1, math.MaxInt) // half of it on 32 bits
)

// newHashed makes a table for about size octets of source, in lines of some 25.
func newHashed(size int) *hashed {
	h := &hashed{seed: maphash.MakeSeed(), tags: make([]uint8, 64), starts: make([]uint32, 64), source: size}
	h.arena.Grow(size + size/2)
	return h
}

// add enters a folded key; of several entries with one key the first stays, as in Postfix's
// texthash and postmap. It tells whether there was room.
func (h *hashed) add(key, value string, line int) bool {
	if entryHeader+len(key)+len(value) > maxArena-h.arena.Len() {
		return false
	}
	if 3*(h.count+1) > 2*len(h.tags) {
		h.grow(h.nextSize())
	}
	hash := maphash.String(h.seed, key)
	i := h.slotOf([]byte(key), hash)
	if h.tags[i] != 0 {
		first := h.entry(int(h.starts[i]))
		h.hidden.add(line, first.Line, first.Value != value)
		return true
	}
	h.tags[i], h.starts[i] = tagOf(hash), uint32(h.arena.Len())
	h.count++
	h.shape |= shapeOf(key)
	var header [entryHeader]byte
	putUint32(header[0:], uint32(line))
	putUint32(header[4:], uint32(len(key)))
	putUint32(header[8:], uint32(len(value)))
	h.arena.Write(header[:])
	h.arena.WriteString(key)
	h.arena.WriteString(value)
	h.text = h.arena.String() // copies nothing
	return true
}

const (
	slotOctets   = 5      // in tags and starts
	sampleOfKeys = 10_000 // so many entries tell how long those are that follow
)

// nextSize is twice as many slots, or, once there are enough entries to go by, as many as all that
// will come need: to double again and again takes a fifth of the time in which a large table loads.
// What is guessed takes no more memory than the source, however long the other lines turn out.
func (h *hashed) nextSize() int {
	double := 2 * len(h.tags)
	if h.count < sampleOfKeys {
		return double
	}
	// A line has a blank and its end where an entry has its header.
	read := h.arena.Len() - h.count*(entryHeader-2)
	entries := uint64(h.count) * uint64(h.source) / uint64(read)
	size := double
	for 2*uint64(size) < 3*entries && 2*uint64(size)*slotOctets <= uint64(h.source) {
		size *= 2
	}
	return size
}

func (h *hashed) grow(size int) {
	h.tags, h.starts = make([]uint8, size), make([]uint32, size)
	for at := 0; at < len(h.text); {
		m := h.entry(at)
		hash := maphash.String(h.seed, m.Key)
		i := hash & uint64(size-1)
		for h.tags[i] != 0 {
			i = (i + 1) & uint64(size-1)
		}
		h.tags[i], h.starts[i] = tagOf(hash), uint32(at)
		at += entryHeader + len(m.Key) + len(m.Value)
	}
}

// tagOf takes bits of the hash that do not choose the slot, and is never 0.
func tagOf(hash uint64) uint8 { return uint8(hash>>56) | 1 }

// slotOf is the slot of the key, or the free one where it would go.
func (h *hashed) slotOf(key []byte, hash uint64) uint64 {
	mask := uint64(len(h.tags) - 1)
	tag := tagOf(hash)
	i := hash & mask
	for ; h.tags[i] != 0; i = (i + 1) & mask {
		if h.tags[i] == tag && h.keyAt(int(h.starts[i])) == string(key) {
			return i
		}
	}
	return i
}

func (h *hashed) keyAt(at int) string {
	return h.text[at+entryHeader : at+entryHeader+int(uint32At(h.text, at+4))]
}

// findFolded answers a key that is folded already. It does not allocate.
func (h *hashed) findFolded(key []byte) (Match, bool) {
	i := h.slotOf(key, maphash.Bytes(h.seed, key))
	if h.tags[i] == 0 {
		return Match{}, false
	}
	return h.entry(int(h.starts[i])), true
}

func (h *hashed) entry(at int) Match {
	key := h.keyAt(at)
	from := at + entryHeader + len(key)
	value := h.text[from : from+int(uint32At(h.text, at+8))]
	return Match{Value: value, Key: key, Line: int(uint32At(h.text, at)), fixed: len(value)}
}

func (h *hashed) find(key string) (Match, bool) {
	if !validKey(key) {
		return Match{}, false
	}
	var buf [keyBuffer]byte
	return h.findFolded(append(buf[:0], fold(key)...))
}

func (h *hashed) each(f func(int, string, int) error) error {
	return h.eachEntry(func(m Match) error { return f(m.Line, m.Value, m.fixed) })
}

// eachEntry calls f for each entry, in the order of the source.
func (h *hashed) eachEntry(f func(Match) error) error {
	for at := 0; at < len(h.text); {
		m := h.entry(at)
		if err := f(m); err != nil {
			return err
		}
		at += entryHeader + len(m.Key) + len(m.Value)
	}
	return nil
}

// keyBuffer is room for the longest address that SMTP allows, so that keys are put together without
// allocating.
const keyBuffer = 320

func shapeOf(key string) shape {
	switch at := strings.LastIndexByte(key, '@'); {
	case at >= 0 && at == len(key)-1:
		return hasUser
	case at >= 0:
		return hasAddress
	case strings.HasPrefix(key, "."):
		return hasParent
	}
	return hasName
}

func putUint32(b []byte, v uint32) {
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
}

func uint32At(s string, i int) uint32 {
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}
