package content

import (
	"bufio"
	"bytes"
	"io"
)

// plain examines plain text and the files that stand in it uuencoded (POSIX uuencode): some mail readers offer them as attachments.
func (w *walk) plain(r io.Reader, s *sink, depth int) {
	in := bufio.NewReaderSize(r, 4096)
	for start := true; ; {
		line, err := in.ReadSlice('\n')
		if name, ok := uuBegin(line); start && ok && uuNext(in) {
			w.uuFile(name, in, depth)
		} else {
			_, _ = s.Write(line)
		}
		start = err == nil
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// uuBegin reads `begin 644 name`.
func uuBegin(line []byte) (name string, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("begin "))
	mode, file, found := bytes.Cut(bytes.TrimRight(rest, "\r\n"), []byte(" "))
	if !ok || !found || len(mode) < 3 || len(mode) > 4 || len(bytes.Trim(mode, "01234567")) > 0 {
		return "", false
	}
	return string(bytes.TrimSpace(file)), true
}

// uuNext says whether the next line is uuencoded.
func uuNext(in *bufio.Reader) bool {
	ahead, _ := in.Peek(maxUULine)
	end := bytes.IndexByte(ahead, '\n')
	return end >= 0 && uuLine(ahead[:end+1]) >= 0
}

// maxUULine is the most octets of a line: its length, 63 octets in groups of four for three, and the line end.
const maxUULine = 1 + 84 + 2 + 1

// uuLine is the number of octets that a line holds, -1 if it is not uuencoded.
func uuLine(line []byte) int {
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

func (w *walk) uuFile(name string, in *bufio.Reader, depth int) {
	if w.parts++; w.parts > w.x.examiner.limits.Parts {
		w.x.reach(LimitParts)
		return
	}
	s := w.x.sink(Filenames)
	s.WriteString(name)
	s.end()
	w.file(file{name: name, depth: depth + 1}, &uuReader{in: in})
}

// uuReader decodes lines up to the one that is not uuencoded; a line `end` is taken, any other left.
type uuReader struct {
	in    *bufio.Reader
	out   [63]byte
	ready []byte
	ended bool
}

func (u *uuReader) Read(p []byte) (int, error) {
	for len(u.ready) == 0 {
		if u.ended || !uuNext(u.in) {
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
func (u *uuReader) finish() {
	u.ended = true
	if ahead, _ := u.in.Peek(3); string(ahead) == "end" {
		_, _ = u.in.ReadSlice('\n')
	}
}

func (u *uuReader) decode(line []byte) {
	n := uuLine(line)
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
