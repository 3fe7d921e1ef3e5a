// Package match finds many entries in folded text at once: phrases of whole words ([Words]) and
// regular expressions ([Patterns]). The cost of a text hardly depends on the number of entries.
//
// A text is matched in windows that overlap. Both finders take a window and the part of it in which
// matches may begin; the rest is context, so that nothing is counted twice and no word is taken for
// another's end.
package match

import "unicode/utf8"

const (
	// WindowSize is the most octets of folded text that are matched at once.
	WindowSize = 64 << 10
	// Overlap is the octets that two windows share: a match of at most so many is never cut.
	Overlap = 8 << 10
)

// RuneStart is at, or the beginning of the character that at lies in.
func RuneStart(text []byte, at int) int {
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}
	return at
}
