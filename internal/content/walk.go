package content

import (
	"bufio"
	"io"
	"math"
	"strings"

	"mailweir/internal/charset"
	"mailweir/internal/content/source"
	"mailweir/internal/encodedword"
	"mailweir/internal/transfer"
)

// walk goes over the MIME structure of one message.
type walk struct {
	x   *Examination
	top partHeader
	*totals
	again bool   // it reads beside another what that reads, too
	found found  // in the file being read
	place string // name of that file, "" for the message itself
	buf   []byte
}

// totals are those of a message, however often a part of it is read.
type totals struct {
	parts    int
	expanded int64 // octets unpacked so far
	open     int   // readings that go on beside the first of something
}

// field takes one header field of the message or of a part.
func (w *walk) field(h *partHeader, name, value string) {
	if limit := w.x.examiner.limits.Header; len(value) > limit {
		value = value[:limit]
		w.x.reach(LimitHeader)
	}
	name = strings.TrimSpace(strings.ReplaceAll(name, "\x00", ""))
	value = unfold(value)
	h.set(name, value)
	if strings.Contains(value, "\x00") { // some programs leave it out everywhere
		h.set(name, strings.ReplaceAll(value, "\x00", ""))
	}
	subject := strings.EqualFold(name, "subject")
	if !subject && w.x.all&Headers == 0 {
		return // nobody reads it
	}
	if w.x.all == 0 {
		return
	}
	texts := encodedword.Readings(value)
	if subject {
		w.eachText(w.x.sink(Subject), "", texts)
	}
	w.eachText(w.x.sink(Headers), name+": ", texts)
}

// unfold joins the lines of a field (RFC 5322 section 2.2.3) and removes the blank after the colon.
func unfold(value string) string {
	if strings.ContainsAny(value, "\r\n") {
		value = lineEnds.Replace(value)
	}
	return strings.Trim(value, " \t")
}

var lineEnds = strings.NewReplacer("\r", "", "\n", "")

// message examines the body that belongs to the header h, down to the end of m.
func (w *walk) message(h *partHeader, m *mimeReader, depth int) {
	w.entity(h, m, depth)
	w.endLines(m)
}

// entity examines one part up to its boundary, in each reading of its header.
func (w *walk) entity(h *partHeader, m *mimeReader, depth int) {
	readings := h.readings()
	for _, limit := range h.cut {
		w.x.reach(limit)
	}
	if len(readings) == 1 || w.tooMany() {
		w.read(&readings[0], m, depth)
		return
	}
	var ways []way
	for i := range readings {
		ways = append(ways, func(w *walk, m *mimeReader) { w.read(&readings[i], m, depth) })
	}
	w.eachWay(m, ways...)
}

// tooMany says whether there have been as many parts as are understood.
func (w *walk) tooMany() bool { return w.parts >= w.x.examiner.limits.Parts }

// read examines one part in one reading of its header.
func (w *walk) read(h *partHeader, m *mimeReader, depth int) {
	limits := w.x.examiner.limits
	w.parts++
	switch {
	case w.parts > limits.Parts:
		w.x.reach(LimitParts)
		w.raw(m)
	case depth > limits.Depth:
		w.x.reach(LimitDepth)
		w.raw(m)
	case isMultipart(h.mediaType):
		w.multipart(h, m, depth)
	case h.mediaType == "message/rfc822" || h.mediaType == "message/global" || h.mediaType == "message/news":
		w.nested(h, m, depth)
	default:
		w.leaf(h, m, depth)
	}
}

// raw examines octets as they came, where a limit forbids to understand them.
func (w *walk) raw(m *mimeReader) {
	s := w.x.sink(Body)
	w.copy(s, m)
	s.end()
}

// nested examines an attached message.
func (w *walk) nested(h *partHeader, m *mimeReader, depth int) {
	w.noteNames(h.filenames())
	if h.encoding == base64Encoding || h.encoding == quotedEncoding { // not allowed, and read by mail readers all the same
		m = newMIMEReader(transfer.Reader(h.encoding, m))
		defer w.endLines(m)
	}
	line := m.next()
	if line == nil {
		w.x.symptom(SymptomEmptyMessage)
		return
	}
	m.unread(line)
	w.part(headerReader{}, m, depth+1)
}

// noteNames notes the names of an attachment: alternatives, of which a reader shows one.
func (w *walk) noteNames(names []string) { w.eachText(w.x.sink(Filenames), "", names) }

// leaf examines a part that has no parts.
func (w *walk) leaf(h *partHeader, m *mimeReader, depth int) {
	names := h.filenames()
	w.noteNames(names)
	switch h.encoding {
	case base64Encoding:
		w.base64(h, names, transfer.NewBase64Reader(m), depth)
	case uuEncoding:
		w.uuencoded(h, names, m, depth)
	default:
		if w.x.unread() && h.showsText() {
			m.skip()
			return
		}
		w.body(h, names, transfer.Reader(h.encoding, m), depth)
	}
}

// body examines what a part without parts holds, decoded.
func (w *walk) body(h *partHeader, names []string, decoded io.Reader, depth int) {
	if !h.showsText() {
		w.attachment(h, names, decoded, depth)
		return
	}
	w.shownScript(h)
	isHTML := htmlTypes[h.mediaType]
	buffer := w.x.examiner.takeBuffer()
	defer w.x.examiner.giveBuffer(buffer)
	in := source.On(buffer, decoded)
	w.eachCharset(h.params["charset"], in, isHTML, func(w *walk, label string, in *source.Reader) {
		w.text(h, label, in.Reader, depth)
	})
}

// text examines plain text or HTML of the message itself.
func (w *walk) text(h *partHeader, label string, r *bufio.Reader, depth int) {
	if as := formOf(h.mediaType, ""); as != nil && w.x.all != 0 {
		w.inForm(as, label, r, depth)
		return
	}
	isHTML := htmlTypes[h.mediaType]
	decoded := charset.Reader(label, r, isHTML)
	if h.delSp() {
		decoded = filtered(decoded, &unflow{})
	}
	s := w.x.sink(Body)
	switch {
	case isHTML && w.x.all != 0:
		w.html(decoded, s)
	case !isHTML && w.x.needs != 0:
		w.plain(decoded, s, depth)
	}
	s.end()
	_, _ = r.Discard(math.MaxInt) // what is left
}

// clip bounds a name that is kept. What is left out is the middle, for the end tells what kind of
// file it is.
func clip(name string) string {
	const most, gap = 255, "…"
	if len(name) <= most {
		return name
	}
	if name = strings.Join(strings.Fields(name), " "); len(name) <= most {
		return name
	}
	const end = most / 2
	return strings.ToValidUTF8(name[:most-len(gap)-end], "") + gap + strings.ToValidUTF8(name[len(name)-end:], "")
}

// copy gives all of r to s, which may be nil. It exists for its buffer: io.Copy makes one of 32 KiB
// for each part.
func (w *walk) copy(s *sink, r io.Reader) {
	if w.buf == nil {
		w.buf = make([]byte, 4096)
	}
	for {
		n, err := r.Read(w.buf)
		_, _ = s.Write(w.buf[:n])
		if err != nil {
			return
		}
	}
}
