package match

import (
	"encoding/binary"
	"math/bits"
	"unicode"
	"unicode/utf8"
)

// Words finds phrases of whole words in one pass over folded text. The zero value is ready for Add.
//
// Entries are whole words, so the text is cut into words once and each word is looked up. An entry
// of one word is kept under that word, a phrase under the pair of adjacent words that the fewest
// other entries share; then the entry's octets are compared. The cost of a text thus hardly depends
// on the number of entries.
type Words struct {
	filter  []uint64 // bit set of the hashes, asked before the map
	mask    uint64
	buckets map[uint64][]int32
	singles bool // some entry is a single word
	phrases []phrase
}

type phrase struct {
	text    []byte
	entry   int32
	anchor  int  // offset in text of the end of the word that it is kept under
	head    bool // text begins with a letter: what stands before it must not be one
	tail    bool
	pending []uint64 // candidate keys, while the index is built
	ends    []int
}

// eachOctet has a one in each octet of eight, topBits the highest bit.
const (
	eachOctet = 0x0101010101010101
	topBits   = 0x8080808080808080
)

// hashPrime is odd and has its bits well mixed, so that multiplying by it spreads a word over all
// bits.
const hashPrime = 0x9e3779b97f4a7c15

// pairHash makes one key of two adjacent words.
func pairHash(first, second uint64) uint64 {
	hash := (first*31 + second) * hashPrime
	return hash ^ hash>>32
}

// Classes of octets and characters.
const (
	classOther  = iota // no part of a word
	classWord          // letters, marks, digits, underscore
	classSingle        // a script written without blanks: each character is a word of its own
)

var asciiWord = func() (t [256]bool) {
	for c := range 256 {
		t[c] = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '_'
	}
	return t
}()

var unspaced = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai,
	unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
}

func classOf(r rune) int {
	switch {
	case r < utf8.RuneSelf:
		if asciiWord[byte(r)] {
			return classWord
		}
		return classOther
	case r < 0x0e00: // below the first unspaced script
	case unicode.In(r, unspaced...):
		return classSingle
	}
	if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || unicode.IsNumber(r) {
		return classWord
	}
	return classOther
}

// nextWord finds the next word in text from i: its hash and its end, or end < 0.
func nextWord(text []byte, i int) (hash uint64, end int) {
	for i < len(text) && !asciiWord[text[i]] {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		switch classOf(r) {
		case classSingle:
			return wordHash(text, i, i+n), i + n
		case classWord:
			end = restOfWord(text, i)
			return wordHash(text, i, end), end
		}
		i += n
	}
	if i >= len(text) {
		return 0, -1
	}
	if i+8 <= len(text) {
		eight := binary.LittleEndian.Uint64(text[i:])
		if n := shortWord(eight); n < 8 && text[i+n] < utf8.RuneSelf {
			return hashOf(uint64(n), eight&(1<<(8*uint(n))-1)), i + n
		}
	}
	end = i + 1
	for end < len(text) && asciiWord[text[end]] {
		end++
	}
	if end < len(text) && text[end] >= utf8.RuneSelf {
		end = restOfWord(text, end)
	}
	return wordHash(text, i, end), end
}

// shortWord is how many of eight octets, from the first on, belong to a word of ASCII: all are
// looked at at once, since a step for each would end where no processor can foresee it. Letters are
// lower case, as in folded text.
func shortWord(eight uint64) int {
	low := eight &^ topBits
	from := func(c uint64) uint64 { return low + (0x80-c)*eachOctet } // the top bit is set where an octet is c or above
	letter := from('a') &^ from('z'+1)
	digit := from('0') &^ from('9'+1)
	line := from('_') &^ from('_'+1)
	return bits.TrailingZeros64(^((letter|digit|line)&^eight)&topBits) / 8
}

// restOfWord is the end of a word that has characters outside ASCII.
func restOfWord(text []byte, i int) int {
	for i < len(text) {
		r, n := utf8.DecodeRune(text[i:])
		if classOf(r) != classWord {
			break
		}
		i += n
	}
	return i
}

// wordHash hashes text[start:end], eight octets at a time: words of up to eight, nearly all, take
// one step.
func wordHash(text []byte, start, end int) uint64 {
	hash := uint64(end - start)
	for ; end-start > 8; start += 8 {
		hash = (hash ^ binary.LittleEndian.Uint64(text[start:])) * hashPrime
		hash ^= hash >> 32
	}
	var last uint64
	if start+8 <= len(text) {
		last = binary.LittleEndian.Uint64(text[start:]) & (1<<(8*uint(end-start)) - 1)
	} else {
		for i := end - 1; i >= start; i-- {
			last = last<<8 | uint64(text[i])
		}
	}
	return hashOf(hash, last)
}

