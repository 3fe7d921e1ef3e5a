package content

import (
	"compress/zlib"
	"encoding/binary"
	"path"
	"strings"

	"mailweir/internal/content/source"
)

// The media types of sheets with Excel 4.0 macros ([MS-OFFMACRO2] section 2.2.1.4), as they begin
// in a document's list of types, in lower case.
const (
	macroSheet              = "vnd.ms-excel.macrosheet"
	internationalMacroSheet = "vnd.ms-excel.intlmacrosheet"
)

// memberSearch looks in a member of a ZIP archive for what it says of the whole archive; nil where
// nothing can be said.
func memberSearch(name string) *search {
	switch name = strings.ToLower(name); {
	case name == "meta-inf/manifest.mf":
		s := newSearch("\nmain-class:", "\rmain-class:") // JAR File Specification, "Main Attributes"
		_, _ = s.Write([]byte("\n"))
		return s
	case name == "[content_types].xml":
		return newMarkupSearch(macroSheet, internationalMacroSheet)
	case path.Ext(name) == ".rels":
		return newMarkupSearch("relationships/xlmacrosheet", "relationships/xlintlmacrosheet")
	}
	return nil
}

// memberFound notes what a member says of the archive that holds it.
func (w *walk) memberFound(name string, s *search) {
	switch {
	case s == nil || !s.found:
	case strings.EqualFold(name, "META-INF/MANIFEST.MF"):
		w.found.program = true
	default:
		w.found.macros = true
	}
}

// An ActiveMime file holds the macros of a document that was saved as a web page or as XML, or
// other objects of it: an OLE storage packed by zlib, mostly behind a header of 50 octets.
const (
	activeMime     = "application/x-mso"
	activeMimeMark = "ActiveMime"
	activeMimeData = 50
)

// activeMime looks for macros in what an ActiveMime file holds. Where it cannot be unpacked, it is
// taken for macros, because that is what such files are for.
func (w *walk) activeMime(in *source.Reader) {
	head, _ := in.Peek(2048)
	start := min(activeMimeData, len(head))
	if !zlibHeader(head[start:]) {
		for start = 0; start < len(head) && !zlibHeader(head[start:]); {
			start++
		}
	}
	_, _ = in.Discard(start)
	z, err := zlib.NewReader(in)
	if err != nil {
		w.found.macros = true
		return
	}
	if !w.borrow(fileMemory) {
		return
	}
	defer w.giveBack(fileMemory)
	body := source.New(w.expand(z, in))
	if mark, _ := body.Peek(len(oleMark)); string(mark) != oleMark {
		w.found.macros = true
	}
	w.ole(body)
}

// zlibHeader tells whether octets begin as zlib's do with a window of 32 KiB (RFC 1950 section
// 2.2).
func zlibHeader(b []byte) bool {
	return len(b) > 1 && b[0] == 0x78 && binary.BigEndian.Uint16(b)%31 == 0 && b[1]&0x20 == 0
}
