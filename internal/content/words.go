package content

import (
	"unicode"
	"unicode/utf8"
)

// wordIndex finds all words entries in one pass over folded text.
//
// Entries are whole words, so the text is cut into words once and each word is looked up. An entry of one word is
// kept under that word, a phrase under the pair of adjacent words that the fewest other entries share; then
// the entry's octets are compared. The cost of a text thus hardly depends on the number of entries.
type wordIndex struct {
	filter  []uint64 // bit set of the hashes, asked before the map
	mask    uint64
	buckets map[uint64][]int32
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

const (
	hashSeed  = 14695981039346656037 // FNV-1a
	hashPrime = 1099511628211
)

// pairHash makes one key of two adjacent words.
func pairHash(first, second uint64) uint64 {
	return (first*31 + second) * hashPrime
}

// Classes of octets and characters.
const (
	classOther  = iota // no part of a word
	classWord          // letters, marks, digits, underscore
	classSingle        // a script written without blanks: each character is a word of its own
)

var asciiWord = func() (t [256]bool) {
	for c := range 256 {
		t[c] = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
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
			return hashOctets(hashSeed, text[i:i+n]), i + n
		case classWord:
			return restOfWord(text, i, hashSeed)
		}
		i += n
	}
	if i >= len(text) {
		return 0, -1
	}
	hash = hashSeed
	for i < len(text) && asciiWord[text[i]] {
		hash = (hash ^ uint64(text[i])) * hashPrime
		i++
	}
	if i < len(text) && text[i] >= utf8.RuneSelf {
		return restOfWord(text, i, hash)
	}
	return hash, i
}

// restOfWord goes on with a word that has characters outside ASCII.
func restOfWord(text []byte, i int, hash uint64) (uint64, int) {
	for i < len(text) {
		r, n := utf8.DecodeRune(text[i:])
		if classOf(r) != classWord {
			break
		}
		hash = hashOctets(hash, text[i:i+n])
		i += n
	}
	return hash, i
}

func hashOctets(hash uint64, p []byte) uint64 {
	for _, c := range p {
		hash = (hash ^ uint64(c)) * hashPrime
	}
	return hash
}

// add takes the folded text of an entry; false means that it holds no word and must be matched as a pattern.
func (x *wordIndex) add(entry int32, text []byte) bool {
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
	first, _ := utf8.DecodeRune(text)
	last, _ := utf8.DecodeLastRune(text)
	p.head, p.tail = classOf(first) == classWord, classOf(last) == classWord
	x.phrases = append(x.phrases, p)
	return true
}

// build chooses for each entry the key that the fewest entries share.
func (x *wordIndex) build() {
	shared := map[uint64]int{}
	for _, p := range x.phrases {
		for _, key := range p.pending {
			shared[key]++
		}
	}
	bits := uint64(4096)
	for bits < uint64(len(x.phrases))*32 {
		bits *= 2
	}
	x.filter, x.mask = make([]uint64, bits/64), bits-1
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
		bit := spread(key) & x.mask
		x.filter[bit/64] |= 1 << (bit % 64)
		x.buckets[key] = append(x.buckets[key], int32(i))
	}
}

// spread mixes the high bits into the low ones, where FNV is weak.
func spread(h uint64) uint64 { return h ^ h>>29 ^ h>>47 }

// find reports every occurrence of an entry that begins in text[from:to]; text around it is context.
func (x *wordIndex) find(text []byte, from, to int, report func(entry int32, start, end int)) {
	if len(x.phrases) == 0 {
		return
	}
	var previous uint64
	for i := 0; ; {
		hash, end := nextWord(text, i)
		if end < 0 {
			return
		}
		if bit := spread(hash) & x.mask; x.filter[bit/64]>>(bit%64)&1 != 0 {
			x.confirm(hash, text, end, from, to, report)
		}
		pair := pairHash(previous, hash)
		if bit := spread(pair) & x.mask; x.filter[bit/64]>>(bit%64)&1 != 0 {
			x.confirm(pair, text, end, from, to, report)
		}
		previous, i = hash, end
	}
}

// confirm compares the entries that are kept under key with the text around the word that ends at end.
func (x *wordIndex) confirm(key uint64, text []byte, end, from, to int, report func(entry int32, start, end int)) {
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
