package table

import (
	"hash/maphash"
	"math"
	"strings"
)

// hashed is a hash table made for a million entries: all keys and values stand in one string, one slot of 8 octets
// points to each, and nothing in it is a pointer that the garbage collector would have to follow. Its seed is its own,
// so no list can be made that is slow to ask.
type hashed struct {
	seed  maphash.Seed
	arena strings.Builder // of entries: line, length of key, length of value (4 octets each), key, value
	text  string          // the arena when it is complete
	slots []slot
	count int
	shape shape
}

// slot holds the low 32 bits of an entry's hash and where the entry begins in the arena, plus one; 0 is free.
type slot struct{ hash, start uint32 }

// shape tells which forms of keys the table holds: a look-up of a form that is not there costs nothing.
type shape uint8

const (
	hasAddress shape = 1 << iota // "@" inside
	hasUser                      // "user@"
	hasParent                    // ".example.com"
	hasName                      // no "@" and no dot at the beginning: domains, nets, anything
)

const (
	entryHeader = 12
	maxArena    = math.MaxUint32 - 1
)

// newHashed makes a table for about size octets of source, in lines of some 25.
func newHashed(size int) *hashed {
	h := &hashed{seed: maphash.MakeSeed(), slots: make([]slot, 64)}
	h.arena.Grow(size + size/2)
	return h
}

// add enters a folded key; of several entries with one key the first stays, as in Postfix's texthash and postmap. It
// tells whether there was room.
func (h *hashed) add(key, value string, line int) bool {
	if h.arena.Len()+entryHeader+len(key)+len(value) > maxArena {
		return false
	}
	if 4*(h.count+1) > 3*len(h.slots) {
		h.grow()
	}
	h.text = h.arena.String() // copies nothing
	hash := uint32(maphash.String(h.seed, key))
	i := h.slotOf([]byte(key), hash)
	if h.slots[i].start != 0 {
		return true
	}
	h.slots[i] = slot{hash, uint32(h.arena.Len()) + 1}
	h.count++
	h.shape |= shapeOf(key)
	var header [entryHeader]byte
	putUint32(header[0:], uint32(line))
	putUint32(header[4:], uint32(len(key)))
	putUint32(header[8:], uint32(len(value)))
	h.arena.Write(header[:])
	h.arena.WriteString(key)
	h.arena.WriteString(value)
	h.text = h.arena.String()
	return true
}

func (h *hashed) grow() {
	old := h.slots
	h.slots = make([]slot, 2*len(old))
	mask := uint32(len(h.slots) - 1)
	for _, s := range old {
		if s.start == 0 {
			continue
		}
		i := s.hash & mask
		for h.slots[i].start != 0 {
			i = (i + 1) & mask
		}
		h.slots[i] = s
	}
}

// slotOf is the slot of the key, or the free one where it would go.
func (h *hashed) slotOf(key []byte, hash uint32) uint32 {
	mask := uint32(len(h.slots) - 1)
	i := hash & mask
	for ; h.slots[i].start != 0; i = (i + 1) & mask {
		if h.slots[i].hash == hash && h.keyAt(h.slots[i].start) == string(key) {
			return i
		}
	}
	return i
}

func (h *hashed) keyAt(start uint32) string {
	at := int(start - 1)
	return h.text[at+entryHeader : at+entryHeader+int(uint32At(h.text, at+4))]
}

// findFolded answers a key that is folded already. It does not allocate.
func (h *hashed) findFolded(key []byte) (Match, bool) {
	s := h.slots[h.slotOf(key, uint32(maphash.Bytes(h.seed, key)))]
	if s.start == 0 {
		return Match{}, false
	}
	return h.entry(s.start), true
}

func (h *hashed) entry(start uint32) Match {
	at := int(start - 1)
	key := h.keyAt(start)
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
	for at := 0; at < len(h.text); {
		m := h.entry(uint32(at) + 1)
		if err := f(m.Line, m.Value, m.fixed); err != nil {
			return err
		}
		at += entryHeader + len(m.Key) + len(m.Value)
	}
	return nil
}

// keyBuffer is room for the longest address that SMTP allows, so that keys are put together without allocating.
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