// hashOf adds the last octets of a word to the hash of those before, or to its length.
func hashOf(hash, last uint64) uint64 {
	hash = (hash ^ last) * hashPrime
	return hash ^ hash>>32
}

// Add takes the folded text of an entry, with a number to report it by. It returns false if the
// text holds no word: then it must be matched as a pattern (see [Quote]).
func (x *Words) Add(entry int32, text []byte) bool {
	p := phrase{text: text, entry: entry}
	var previous uint64
	count := 0
	for i := 0; ; count++ {
		hash, end := nextWord(text, i)
		if end < 0 {
			break
		}
		if count == 1 {
			p.pending, p.ends = p.pending[:0], p.ends[:0] // a pair is better than a word
		}
		if count > 0 {
			hash, previous = pairHash(previous, hash), hash
		} else {
			previous = hash
		}
		p.pending, p.ends = append(p.pending, hash), append(p.ends, end)
		i = end
	}
	if count == 0 {
		return false
	}
	x.singles = x.singles || count == 1
	first, _ := utf8.DecodeRune(text)
	last, _ := utf8.DecodeLastRune(text)
	p.head, p.tail = classOf(first) == classWord, classOf(last) == classWord
	x.phrases = append(x.phrases, p)
	return true
}

// Build ends the adding. It chooses for each entry the key that the fewest entries share.
func (x *Words) Build() {
	shared := map[uint64]int{}
	for _, p := range x.phrases {
		for _, key := range p.pending {
			shared[key]++
		}
	}
	size := uint64(4096)
	for size < uint64(len(x.phrases))*32 {
		size *= 2
	}
	x.filter, x.mask = make([]uint64, size/64), size-1
	x.buckets = make(map[uint64][]int32, len(x.phrases))
	for i := range x.phrases {
		p := &x.phrases[i]
		best := 0
		for k, key := range p.pending {
			if shared[key] < shared[p.pending[best]] {
				best = k
			}
		}
		key := p.pending[best]
		p.anchor = p.ends[best]
		p.pending, p.ends = nil, nil
		bit := key & x.mask
		x.filter[bit/64] |= 1 << (bit % 64)
		x.buckets[key] = append(x.buckets[key], int32(i))
	}
}

// Find reports every occurrence of an entry that begins in text[from:to]; text around it is
// context.
func (x *Words) Find(text []byte, from, to int, report func(entry int32, start, end int)) {
	if len(x.phrases) == 0 {
		return
	}
	var previous uint64
	for i := 0; ; {
		hash, end := nextWord(text, i)
		if end < 0 {
			return
		}
		if bit := hash & x.mask; x.singles && x.filter[bit/64]>>(bit%64)&1 != 0 {
			x.confirm(hash, text, end, from, to, report)
		}
		pair := pairHash(previous, hash)
		if bit := pair & x.mask; x.filter[bit/64]>>(bit%64)&1 != 0 {
			x.confirm(pair, text, end, from, to, report)
		}
		previous, i = hash, end
	}
}

// confirm compares the entries that are kept under key with the text around the word that ends at
// end.
func (x *Words) confirm(key uint64, text []byte, end, from, to int, report func(entry int32, start, end int)) {
	for _, i := range x.buckets[key] {
		p := &x.phrases[i]
		start := end - p.anchor
		stop := start + len(p.text)
		if start < from || start >= to || stop > len(text) || !sameText(p.text, text[start:stop]) {
			continue
		}
		if p.head && wordBefore(text[:start]) || p.tail && wordAfter(text[stop:]) {
			continue
		}
		report(p.entry, start, stop)
	}
}

// sameText compares folded text with an entry; a line feed equals a blank.
func sameText(entry, text []byte) bool {
	for i, c := range text {
		if c != entry[i] && (c != '\n' || entry[i] != ' ') {
			return false
		}
	}
	return true
}

func wordBefore(text []byte) bool {
	r, _ := utf8.DecodeLastRune(text)
	return len(text) > 0 && classOf(r) == classWord
}

func wordAfter(text []byte) bool {
	r, _ := utf8.DecodeRune(text)
	return len(text) > 0 && classOf(r) == classWord
}
