package content

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"mailweir/internal/charset"
	"mailweir/internal/encodedword"
	"mailweir/internal/transfer"
)

// walk goes over the MIME structure of one message.
type walk struct {
	x   *Examination
	top partHeader
	*totals
	found found  // in the file being read
	place string // name of that file, "" for the message itself
	buf   []byte
}

// totals are those of a message, however often a part of it is read.
type totals struct {
	parts    int
	expanded int64 // octets unpacked so far
}

// field takes one header field of the message or of a part.
func (w *walk) field(h *partHeader, name, value string) {
	if limit := w.x.examiner.limits.Header; len(value) > limit {
		value = value[:limit]
		w.x.reach(LimitHeader)
	}
	name = strings.TrimSpace(name)
	value = unfold(value)
	h.set(name, value)
	subject := strings.EqualFold(name, "subject")
	if !subject && w.x.all&Headers == 0 {
		return // nobody reads it
	}
	if w.x.all == 0 {
		return
	}
	decoded := encodedword.Decode(value)
	if subject {
		s := w.x.sink(Subject)
		s.WriteString(decoded)
		s.end()
	}
	s := w.x.sink(Headers)
	s.WriteString(name)
	s.WriteString(": ")
	s.WriteString(decoded)
	s.end()
}

// unfold joins the lines of a field (RFC 5322 section 2.2.3) and removes the blank after the colon.
func unfold(value string) string {
	if strings.ContainsAny(value, "\r\n") {
		value = strings.NewReplacer("\r\n", "", "\n", "", "\r", "").Replace(value)
	}
	return strings.Trim(value, " \t")
}

// message examines the body that belongs to the header h, down to the end of m.
func (w *walk) message(h *partHeader, m *mimeReader, depth int) {
	w.entity(h, m, depth)
	m.skip()
}

// entity examines one part up to its boundary.
func (w *walk) entity(h *partHeader, m *mimeReader, depth int) {
	limits := w.x.examiner.limits
	w.parts++
	switch {
	case w.parts > limits.Parts:
		w.x.reach(LimitParts)
		w.raw(m)
	case depth > limits.Depth:
		w.x.reach(LimitDepth)
		w.raw(m)
	case strings.HasPrefix(h.mediaType, "multipart/") && h.params["boundary"] != "":
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

// multipart examines the parts between boundaries. What stands before the first and after the last
// is examined as text: mail readers hide it, but some show it, and a wrong boundary would hide
// everything.
func (w *walk) multipart(h *partHeader, m *mimeReader, depth int) {
	// A boundary may not end in white space (RFC 2046 section 5.1.1); a reader trims the line too.
	m.boundaries = append(m.boundaries, strings.TrimRight(h.params["boundary"], " \t\r\n"))
	own := len(m.boundaries) - 1
	var choice *choice
	if h.mediaType == "multipart/alternative" {
		choice = w.x.choose()
		defer choice.end()
	}
	w.raw(m)
	choice.next()
	if m.hit < 0 {
		w.x.symptom(SymptomNoParts)
	}
	for m.hit == own && !m.closing {
		m.proceed()
		part := partHeader{}
		if h.mediaType == "multipart/digest" {
			part.mediaType = "message/rfc822" // RFC 2046 section 5.1.5
		}
		w.header(&part, m)
		w.entity(&part, m, depth+1)
		m.skip()
		choice.next()
	}
	closed := m.hit == own && m.closing
	m.boundaries = m.boundaries[:own]
	if !closed {
		w.x.symptom(SymptomOpenMultipart)
		return
	}
	m.proceed()
	w.raw(m)
}

// header reads the header of a part, one field at a time.
func (w *walk) header(h *partHeader, m *mimeReader) {
	var field []byte
	limit := w.x.examiner.limits.Header
	for first := true; ; first = false {
		line := m.next()
		if line == nil {
			w.endField(h, field)
			if m.hit < 0 {
				w.x.symptom(SymptomOpenHeader)
			}
			return
		}
		text := bytes.TrimRight(line, "\r\n")
		switch {
		case len(text) == 0:
			w.endField(h, field)
			return
		case text[0] == ' ' || text[0] == '\t' || m.continued:
			if len(field)+len(text) <= limit+256 {
				field = append(field, text...)
			} else {
				w.x.reach(LimitHeader)
			}
		case first && bytes.HasPrefix(text, []byte("From ")): // an mbox line
		case bytes.IndexByte(text, ':') <= 0:
			// No header line: the body has begun without an empty line.
			w.endField(h, field)
			m.unread(line)
			return
		default:
			w.endField(h, field)
			field = append(field[:0], text...)
		}
	}
}

func (w *walk) endField(h *partHeader, field []byte) {
	if name, value, ok := bytes.Cut(field, []byte(":")); ok {
		w.field(h, string(name), string(value))
	}
}

// nested examines an attached message.
func (w *walk) nested(h *partHeader, m *mimeReader, depth int) {
	w.name(h)
	inner := partHeader{}
	if h.encoding == "base64" || h.encoding == "quoted-printable" { // not allowed, and read by mail readers all the same
		m = newMIMEReader(transfer.Reader(h.encoding, m))
	}
	line := m.next()
	if line == nil {
		w.x.symptom(SymptomEmptyMessage)
		return
	}
	m.unread(line)
	w.header(&inner, m)
	w.entity(&inner, m, depth+1)
}

// name notes the name of an attachment.
func (w *walk) name(h *partHeader) string {
	name := h.filename()
	if name != "" {
		s := w.x.sink(Filenames)
		s.WriteString(name)
		s.end()
	}
	return name
}

// leaf examines a part that has no parts.
func (w *walk) leaf(h *partHeader, m *mimeReader, depth int) {
	name := w.name(h)
	decoded := transfer.Reader(h.encoding, m)
	major, _, proper := strings.Cut(h.mediaType, "/")
	text := !proper || major == "text" || major == "multipart" // a multipart without boundary shows as text
	if text && !h.attached() {
		w.shownScript(h)
		w.text(h, bufio.NewReader(decoded), depth)
	} else {
		w.attachment(h, name, decoded, depth)
	}
	if b, ok := decoded.(*transfer.Base64Reader); ok && b.Cut() {
		w.x.symptom(SymptomBase64)
	}
}

// text examines plain text or HTML of the message itself.
func (w *walk) text(h *partHeader, r *bufio.Reader, depth int) {
	if as := formOf(h.mediaType, ""); as != nil && w.x.all != 0 {
		w.inForm(as, h.params["charset"], r, depth)
		return
	}
	isHTML := htmlTypes[h.mediaType]
	decoded := charset.Reader(h.params["charset"], r, isHTML)
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
	w.copy(nil, r)
}

// clip bounds a name that is kept.
func clip(name string) string {
	if len(name) > 255 {
		name = strings.ToValidUTF8(name[:255], "")
	}
	return name
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
