package xml

import (
	"bytes"
	"regexp"

	"golang.org/x/text/encoding/charmap"
)

var encoding = regexp.MustCompile(`^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']\s*([A-Za-z0-9._:-]+)`)

// Encoding is the name of the charset of a document that begins with head, by its first octets and
// its own declaration (XML 1.0 appendix F); "" if they say nothing. A byte order mark is left to
// whoever decodes it.
func Encoding(head []byte) string {
	switch wide := Wide(head); {
	case wide != "":
		return wide
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return "utf-8"
	case bytes.HasPrefix(head, []byte("\x4c\x6f\xa7\x94")): // "<?xm" in EBCDIC
		head, _ = charmap.CodePage037.NewDecoder().Bytes(head)
		if name := declared(head); name != "" {
			return name
		}
		return "ibm037"
	}
	return declared(head)
}

func declared(head []byte) string {
	if m := encoding.FindSubmatch(head); m != nil {
		return string(bytes.ToLower(m[1]))
	}
	return ""
}

// Wide tells UTF-16 by the zero octets of its first two characters, "" for anything else.
func Wide(head []byte) string {
	head = bytes.TrimPrefix(bytes.TrimPrefix(head, []byte("\xff\xfe")), []byte("\xfe\xff"))
	switch {
	case len(head) < 4:
	case head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		return "utf-16le"
	case head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		return "utf-16be"
	}
	return ""
}

// Looks tells what can be nothing but XML by its beginning: a declaration, or an element that
// declares a namespace.
func Looks(head []byte) bool {
	if Wide(head) != "" {
		head = bytes.ReplaceAll(head, []byte{0}, nil)
	}
	if bytes.HasPrefix(head, []byte("\x4c\x6f\xa7\x94")) {
		return true
	}
	for _, mark := range []string{"\ufeff", "\xff\xfe", "\xfe\xff"} {
		head = bytes.TrimPrefix(head, []byte(mark))
	}
	head = bytes.TrimLeft(head, blanks)
	return bytes.HasPrefix(head, []byte("<?xml")) || declaresNamespace(head)
}

const blanks = " \t\r\n"

// declaresNamespace looks at the first element, behind comments and the like. That of HTML is none
// of XML.
func declaresNamespace(head []byte) bool {
	for {
		mark := ">"
		switch {
		case bytes.HasPrefix(head, []byte("<!--")):
			mark = "-->"
		case bytes.HasPrefix(head, []byte("<?")), bytes.HasPrefix(head, []byte("<!")):
		default:
			tag, _, _ := bytes.Cut(head, []byte(">"))
			return len(tag) > 1 && nameStart(tag[1]) && tag[0] == '<' &&
				bytes.Contains(tag, []byte("xmlns")) && !bytes.HasPrefix(bytes.ToLower(tag), []byte("<html"))
		}
		n := bytes.Index(head, []byte(mark))
		if n < 0 {
			return false
		}
		head = bytes.TrimLeft(head[n+len(mark):], blanks)
	}
}
