// Package confusable knows which characters look like Latin letters: homoglyphs, by which a text
// looks like another one and is not.
package confusable

import (
	_ "embed" // latin.txt
	"strconv"
	"strings"
)

//go:embed latin.txt
var data string

// letters are the Latin letters that a character looks like.
var letters = read(data)

// Latin returns the Latin letters that a character looks like, "" for one that looks like none or
// is itself the likeliest form. Two characters look alike if the letters are the same; some Latin
// letters look like others, too, as m does like rn and a capital I like a small l. Combining marks
// are no part of it.
func Latin(r rune) string { return letters[r] }

// read takes what stands in latin.txt: letters, then the code points that look like them.
func read(data string) map[rune]string {
	found := make(map[rune]string, len(data)/5)
	for line := range strings.Lines(data) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] == "#" {
			continue
		}
		for _, field := range fields[1:] {
			r, err := strconv.ParseUint(field, 16, 21)
			if err != nil {
				panic("confusable: latin.txt: " + line) // a test reads it
			}
			found[rune(r)] = fields[0]
		}
	}
	for r, text := range found { // what looks like m looks like rn
		found[r] = once(text, found)
	}
	return found
}

func once(text string, found map[rune]string) string {
	var b strings.Builder
	for _, r := range text {
		if further, ok := found[r]; ok {
			b.WriteString(further)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
