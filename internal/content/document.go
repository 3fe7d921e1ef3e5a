package content

import (
	"io"
	"path"
	"strings"

	"mailweir/internal/charset"
	"mailweir/internal/content/source"
	"mailweir/internal/content/xml"
)

// zipContent examines a member of an archive. The XML files of a document are its text and no files
// of their own.
func (w *walk) zipContent(f file, names []string, r io.Reader) bool {
	name := names[0]
	if s := memberSearch(name); s != nil {
		r = s.reader(r)
		defer w.memberFound(name, s)
	}
	text := documentText(name) && len(names) == 1
	if !text && !(f.document && strings.EqualFold(path.Ext(name), ".xml")) {
		return w.member(f, false, r, names...)
	}
	in := source.New(r)
	if !text && !looksLikeXML(in) {
		return w.member(f, false, in, names...)
	}
	if w.parts++; w.parts > w.x.examiner.limits.Parts {
		w.x.reach(LimitParts)
		return false
	}
	s := w.x.sink(Attachments)
	if s == nil {
		w.copy(nil, in)
		return true
	}
	w.xml(xmlDecoded("", in), s, f.styles)
	s.end()
	return true
}

// isDocument tells a document by the members that its kind must have: Office Open XML (ECMA-376
// part 2, section 10.1.2.1) and OpenDocument (OpenDocument 1.2 part 3, section 3.3) write them
// first.
func isDocument(seen map[string]bool) bool { return seen["[Content_Types].xml"] || seen["mimetype"] }

// documentText tells the members that hold the text of Office Open XML and OpenDocument files by
// the names that all programs give them. A document may give them any others, since it finds them
// by relationships: then XML in a document is its text whatever it is called, and in an archive
// that begins as no document, or under another extension, it is a file that is read in the same
// way.
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

func looksLikeXML(in *source.Reader) bool {
	head, _ := in.Peek(maxSniff)
	return xml.Looks(head)
}

// xmlDecoded decodes XML by its own declaration, else by the label that came with it: a program
// that opens a file knows no label. A charset in which the first tag would be none is not meant.
func xmlDecoded(label string, in *source.Reader) io.Reader {
	head, _ := in.Peek(maxSniff)
	if own := xml.Encoding(head); own != "" {
		label = own
	}
	if tag := string(head[:min(len(head), 4)]); strings.HasPrefix(tag, "<") && !strings.HasPrefix(charset.Decode(label, tag), "<") &&
		!strings.Contains(tag, "\x00") {
		label = ""
	}
	return charset.Reader(label, in.Reader, false)
}
