// Package uuencode finds and decodes files in uuencode (POSIX): in plain text, and in parts that
// are encoded so. It goes on where programs do: over lines that are damaged, to the line `end`.
package uuencode

import (
	"bufio"
	"bytes"
	"io"
)

// Begin reads `begin 644 name`. Case and the number of blanks do not matter.
func Begin(line []byte) (name string, ok bool) {
	if len(line) == 0 || line[0]|0x20 != 'b' { // nearly all lines
		return "", false
	}
	begin, rest, found := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(" "))
	if !found || !bytes.EqualFold(begin, []byte("begin")) {
		return "", false
	}
	mode, file, found := bytes.Cut(bytes.TrimLeft(rest, " "), []byte(" "))
	if !found || len(mode) < 3 || len(mode) > 4 || len(bytes.Trim(mode, "01234567")) > 0 {
		return "", false
	}
	return string(bytes.TrimSpace(file)), true
}

// Next says whether the next line is uuencoded.
func Next(in *bufio.Reader) bool {
	ahead, err := in.Peek(maxLine)
	end := bytes.IndexByte(ahead, '\n')
	if end < 0 && err == io.EOF { // the last line of a part has no end
		end = len(ahead) - 1
	}
	return end >= 0 && whole(ahead[:end+1])
}

// maxLine is the most octets of a line: its length, 63 octets in groups of four for three, and the
// line end.
const maxLine = 1 + 84 + 2 + 1

// whole says whether a line is uuencoded, and has no more characters than it says.
func whole(line []byte) bool {
	line = bytes.TrimRight(line, " \r\n")
	if len(line) == 0 || line[0] < ' ' || line[0] > '`' {
		return false
	}
	groups := (octets(line) + 2) / 3
	if len(line) > 1+4*groups+1 { // some encoders add a check character
		return false
	}
	for _, c := range line[1:] {
		if c < ' ' || c > '`' {
			return false
		}
	}
	return true
}

// octets is what a line says to hold.
func octets(line []byte) int { return int(line[0]-' ') & 63 }

// Reader decodes lines up to `end`, which is taken, or another line that begins a file.
type Reader struct {
	// Doubtful gets the first line that is not uuencoded, and all behind it: the file may have
	// ended without saying so. The line is valid until it returns. If it is nil, the file has only
	// its `end`, and what is damaged is decoded as far as it goes.
	Doubtful func(line []byte)

	in    *bufio.Reader
	doubt bool
	out   []byte
	ready []byte
	ended bool
	part  bool // the last line was the beginning of a longer one
}

// NewReader decodes the lines that follow in in.
func NewReader(in *bufio.Reader) *Reader { return &Reader{in: in} }

func (u *Reader) Read(p []byte) (int, error) {
	for len(u.ready) == 0 {
		if u.ended || !u.line() {
			u.ended = true
			return 0, io.EOF
		}
	}
	n := copy(p, u.ready)
	u.ready = u.ready[n:]
	return n, nil
}

// line decodes a line; false at the end.
func (u *Reader) line() bool {
	if u.begins() {
		return false
	}
	line, err := u.in.ReadSlice('\n')
	goesOn := u.part
	u.part = err == bufio.ErrBufferFull
	text := bytes.TrimRight(line, "\r\n")
	switch {
	case len(line) == 0:
		return false
	case !goesOn && bytes.Equal(bytes.TrimRight(text, " "), []byte("end")):
		return false
	case goesOn || len(text) == 0 || !whole(line):
		u.doubt = true
	}
	if u.doubt && u.Doubtful != nil {
		u.Doubtful(line)
	}
	if !goesOn && len(text) > 0 && (u.Doubtful == nil || whole(line)) {
		u.decode(text)
	}
	return true
}

// begins says whether another file begins.
func (u *Reader) begins() bool {
	ahead, _ := u.in.Peek(len("begin 0644 "))
	if u.part || len(ahead) < 6 || !bytes.EqualFold(ahead[:5], []byte("begin")) {
		return false
	}
	line, _ := u.in.Peek(256)
	line, _, _ = bytes.Cut(line, []byte("\n"))
	_, ok := Begin(line)
	return ok
}

func (u *Reader) decode(line []byte) {
	n := octets(line)
	line = append(bytes.Clone(line[1:min(len(line), maxLine)]), "    "...) // blanks at the end are often lost; they are zeros
	out := u.out[:0]
	for len(out) < n && len(line) >= 4 {
		a, b, c, d := (line[0]-' ')&63, (line[1]-' ')&63, (line[2]-' ')&63, (line[3]-' ')&63
		group := [3]byte{a<<2 | b>>4, b<<4 | c>>2, c<<6 | d}
		out = append(out, group[:min(3, n-len(out))]...)
		line = line[4:]
	}
	u.out, u.ready = out, out
}
