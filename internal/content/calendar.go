package content

import (
	"bufio"
	"bytes"
	"io"
	"net/url"
	"strings"

	"mailweir/internal/charset"
	"mailweir/internal/transfer"
)

// isCalendar tells calendars (RFC 5545, vCalendar 1.0) and contacts (RFC 6350, RFC 2426, vCard
// 2.1), by media type or extension.
func isCalendar(mediaType, extension string) bool {
	return calendarTypes[mediaType] || calendarExtensions[extension]
}

var (
	calendarTypes = nameSet(`text/calendar text/x-vcalendar text/vcalendar application/ics text/vcard text/x-vcard
		application/vcard text/directory`)
	calendarExtensions = nameSet(".ics .ical .ifb .icalendar .vcs .vcf .vcard")
)

// calendar gives the text of a calendar or a contact as programs show it, one property at a time.
func (w *walk) calendar(t labelled, s *sink) { w.properties(t, s, false) }

// oldCalendar reads those of the first editions, vCard 2.1 and vCalendar 1.0, once more: there the
// blank of a folded line belongs to the text.
func (w *walk) oldCalendar(t labelled, s *sink) {
	head, _ := t.Peek(maxSniff)
	head = bytes.ToUpper(head)
	if bytes.Contains(head, []byte("\nVERSION:2.1")) || bytes.Contains(head, []byte("\nVERSION:1.0")) {
		w.properties(t, s, true)
	}
}

func (w *walk) properties(t labelled, s *sink, blanks bool) {
	if !w.borrow(calendarMemory) {
		return
	}
	defer w.giveBack(calendarMemory)
	c := &calendarLines{in: t.Reader.Reader, blanks: blanks}
	if wide(t.label) {
		c.in, t.label = bufio.NewReader(charset.Reader(t.label, c.in, false)), "utf-8"
	}
	for c.next() && !w.x.halted() {
		if c.cut {
			w.x.reach(LimitMarkup)
		}
		w.property(t.label, c.line, s)
	}
}

// wide tells the charsets in which a line end is more than an octet.
func wide(label string) bool {
	label = strings.ToLower(label)
	return strings.Contains(label, "utf-16") || strings.Contains(label, "utf-32") || strings.Contains(label, "ucs")
}

const (
	maxProperty    = 128 << 10 // octets of a property; what is longer is read as another line
	calendarMemory = 4 * maxProperty
)

// calendarLines reads the lines of properties, with folded ones joined (RFC 5545 section 3.1, RFC
// 6350 section 3.2) before the charset is decoded, because a fold may cut a character.
type calendarLines struct {
	in     *bufio.Reader
	blanks bool // that of a fold belongs to the line
	line   []byte
	cut    bool // it goes on with the next
}

func (c *calendarLines) next() bool {
	c.line, c.cut = c.line[:0], false
	for {
		b, err := c.in.ReadByte()
		switch {
		case err != nil:
			return len(c.line) > 0
		case b != '\r' && b != '\n':
			c.line = append(c.line, b)
		case c.softBreak():
			c.line = append(c.line, '\r', '\n')
			c.lineFeed(b)
		case !c.folded(b):
			return true
		}
		if len(c.line) >= maxProperty {
			c.cut = true
			return true
		}
	}
}

// softBreak tells a line of quoted-printable that goes on with the next, as vCard 2.1 has it.
func (c *calendarLines) softBreak() bool {
	return bytes.HasSuffix(c.line, []byte("=")) && quotedPrintable(c.line)
}

func quotedPrintable(line []byte) bool {
	head, _, _ := cutProperty(line)
	return bytes.Contains(bytes.ToUpper(head), []byte("QUOTED-PRINTABLE"))
}

// folded goes past the line end that began with b, and tells whether a blank behind it folds a
// line.
func (c *calendarLines) folded(b byte) bool {
	c.lineFeed(b)
	next, _ := c.in.Peek(1)
	if len(next) == 0 || next[0] != ' ' && next[0] != '\t' {
		return false
	}
	if !c.blanks {
		_, _ = c.in.ReadByte()
	}
	return true
}

