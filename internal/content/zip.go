package content

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"path"
	"strings"
)

// Signatures of the ZIP format (PKWARE APPNOTE 4.3).
const (
	zipLocal     = "PK\x03\x04"
	zipDirectory = "PK\x01\x02"
	zipEnd       = "PK\x05\x06"
	zip64End     = "PK\x06\x06"
)

// zip examines a ZIP archive, and the documents that are one: Office Open XML, OpenDocument.
//
// It reads the members in the order in which they lie there, so an archive of any size takes no memory; then the
// directory at the end, for names that had no member. Programs that open archives trust the one or the other.
func (w *walk) zip(f file, in *source) {
	seen := map[string]bool{}
	for {
		switch nextSignature(in) {
		case zipLocal:
			if !w.zipMember(f, in, seen) {
				return
			}
		case zipDirectory:
			if !w.zipEntry(f, in, seen) {
				return
			}
		default:
			return
		}
	}
}

// nextSignature goes to the next signature and gives it, "" at the end. What lies between (data descriptors, padding,
// rubbish) is skipped.
func nextSignature(in *source) string {
	for {
		head, err := in.Peek(4)
		if err != nil {
			return ""
		}
		switch s := string(head); s {
		case zipLocal, zipDirectory, zipEnd, zip64End:
			return s
		}
		buffered, _ := in.Peek(in.Buffered())
		skip := bytes.IndexByte(buffered[1:], 'P') + 1
		if skip == 0 {
			skip = len(buffered)
		}
		_, _ = in.Discard(skip)
	}
}

// Flags and methods of a member.
const (
	zipEncrypted  = 1 << 0
	zipDescriptor = 1 << 3 // the sizes stand behind the data
	zipStored     = 0
	zipDeflated   = 8
)

func (w *walk) zipMember(f file, in *source, seen map[string]bool) bool {
	var h [30]byte
	if _, err := io.ReadFull(in, h[:]); err != nil {
		return false
	}
	le := binary.LittleEndian
	flags, method := le.Uint16(h[6:]), le.Uint16(h[8:])
	packed := int64(le.Uint32(h[18:]))
	name, ok := readName(in, int(le.Uint16(h[26:])), int(le.Uint16(h[28:])))
	if !ok {
		return false
	}
	seen[name] = true
	known := flags&zipDescriptor == 0 && packed != 0xffffffff
	encrypted := flags&zipEncrypted != 0
	directory := strings.HasSuffix(name, "/") && packed == 0
	switch {
	case directory:
		return true
	case encrypted || method != zipDeflated && (method != zipStored || !known):
		if !encrypted {
			w.x.reach(LimitUnreadable)
		}
		if !w.member(f, name, encrypted, nil) {
			return false
		}
		if known {
			w.copy(nil, io.LimitReader(in, packed))
		}
	case method == zipStored:
		body := io.LimitReader(in, packed)
		ok = w.zipContent(f, name, body)
		w.copy(nil, body)
	default:
		// Deflated data knows its own end, so a false size hides nothing.
		body := flate.NewReader(in)
		expanded := w.expand(body, in)
		ok = w.zipContent(f, name, expanded)
		w.copy(nil, expanded)
	}
	return ok && !w.x.halted() && w.expanded < w.x.examiner.limits.Expanded
}

// zipContent examines a member. The XML files of a document are its text and no files of their own.
func (w *walk) zipContent(f file, name string, r io.Reader) bool {
	if !documentText(name) {
		return w.member(f, name, false, r)
	}
	if w.parts++; w.parts > w.x.examiner.limits.Parts {
		w.x.reach(LimitParts)
		return false
	}
	s := w.x.sink(Attachments)
	if s == nil {
		w.copy(nil, r)
		return true
	}
	w.xml(utf8Reader("", newSource(r).Reader, false), s)
	s.end()
	return true
}

// documentText tells the members that hold the text of Office Open XML and OpenDocument files.
func documentText(name string) bool {
	switch path.Ext(name) {
	case ".rels":
		return true
	case ".xml":
		return strings.HasPrefix(name, "word/") || strings.HasPrefix(name, "xl/") || strings.HasPrefix(name, "ppt/") ||
			strings.HasPrefix(name, "docProps/") || strings.HasPrefix(name, "customXml/") || name == "content.xml" ||
			name == "styles.xml" || name == "meta.xml" || name == "settings.xml" || name == "META-INF/manifest.xml" ||
			name == "[Content_Types].xml"
	}
	return false
}

// zipEntry notes a name of the directory at the end.
func (w *walk) zipEntry(f file, in *source, seen map[string]bool) bool {
	var h [46]byte
	if _, err := io.ReadFull(in, h[:]); err != nil {
		return false
	}
	le := binary.LittleEndian
	name, ok := readName(in, int(le.Uint16(h[28:])), int(le.Uint16(h[30:]))+int(le.Uint16(h[32:])))
	if !ok || seen[name] || strings.HasSuffix(name, "/") {
		return ok
	}
	seen[name] = true
	return w.member(f, name, le.Uint16(h[8:])&zipEncrypted != 0, nil)
}

// readName reads a name and skips what follows it. Longer names than 1 KiB are cut.
func readName(in *source, length, extra int) (string, bool) {
	name := make([]byte, min(length, 1024))
	if _, err := io.ReadFull(in, name); err != nil {
		return "", false
	}
	_, err := in.Discard(length - len(name) + extra)
	return string(name), err == nil
}
