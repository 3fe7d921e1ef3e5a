// Package charset decodes text as mail programs do: text that declares its charset, or a wrong one,
// or none.
package charset

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	htmlcharset "golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// headSize is how much of a text is looked at to tell how it is read.
const headSize = 1024

// Reader decodes text of the declared charset by the first of its [Readings].
func Reader(label string, r *bufio.Reader, isHTML bool) io.Reader {
	return transform.NewReader(r, Readings(label, r, isHTML)[0].NewDecoder())
}

// Readings are the encodings in which mail programs read the text that follows in r, the likeliest
// first; there is always one, and rarely another. Nothing is taken out of r, which must be able to
// look 1,024 octets ahead.
//
// A charset that is absent, unknown or ASCII is taken as UTF-8 where the octets are UTF-8 and as
// windows-1252 where they are not. That is also the second reading of a charset in which octets of
// ASCII mean something else (UTF-16, EBCDIC, iso-2022-kr, hz …), because not all programs know it,
// and of any charset where the text is UTF-8. A byte order mark comes before what is declared.
//
// A label of [Nth] has the one reading that it names.
func Readings(label string, r *bufio.Reader, isHTML bool) []encoding.Encoding {
	label, n, one := cutNth(label)
	all := readings(label, r, isHTML)
	if one {
		return all[min(n, len(all)-1):][:1]
	}
	return all
}

// Nth is a label for one of the [Readings] of the text that label declares; 0 is the first.
func Nth(label string, n int) string { return label + "#" + strconv.Itoa(n) }

func cutNth(label string) (base string, n int, one bool) {
	base, digits, one := strings.Cut(label, "#")
	if one {
		n, _ = strconv.Atoi(digits)
	}
	return base, max(n, 0), one
}

func readings(label string, r *bufio.Reader, isHTML bool) []encoding.Encoding {
	if label = cleanLabel(label); label == "" && isHTML {
		head, _ := r.Peek(headSize)
		label = metaLabel(head)
	}
	declared := ByName(label)
	if declared == nil {
		declared = lenient
	}
	var all []encoding.Encoding
	start, _ := r.Peek(4)
	if marked := byMark(start); marked != nil {
		all = append(all, marked)
	}
	all = append(all, declared)
	switch {
	case declared == utf16LE && !strings.HasSuffix(label, "le"):
		all = append(all, utf16BE, lenient)
	case declared == utf32LE && !strings.HasSuffix(label, "le"):
		all = append(all, utf32BE, lenient)
	case foreign[declared] || switching[declared]:
		all = append(all, lenient)
	case declared != lenient && plainlyUTF8(r):
		all = append(all, lenient)
	}
	if foreign[declared] && all[0] == declared {
		if head, _ := r.Peek(headSize / 2); plainlyASCII(head) {
			all = append([]encoding.Encoding{lenient}, all...)
		}
	}
	return distinct(all)
}

// distinct leaves the first of each.
func distinct(all []encoding.Encoding) []encoding.Encoding {
	var once []encoding.Encoding
	for _, e := range all {
		if !slices.Contains(once, e) {
			once = append(once, e)
		}
	}
	return once
}

// byMark is the encoding that a byte order mark tells, nil without one.
func byMark(start []byte) encoding.Encoding {
	switch {
	case bytes.HasPrefix(start, []byte{0xff, 0xfe, 0, 0}):
		return utf32LE
	case bytes.HasPrefix(start, []byte{0, 0, 0xfe, 0xff}):
		return utf32BE
	case bytes.HasPrefix(start, []byte{0xfe, 0xff}):
		return utf16BE
	case bytes.HasPrefix(start, []byte{0xff, 0xfe}):
		return utf16LE
	case bytes.HasPrefix(start, []byte{0xef, 0xbb, 0xbf}):
		return lenient
	}
	return nil
}

// metaLabel is the charset that HTML declares in its first octets, "" for none.
func metaLabel(head []byte) string {
	_, label, _ := htmlcharset.DetermineEncoding(head, "")
	switch label {
	case "windows-1252": // also its answer for "no idea"
		return ""
	case "replacement": // for what browsers refuse to decode, and mail programs do not
		_, label, _ := strings.Cut(strings.ToLower(string(head)), "charset")
		label = strings.TrimLeft(label, " \t\r\n=\"'")
		return label[:max(0, strings.IndexAny(label+">", " \t\r\n\"';/>"))]
	}
	return label
}

// foreign are encodings in which no text looks like ASCII, switching those in which octets of ASCII
// may mean something else. iso-2022-jp, which all programs know, is none of them: read as ASCII,
// honest mail would be full of chance words.
var (
	foreign = map[encoding.Encoding]bool{
		utf16LE: true, utf16BE: true, utf32LE: true, utf32BE: true,
		octets{charmap.CodePage037}: true, octets{charmap.CodePage1047}: true, octets{charmap.CodePage1140}: true,
	}
	switching = map[encoding.Encoding]bool{
		utf7: true, iso2022KR: true, iso2022CN: true, simplifiedchinese.HZGB2312: true,
	}
)

// plainlyASCII tells text that can't be UTF-16 or EBCDIC, whatever is declared: in UTF-16 line ends
// and the letters of most scripts have zero octets, in EBCDIC most are outside ASCII. A few Chinese
// characters alone can look like ASCII.
func plainlyASCII(head []byte) bool {
	for _, c := range head {
		if c >= 0x7f || c < ' ' && !strings.ContainsRune("\t\n\v\f\r", rune(c)) {
			return false
		}
	}
	return len(head) >= 16 || bytes.Contains(head, []byte("\r\n"))
}

// plainlyUTF8 tells text that is UTF-8, whatever is declared: in other charsets that comes by
// chance in a few characters only.
func plainlyUTF8(r *bufio.Reader) bool {
	head, _ := r.Peek(headSize)
	if i := len(head) - 1; len(head) == headSize { // the last character may be cut
		for i > 0 && !utf8.RuneStart(head[i]) {
			i--
		}
		head = head[:i]
	}
	return ASCIIRun(head) < len(head) && utf8.Valid(head)
}

// Decode decodes the octets of a short text, such as a name, by the first of its [Readings].
func Decode(label, s string) string {
	return DecodeAll(label, s)[0]
}

// DecodeAll decodes the octets of a short text by each of its [Readings]: different texts, the
// likeliest first.
func DecodeAll(label, s string) []string {
	if base, _, _ := cutNth(label); utf8.ValidString(s) && (base == "" || ByName(base) == lenient) {
		return []string{s}
	}
	r := bufio.NewReaderSize(strings.NewReader(s), headSize)
	var all []string
	for _, e := range Readings(label, r, false) {
		text, err := e.NewDecoder().String(s)
		if err != nil {
			text = strings.ToValidUTF8(s, "\ufffd")
		}
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}