func (c *calendarLines) lineFeed(b byte) {
	if next, _ := c.in.Peek(1); b == '\r' && len(next) > 0 && next[0] == '\n' {
		_, _ = c.in.ReadByte()
	}
}

// cutProperty splits at the first colon outside quotes.
func cutProperty(line []byte) (head, value []byte, found bool) {
	quoted := false
	for i, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ':' && !quoted:
			return line[:i], line[i+1:], true
		}
	}
	return bytes.Cut(line, []byte(":")) // a quote that never closes
}

// property gives one property: its name and parameters as they are, and its value as it shows.
// Where that may be plain or HTML, it counts as the alternatives of a message do.
func (w *walk) property(label string, line []byte, s *sink) {
	head, raw, _ := cutProperty(line)
	h := &propertyHead{text: charset.Decode(label, string(head))}
	if own := h.parameter("CHARSET"); own != "" {
		label = own
	}
	s.WriteString(caretEscapes.Replace(h.text) + ":")
	value, ok := h.decode(raw)
	if !ok {
		s.WriteString("\n")
		return
	}
	shown := unescapeText(charset.Decode(label, string(value)))
	pages := h.pages()
	if markup(shown) {
		pages = append(pages, shown)
	}
	if len(pages) == 0 {
		s.WriteString(shown + "\n")
		return
	}
	choice := w.x.choose()
	s.WriteString(shown + "\n")
	s.end()
	for _, page := range pages {
		choice.next()
		w.html(strings.NewReader(page), s)
		s.end()
	}
	choice.end()
}

// markup tells text that may be HTML: in X-ALT-DESC, in what RFC 9073 adds, and in the descriptions
// that some calendars write.
func markup(text string) bool {
	i := strings.IndexByte(text, '<')
	return i >= 0 && strings.IndexByte(text[i:], '>') > 0
}

// caretEscapes undoes the escapes of parameters (RFC 6868).
var caretEscapes = strings.NewReplacer("^n", "\n", "^'", `"`, "^^", "^")

// propertyHead is a property's name and parameters.
type propertyHead struct{ text string }

// parameter is the value of a parameter, without quotes; "" if there is none.
func (h *propertyHead) parameter(name string) string {
	_, rest, more := cutSemicolon(h.text)
	for more {
		var one string
		one, rest, more = cutSemicolon(rest)
		key, value, _ := strings.Cut(one, "=")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.Trim(value, ` "`)
		}
	}
	return ""
}

// cutSemicolon splits at the first semicolon outside quotes.
func cutSemicolon(s string) (first, rest string, found bool) {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// decode undoes the encoding of a value; false if it is no text but a picture or the like. vCard
// 2.1 has encodings without the name of the parameter.
func (h *propertyHead) decode(value []byte) ([]byte, bool) {
	parameters := ";" + strings.ToUpper(strings.ReplaceAll(h.text, " ", "")) + ";"
	switch {
	case strings.Contains(parameters, "QUOTED-PRINTABLE;"):
		value, _ = io.ReadAll(transfer.Reader("quoted-printable", bytes.NewReader(value)))
	case strings.Contains(parameters, ";ENCODING=B;"), strings.Contains(parameters, "BASE64;"):
		value = transfer.Base64(string(value))
		return value, !bytes.ContainsAny(value[:min(len(value), 512)], "\x00\x01\x02\x03\x04\x05\x06\x07\x08")
	}
	return value, true
}

// pages is the HTML that a parameter brings: another form of the property (RFC 5545 section 3.2.1)
// in an address that holds it itself (RFC 2397).
func (h *propertyHead) pages() []string {
	kind, data, _ := strings.Cut(h.parameter("ALTREP"), ",")
	kind = strings.ToLower(kind)
	if !strings.HasPrefix(kind, "data:text/html") {
		return nil
	}
	if text, err := url.PathUnescape(data); err == nil {
		data = text
	}
	if strings.HasSuffix(kind, ";base64") {
		data = string(transfer.Base64(data))
	}
	return []string{data}
}

// unescapeText undoes the escapes of text values (RFC 5545 section 3.3.11, RFC 6350 section 3.4). A
// backslash before anything else stands for itself.
func unescapeText(s string) string { return textEscapes.Replace(s) }

var textEscapes = strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\:`, ":", `\\`, `\`)
