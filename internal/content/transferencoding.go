package content

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"

	"mailweir/internal/content/param"
	"mailweir/internal/content/source"
	"mailweir/internal/content/uuencode"
	"mailweir/internal/transfer"
)

// The transfer encodings that are decoded (RFC 2045 section 6, and what was in use before). All
// others are none.
const (
	base64Encoding   = "base64"
	quotedEncoding   = "quoted-printable"
	uuEncoding       = "x-uuencode"
	identityEncoding = ""
)

// encodingNames are the names in the field.
var encodingNames = map[string]string{
	"base64": base64Encoding, "x-gzip64": base64Encoding, // the octets inside are recognised as gzip
	"quoted-printable": quotedEncoding,
	"x-uuencode":       uuEncoding, "uuencode": uuEncoding, "x-uue": uuEncoding, "uue": uuEncoding,
	"x-uu": uuEncoding, "x-uuencoded": uuEncoding,
	"7bit": identityEncoding, "8bit": identityEncoding, "binary": identityEncoding,
}

// transferEncodings are what mail programs take a Content-Transfer-Encoding field for, the
// likeliest first. One that is nothing but a name is that. In any other, each name that stands in
// it may be found by a program that overlooks what is around it, and none by a strict one. Uuencode
// is not known to all programs.
func transferEncodings(value string) (all []string) {
	value = strings.ToLower(value)
	exact := strings.Trim(value, " \t;")
	if encoding, known := encodingNames[exact]; known && encoding != uuEncoding {
		return []string{encoding}
	}
	words := strings.FieldsFunc(param.StripComments(value), func(r rune) bool { return strings.ContainsRune(" \t\r\n,;\"'<>", r) })
	for _, word := range words {
		if encoding, known := encodingIn(strings.Trim(word, ".:")); known && !slices.Contains(all, encoding) {
			all = append(all, encoding)
		}
	}
	if !slices.Contains(all, identityEncoding) {
		all = append(all, identityEncoding)
	}
	return all
}

// encodingIn is the encoding that a word names, or holds the name of: mutt looks at its first
// letters only, others find it anywhere.
func encodingIn(word string) (encoding string, known bool) {
	if encoding, known = encodingNames[word]; known {
		return encoding, true
	}
	for _, name := range []string{"base64", "quoted-printable", "uuencode"} {
		if strings.Contains(word, name) {
			return encodingNames[name], true
		}
	}
	return "", false
}

// base64 examines a part in base64, and what programs make of it that read faulty base64 in another
// way, as alternatives.
func (w *walk) base64(h *partHeader, names []string, r *transfer.Base64Reader, depth int) {
	var others []*secondReading
	r.Fork = func(b transfer.Branch) func([]byte) {
		other := w.branch(h, names, b, depth)
		if other == nil {
			return func([]byte) {}
		}
		others = append(others, other)
		return func(octets []byte) {
			if octets == nil {
				other.end()
			} else {
				other.take(octets)
			}
		}
	}
	w.asAlternatives(func() { w.body(h, names, r, depth) }, &others)
	w.shuts(len(others))
	if r.Cut() {
		w.x.symptom(SymptomBase64)
	}
}

// branch begins a reading of a part that parts from the likeliest one; nil if there are too many,
// or nothing can be read from its middle on. Of a long text only what stands shortly before is read
// again, so that no word is cut.
func (w *walk) branch(h *partHeader, names []string, b transfer.Branch, depth int) *secondReading {
	text := showsAsText(h.mediaType)
	if !text && !b.Whole {
		if !b.AsItIs {
			w.x.reach(LimitReadings)
		}
		return nil
	}
	if !w.opens(1) {
		return nil
	}
	other := w.secondReading(func(w *walk, in *source.Reader) { w.body(h, names, in, depth) })
	other.take(b.Before)
	return other
}

// uuencoded examines a part in uuencode, under its names and the one inside.
func (w *walk) uuencoded(h *partHeader, names []string, r io.Reader, depth int) {
	in := bufio.NewReaderSize(r, maxMIMELine)
	for start := true; ; {
		line, err := in.ReadSlice('\n')
		if start && len(line) > 5 && bytes.EqualFold(line[:5], []byte("begin")) { // MIME-tools wants no more
			name, _ := uuencode.Begin(line)
			inner := namesAsSaved(name)
			w.noteNames(inner)
			w.body(h, addNames(slices.Clone(names), inner...), uuencode.NewReader(in), depth)
		}
		start = err == nil
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}
