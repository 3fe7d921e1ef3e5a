package view

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"mailweir/internal/terminal"
)

// piece is a part of a text: characters as they are, or one or more that cannot be seen, escaped.
type piece struct {
	text   string
	hidden bool
}

// pieces splits a text where it has characters that cannot be seen or that turn others around.
func pieces(s string) (list []piece) {
	if !strings.ContainsFunc(s, unseen) && utf8.ValidString(s) {
		return []piece{{text: s}}
	}
	for len(s) > 0 {
		n, hidden := run(s)
		p := piece{s[:n], hidden}
		if hidden {
			p.text = terminal.Text(p.text)
		}
		list, s = append(list, p), s[n:]
	}
	return list
}

// run is how many octets at the beginning are all of one kind.
func run(s string) (n int, hidden bool) {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		h := unseen(r) || r == utf8.RuneError && size == 1
		if i == 0 {
			hidden = h
		} else if h != hidden {
			return i, hidden
		}
		i += size
	}
	return len(s), hidden
}

func unseen(r rune) bool { return !unicode.IsPrint(r) }

// Visible is a text without anything that cannot be seen: for attributes, and for rows that the
// script makes.
func Visible(s string) string { return terminal.Text(s) }

// Shorten cuts a text after n characters and says so by an ellipsis.
func Shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	end := 0
	for i := range s {
		if n == 0 {
			end = i
			break
		}
		n--
	}
	return s[:end] + "…"
}
