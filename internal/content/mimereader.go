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
	afterCR    bool        // the octets so far ended in a carriage return
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

// line reads one from the input, or a piece of a long one.
func (m *mimeReader) line() []byte {
	m.continued = m.midLine
	var line []byte
	var err error
	if m.loose {
		line, err = m.endedByCR()
	} else {
		line, err = m.r.ReadSlice('\n')
	}
	m.midLine = err == bufio.ErrBufferFull
	if !m.loose && m.watch != nil && m.doubtfulCR(line) {
		m.watch.doubt()
	}
	m.afterCR = m.midLine && line[len(line)-1] == '\r'
	return line
}

// endedByCR reads a line as those who take a carriage return alone for its end, too: Thunderbird
// and Python's email.
func (m *mimeReader) endedByCR() ([]byte, error) {
	for from, want := 0, 1; ; {
		ahead, err := m.r.Peek(min(max(m.r.Buffered(), want), maxMIMELine))
		for i := from; i < len(ahead); i++ {
			if ahead[i] == '\n' || ahead[i] == '\r' && i+1 < len(ahead) && ahead[i+1] != '\n' {
				_, _ = m.r.Discard(i + 1)
				return ahead[:i+1], nil
			}
		}
		full := len(ahead) == maxMIMELine
		if full || err != nil {
			n := len(ahead)
			if full && ahead[n-1] == '\r' {
				n-- // what follows says whether it ends the line
			}
			_, _ = m.r.Discard(n)
			if full {
				err = bufio.ErrBufferFull
			}
			return ahead[:n], err
		}
		from, want = len(ahead)-1, len(ahead)+1
	}
}

// doubtfulCR says whether a boundary, or a field of a part's header, stands behind a carriage
// return alone, or may do so where the line is cut.
func (m *mimeReader) doubtfulCR(line []byte) bool {
	const field = "content-"
	behind := line
	for next := m.afterCR; ; next = true {
		if next && len(behind) > 0 && behind[0] != '\n' {
			switch i := bytes.IndexByte(behind, '\r'); {
			case m.prefixed(behind), len(behind) >= len(field) && bytes.EqualFold(behind[:len(field)], []byte(field)):
				return true
			case m.midLine && i < 0 && (behind[0] == '-' || len(behind) < len(field)):
				return true
			}
		}
		i := bytes.IndexByte(behind, '\r')
		if i < 0 {
			return false
		}
		behind = behind[i+1:]
	}
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

// atBoundary says whether a line is the boundary of an open multipart. One that only begins with
// one is where m is loose; otherwise whoever watches has another reading begin there.
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
func (m *mimeReader) proceed() {
	m.hit, m.closing = -1, false
	m.watch.proceed()
}

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
		body := withoutLineEnd(line)
		m.joined = append(append(m.joined, m.newline...), body...)
		m.newline = append(m.newline[:0], line[len(body):]...)
	}
	m.ready = m.joined
	return len(m.ready) > 0
}

// withoutLineEnd is bytes.TrimRight for line ends alone, which makes a set of them for each line.
func withoutLineEnd(line []byte) []byte {
	end := len(line)
	for end > 0 && (line[end-1] == '\n' || line[end-1] == '\r') {
		end--
	}
	return line[:end]
}

// skip goes to the end of the part.
func (m *mimeReader) skip() {
	for m.next() != nil {
	}
	m.ready, m.newline = nil, m.newline[:0]
}
