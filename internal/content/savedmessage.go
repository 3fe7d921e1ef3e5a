package content

import (
	"bytes"
	"strings"

	"mailweir/internal/content/source"
)

// messageBegin is where a saved message begins in a file that begins with head, -1 if it does not
// look like one. Programs open an .mht by what they find, under any name: some look for its
// MIME-Version behind lines that are no header.
func messageBegin(head []byte) int {
	if byCR(head) {
		head = bytes.ReplaceAll(head, []byte("\r"), []byte("\n"))
	}
	begin, fields := -1, 0 // of the lines that may be a header
	front := true          // nothing stands before them
	for at := 0; at < len(head); {
		line, _, _ := bytes.Cut(head[at:], []byte("\n"))
		from := at
		at += len(line) + 1
		line = bytes.TrimRight(bytes.TrimPrefix(line, []byte("\ufeff")), "\r")
		name := fieldName(line)
		switch {
		case name == "" && begin >= 0 && len(line) > 0 && (line[0] == ' ' || line[0] == '\t'): // goes on
		case bytes.HasPrefix(line, []byte("From ")): // an mbox line
			begin, fields = from, 0
		case name == "":
			front = front && begin < 0 && len(bytes.TrimSpace(line)) == 0
			begin, fields = -1, 0
		default:
			if begin < 0 {
				begin = from
			}
			if messageFields[name] {
				fields++
			}
			if name == "mime-version" || front && fields > 1 {
				return begin
			}
		}
	}
	return -1
}

// savedMessage examines a message that was saved to a file. One that is known to be a message
// begins with its header.
func (f file) savedMessage(w *walk, in *source.Reader) {
	head, _ := in.Peek(maxSniff)
	line := head[:max(0, bytes.IndexAny(head, "\r\n"))]
	if begin := messageBegin(head); begin > 0 && fieldName(line) == "" {
		_, _ = in.Discard(begin)
	}
	m := newMIMEReader(in)
	m.loose = byCR(head)
	defer w.endLines(m)
	w.part(headerReader{}, m, f.depth+1)
}

// byCR says whether the first line of a message ends in a carriage return alone.
func byCR(head []byte) bool {
	i := bytes.IndexAny(head, "\r\n")
	return i > 0 && i+1 < len(head) && head[i] == '\r' && head[i+1] != '\r' && head[i+1] != '\n'
}

// messageFields are fields that hardly anything but a message begins with.
var messageFields = nameSet(`from to cc date subject sender reply-to message-id received return-path delivered-to
	in-reply-to references content-type content-transfer-encoding content-disposition content-location content-id`)

// fieldName is the name of a header field, in lower case; "" if the line is none.
func fieldName(line []byte) string {
	name, _, found := bytes.Cut(line, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	if !found || len(name) == 0 || bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return strings.ToLower(string(name))
}
