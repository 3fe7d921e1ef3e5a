// Package uuencode finds and decodes files that stand in plain text (POSIX uuencode).
package uuencode

import (
	"bufio"
	"bytes"
	"io"
)

// Begin reads `begin 644 name`.
func Begin(line []byte) (name string, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("begin "))
	mode, file, found := bytes.Cut(bytes.TrimRight(rest, "\r\n"), []byte(" "))
	if !ok || !found || len(mode) < 3 || len(mode) > 4 || len(bytes.Trim(mode, "01234567")) > 0 {
		return "", false
	}
	return string(bytes.TrimSpace(file)), true
}

// Next says whether the next line is uuencoded.
func Next(in *bufio.Reader) bool {
	ahead, _ := in.Peek(maxLine)
	end := bytes.IndexByte(ahead, '\n')
	return end >= 0 && lineOctets(ahead[:end+1]) >= 0
}

// maxLine is the most octets of a line: its length, 63 octets in groups of four for three, and the
// line end.
const maxLine = 1 + 84 + 2 + 1

// lineOctets is the number of octets that a line holds, -1 if it is not uuencoded.
func lineOctets(line []byte) int {
	line = bytes.TrimRight(line, " \r\n")
	if len(line) == 0 || line[0] < ' ' || line[0] > '`' {
		return -1
	}
	n := int(line[0]-' ') & 63
	groups := (n + 2) / 3
	if len(line) > 1+4*groups+1 { // some encoders add a check character
		return -1
	}
	for _, c := range line[1:] {
		if c < ' ' || c > '`' {
			return -1
		}
	}
	return n
}

// Reader decodes lines up to the one that is not uuencoded; a line `end` is taken, any other left.
type Reader struct {
	in    *bufio.Reader
	out   [63]byte
	ready []byte
	ended bool
}

// NewReader decodes the lines that follow in in.
func NewReader(in *bufio.Reader) *Reader { return &Reader{in: in} }

func (u *Reader) Read(p []byte) (int, error) {
	for len(u.ready) == 0 {
		if u.ended || !Next(u.in) {
			u.finish()
			return 0, io.EOF
		}
		line, _ := u.in.ReadSlice('\n')
		u.decode(line)
	}
	n := copy(p, u.ready)
	u.ready = u.ready[n:]
	return n, nil
}

// finish takes the line `end`.
func (u *Reader) finish() {
	u.ended = true
	if ahead, _ := u.in.Peek(3); string(ahead) == "end" {
		_, _ = u.in.ReadSlice('\n')
	}
}

func (u *Reader) decode(line []byte) {
	n := lineOctets(line)
	line = append(bytes.Clone(bytes.TrimRight(line, "\r\n")[1:]), "    "...) // blanks at the end are often lost; they are zeros
	out := u.out[:0]
	for len(out) < n && len(line) >= 4 {
		a, b, c, d := (line[0]-' ')&63, (line[1]-' ')&63, (line[2]-' ')&63, (line[3]-' ')&63
		group := [3]byte{a<<2 | b>>4, b<<4 | c>>2, c<<6 | d}
		out = append(out, group[:min(3, n-len(out))]...)
		line = line[4:]
	}
	u.ready = out
	u.ended = n == 0 // the empty line before `end`
	if u.ended {
		u.finish()
	}
}
