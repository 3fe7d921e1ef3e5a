package content

import (
	"slices"
	"strings"

	"mailweir/internal/charset"
	"mailweir/internal/content/source"
)

// reading is one way to read a file.
type reading func(w *walk, in *source.Reader)

// inside examines the content of a file: by its real type, because senders choose the declared one,
// and as what else a program may take it for.
func (w *walk) inside(f file, k kind, all *listener, in *source.Reader) {
	var first, second reading
	asZip := func(w *walk, in *source.Reader) { w.zip(f, in) }
	show, other := f.readers(k, in)
	opened, whole := opener(f, k)
	head, _ := in.Peek(maxSniff)
	switch message := f.isMessage(k) || messageBegin(head) >= 0; {
	case opened != nil && f.isText():
		first, second = opened, f.as(show)
	case opened != nil:
		first = opened
	case message && f.declared == "message/rfc822":
		first, whole = f.savedMessage, true
	case message:
		first, second, whole = f.savedMessage, f.as(show), true
	case k.text || f.isText() || other != nil:
		first, whole = f.as(show), true
		if other != nil {
			second = f.as(other)
		}
	}
	if first == nil {
		first = func(*walk, *source.Reader) {}
	}
	ahead, _ := in.Peek(in.Buffered())
	archive := &zipFinder{start: func() *secondReading { return w.secondReading(asZip) }}
	if whole && k.real != zipArchive {
		all.add(archive, ahead)
	}
	read := func() {
		first(w, in)
		if !whole {
			asZip(w, in) // what is left, of any other file all
		}
		w.copy(nil, in)
		all.end()
	}
	if second == nil {
		read()
	} else {
		other := w.secondReading(second)
		all.add(other, ahead)
		w.either(read, other)
	}
	if archive.reading != nil {
		w.x.add(archive.reading.tally.hits)
		w.found.add(archive.reading.w.found)
	}
}

// either counts two readings as the alternatives of a message.
func (w *walk) either(read func(), other *secondReading) {
	choice := w.x.choose()
	defer choice.end()
	read()
	choice.next()
	w.x.hits = other.tally.hits
	w.found.add(other.w.found)
}

// opener reads a file that is no text, nil if there is nothing to open; whole if nothing may lie
// behind what it reads.
func opener(f file, k kind) (open reading, whole bool) {
	switch k.real {
	case zipArchive:
		return func(w *walk, in *source.Reader) { w.zip(f, in) }, true
	case "text/rtf":
		return (*walk).rtf, true
	case oleStorage:
		return (*walk).ole, true
	case activeMime:
		return (*walk).activeMime, true
	case "application/gzip":
		return func(w *walk, in *source.Reader) { w.gzip(f, in) }, false
	case "application/x-bzip2":
		return func(w *walk, in *source.Reader) { w.bzip2(f, in) }, false
	case "application/x-xz":
		return func(w *walk, in *source.Reader) { w.xz(f, in) }, false
	case "application/x-tar":
		return func(w *walk, in *source.Reader) { w.tar(f, in) }, false
	case "application/x-rar-compressed":
		return func(w *walk, in *source.Reader) { w.rar(f, in) }, false
	case "application/x-7z-compressed":
		return func(w *walk, in *source.Reader) { w.sevenZip(f, in) }, false
	}
	return nil, false
}

// ends says whether one of the file's names has an extension of a kind.
func (f file) ends(kind map[string]bool) bool {
	return kind[extension(f.name)] || slices.ContainsFunc(f.others, func(name string) bool { return kind[extension(name)] })
}

// isMessage tells a saved message, by any sign.
func (f file) isMessage(k kind) bool {
	return f.declared == "message/rfc822" || k.real == "message/rfc822" || f.ends(messageExtensions)
}

// form is that of the file as a text, by its type or one of its names.
func (f file) form() *form {
	as := formOf(f.declared, extension(f.name))
	for _, name := range f.others {
		if as == nil {
			as = formOf(f.declared, extension(name))
		}
	}
	return as
}

// isText tells what is shown or opened as text, whatever its first octets are.
func (f file) isText() bool {
	return strings.HasPrefix(f.declared, "text/") && f.declared != "text/rtf" || f.ends(textExtensions) || calendarTypes[f.declared] || f.ends(calendarExtensions)
}

var (
	htmlExtensions    = nameSet(`.htm .html .xhtml`)
	messageExtensions = nameSet(`.eml .mht .mhtml .nws`)
	textExtensions    = nameSet(`.txt .text .log .md .csv .tsv .htm .html .xhtml .xml .json .yaml .yml .sql .ini .conf`)
)

// readers are the ways in which a file is read as a text; other is nil where there is but one.
func (f file) readers(k kind, in *source.Reader) (show, other reader) {
	as, isHTML := f.form(), k.real == "text/html"
	switch {
	case htmlTypes[f.declared]:
		return (*walk).htmlFile, nil
	case isHTML && isXMLType(f.declared):
		return (*walk).xmlFile, (*walk).htmlFile
	case isHTML, !strings.HasPrefix(f.declared, "text/") && f.ends(htmlExtensions):
		return (*walk).htmlFile, nil
	case k.real == "text/xml":
		return (*walk).xmlFile, nil
	case as != nil:
		return as.show, as.other
	case looksLikeXML(in):
		return (*walk).xmlFile, (*walk).asItIs
	}
	return (*walk).asItIs, nil
}

// as reads the file in one of them.
func (f file) as(how reader) reading {
	return func(w *walk, in *source.Reader) {
		if w.x.all == 0 {
			return
		}
		w.eachCharset(f.charset, in, false, func(w *walk, label string, in *source.Reader) {
			s := w.x.sink(Attachments)
			how(w, labelled{in, label, f.depth}, s)
			s.end()
		})
	}
}

func (w *walk) htmlFile(t labelled, s *sink) {
	w.html(charset.Reader(t.label, t.Reader.Reader, true), s)
}
