package content

import (
	"bufio"
	"bytes"
	"io"
)

// mimeReader cuts a message into parts. It reads lines and knows the boundaries of all open
// multiparts (RFC 2046 section 5.1), so a part ends at an outer boundary too when its own never
// comes.
//
// It is written here, and does not use a library's multipart reader, because those stop at the
// first fault (a header line without a colon, a missing boundary); a mail reader goes on and shows
// the rest.
type mimeReader struct {
	r          *bufio.Reader
	boundaries []openMultipart // outermost first
	hit        int             // index of the boundary that was met, -1 while none
	closing    bool            // the boundary met ends its multipart
	eof        bool
	midLine    bool        // the next octets continue a line longer than the buffer
	continued  bool        // the piece that next has given continues a line
	rest       []byte      // of the line behind a carriage return
	back       []byte      // a line given back by unread
	loose      bool        // a line that only begins with a boundary is one
	watch      *watch      // waits for such a line where it is none, nil where nobody wants to know
	outer      *mimeReader // whose lines up to a boundary are read here, nil for those of a message or a file

	// Of Read:
	ready   []byte // to be given out
	joined  []byte // the memory behind ready
	newline []byte // line end held back: it belongs to a boundary that follows
}

// maxMIMELine is the longest line that is looked at as a whole; longer ones come in pieces.
const maxMIMELine = 4096

func newMIMEReader(r io.Reader) *mimeReader {
	return &mimeReader{r: bufio.NewReaderSize(r, maxMIMELine), hit: -1}
}

// takeLines returns a reader of a message. It goes back to the pool with its memory: the lines of a
// usual message need some ten KiB, most of what its examination takes.
func (e *Examiner) takeLines(r io.Reader) *mimeReader {
	m, _ := e.lines.Get().(*mimeReader)
	if m == nil {
		return newMIMEReader(r)
	}
	m.r.Reset(r)
	*m = mimeReader{r: m.r, hit: -1, boundaries: m.boundaries[:0], joined: m.joined[:0], newline: m.newline[:0]}
	return m
}

// next reads a line with its end, or a piece of a long one. It returns nil at a boundary and at the
// end. The slice is valid until the next call.
func (m *mimeReader) next() []byte {
	if m.hit >= 0 || m.eof {
		return nil
	}
	if m.back != nil {
		line := m.back
		m.back = nil
		return line
	}
	line := m.line()
	if len(line) == 0 {
		m.eof = true
		m.watch.end()
		return nil
	}
	if !m.continued && m.atBoundary(line) {
		m.watch.boundary(line)
		m.dropRest()
		return nil
	}
	m.watch.line(line)
	return line
}

// line reads one from the input. For some readers a carriage return alone ends it: Python's email is
// one. So it does where m is loose; elsewhere it is in doubt where that matters.
func (m *mimeReader) line() []byte {
	line := m.rest
	m.continued = m.midLine && len(line) == 0
	if len(line) == 0 {
		var err error
		line, err = m.r.ReadSlice('\n')
		m.midLine = err == bufio.ErrBufferFull
	}
	m.rest = nil
	if !m.loose && m.watch == nil {
		return line
	}
	i := bytes.IndexByte(line, '\r')
	if i < 0 || i+1 >= len(line) || line[i+1] == '\n' {
		return line
	}
	switch behind := line[i+1:]; {
	case m.loose:
		line, m.rest = line[:i+1], behind
	case m.prefixed(behind), len(behind) > 8 && bytes.EqualFold(behind[:8], []byte("content-")):
		m.watch.doubt()
	}
	return line
}

// unread gives a line back, so that the next call of next returns it.
func (m *mimeReader) unread(line []byte) { m.back = line }

// dropRest skips what follows a boundary on a line longer than the buffer.
func (m *mimeReader) dropRest() {
	for m.midLine {
		piece, err := m.r.ReadSlice('\n')
		m.midLine = err == bufio.ErrBufferFull
		m.watch.line(piece)
	}
}

// atBoundary says whether a line is the boundary of an open multipart. One that only begins with one
// is where m is loose; otherwise whoever watches has another reading begin there.
func (m *mimeReader) atBoundary(line []byte) bool {
	if len(m.boundaries) == 0 || len(line) < 3 || line[0] != '-' || line[1] != '-' {
		return false
	}
	rest := bytes.TrimRight(line[2:], " \t\r\n")
	longest := -1
	for i := len(m.boundaries) - 1; i >= 0; i-- {
		b := m.boundaries[i].boundary
		if len(rest) == 0 || len(rest) < len(b) || string(rest[:len(b)]) != b {
			continue
		}
		switch string(rest[len(b):]) {
		case "":
			m.hit, m.closing = i, false
			return true
		case "--":
			m.hit, m.closing = i, true
			return true
		}
		if longest < 0 || len(b) > len(m.boundaries[longest].boundary) {
			longest = i
		}
	}
	switch {
	case longest < 0:
	case m.loose:
		m.hit, m.closing = longest, false // also where two dashes stand before more: some take it so
		return true
	default:
		m.watch.doubt()
	}
	return false
}

// bounded says whether what has ended did so at a boundary.
func (m *mimeReader) bounded() bool { return m.hit >= 0 || m.outer != nil && m.outer.bounded() }

// proceed goes past the boundary that was met.
func (m *mimeReader) proceed() { m.hit, m.closing = -1, false }

// Read gives the octets of the part up to its boundary; the line end before a boundary is not part
// of it.
func (m *mimeReader) Read(p []byte) (int, error) {
	for len(m.ready) == 0 {
		if !m.fill() {
			return 0, io.EOF
		}
	}
	n := copy(p, m.ready)
	m.ready = m.ready[n:]
	return n, nil
}

// fill makes ready the next lines, as far as they are in memory, with the last line end held back.
func (m *mimeReader) fill() bool {
	m.joined = m.joined[:0]
	for len(m.joined) == 0 || m.r.Buffered() > 0 && len(m.joined) < maxMIMELine {
		line := m.next()
		if line == nil {
			if m.hit < 0 { // the end of the message, not a boundary
				m.joined = append(m.joined, m.newline...)
			}
			m.newline = m.newline[:0]
			break
		}
		body := bytes.TrimRight(line, "\r\n")
		m.joined = append(append(m.joined, m.newline...), body...)
		m.newline = append(m.newline[:0], line[len(body):]...)
	}
	m.ready = m.joined
	return len(m.ready) > 0
}

// skip goes to the end of the part.
func (m *mimeReader) skip() {
	for m.next() != nil {
	}
	m.ready, m.newline = nil, m.newline[:0]
}
