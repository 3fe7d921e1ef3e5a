package content

import (
	"bufio"
	"strings"

	"mailweir/internal/charset"
	"mailweir/internal/content/source"
)

// form is how a text of a type that is not plain shows. A program may know it in another way, or
// not at all, so it is read in two ways, and an entry counts by the one that has it most often.
type form struct{ show, other reader }

// reader reads a text that came with the label of a charset.
type reader func(w *walk, t labelled, s *sink)

// labelled is a text as it came.
type labelled struct {
	*source.Reader
	label string
	depth int
}

// formOf is the form of a type; nil for types that show as they are.
func formOf(mediaType, extension string) *form {
	switch {
	case isCalendar(mediaType, extension):
		return &form{(*walk).calendar, (*walk).oldCalendar}
	case mediaType == "text/enriched", mediaType == "text/richtext":
		return &form{(*walk).enriched, (*walk).asItIs}
	case isXMLType(mediaType):
		return &form{(*walk).xmlFile, (*walk).asItIs}
	}
	return nil
}

// isXMLType tells the types that are XML (RFC 7303 section 9). SVG shows as a picture, not as
// text.
func isXMLType(mediaType string) bool {
	return mediaType == "text/xml" || mediaType == "application/xml" || strings.HasSuffix(mediaType, "+xml")
}

// htmlTypes are shown as HTML: that of the web, of AMP for mail, and of watches.
var htmlTypes = nameSet("text/html text/x-amp-html text/watch-html application/xhtml+xml")

// xmlFile reads XML that is no part of another file.
func (w *walk) xmlFile(t labelled, s *sink) { w.xml(xmlDecoded(t.label, t.Reader), s, nil) }

func (w *walk) asItIs(t labelled, s *sink) {
	w.plain(charset.Reader(t.label, t.Reader.Reader, false), s, t.depth)
}

// inForm examines a text of the message itself.
func (w *walk) inForm(f *form, label string, r *bufio.Reader, depth int) {
	if !w.borrow(fileMemory) {
		return
	}
	defer w.giveBack(fileMemory)
	all := &listener{r: r}
	defer all.end()
	in := source.New(all)
	read := func(how reader) reading {
		return func(w *walk, in *source.Reader) {
			s := w.x.sink(Body)
			how(w, labelled{in, label, depth}, s)
			s.end()
			w.copy(nil, in)
		}
	}
	other := w.secondReading(read(f.other))
	all.add(other, nil)
	w.either(func() {
		read(f.show)(w, in)
		all.end()
	}, other)
}
