package content

import (
	"net/url"
	"strings"

	"mailweir/internal/charset"
	"mailweir/internal/encodedword"
)

// partHeader is what a part's header says about its body. Of a field that stands twice the first
// counts, as in most mail readers.
type partHeader struct {
	mediaType   string // lower case, "" when absent
	params      map[string]string
	encoding    string // Content-Transfer-Encoding, lower case
	disposition string
	dispParams  map[string]string
	seen        map[string]bool
}

// set takes one unfolded field.
func (h *partHeader) set(name, value string) {
	if len(name) < 7 || !strings.EqualFold(name[:7], "content") {
		return
	}
	key := strings.ToLower(name)
	if h.seen[key] {
		return
	}
	switch key {
	case "content-type":
		h.mediaType, h.params = parseParams(value)
	case "content-transfer-encoding":
		h.encoding = transferEncoding(value)
	case "content-disposition":
		h.disposition, h.dispParams = parseParams(value)
	default:
		return
	}
	if h.seen == nil {
		h.seen = map[string]bool{}
	}
	h.seen[key] = true
}

// transferEncoding reads the one word of the field, with what mail readers overlook: quotes, and
// parameters that it does not have.
func transferEncoding(value string) string {
	value, _ = cutUnquoted(stripComments(value))
	if words := strings.Fields(strings.Trim(value, " \t\"")); len(words) > 0 {
		return strings.ToLower(words[0])
	}
	return ""
}

// filename is the name that a mail reader offers, decoded; "" when there is none.
func (h *partHeader) filename() string {
	if name := h.dispParams["filename"]; name != "" {
		return encodedword.Decode(name)
	}
	return encodedword.Decode(h.params["name"])
}

// attached says whether a mail reader shows the part as an attachment and not as text of the
// message.
func (h *partHeader) attached() bool {
	return h.disposition == "attachment" || h.filename() != ""
}

// maxParams bounds the parameters of one field.
const maxParams = 64

// parseParams reads `value; name=value; …` (RFC 2045 section 5.1, RFC 2231) as mail readers do:
// faults cost the one parameter that has them.
func parseParams(field string) (value string, params map[string]string) {
	field = stripComments(field)
	value, rest := cutUnquoted(field)
	value = strings.ToLower(strings.TrimSpace(value))
	params = map[string]string{}
	pieces := map[string][]piece2231{}
	for count := 0; rest != "" && count < maxParams; count++ {
		var one string
		one, rest = cutUnquoted(rest)
		name, val, ok := strings.Cut(one, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" {
			continue
		}
		val = unquote(strings.TrimSpace(val))
		base, number, extended := name2231(name)
		if number < 0 && !extended {
			if _, twice := params[name]; !twice {
				params[name] = val
			}
			continue
		}
		pieces[base] = append(pieces[base], piece2231{max(number, 0), extended, val})
	}
	for name, list := range pieces {
		params[name] = join2231(list)
	}
	return value, params
}

// cutUnquoted splits at the first semicolon outside quotes.
func cutUnquoted(s string) (first, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	if i := strings.IndexByte(s, ';'); quoted && i >= 0 { // a quote that never closes: take it as a letter
		return s[:i], s[i+1:]
	}
	return s, ""
}

// unquote undoes a quoted-string (RFC 5322 section 3.2.4).
func unquote(s string) string {
	if len(s) < 1 || s[0] != '"' {
		return s
	}
	s = strings.TrimSuffix(s[1:], `"`)
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		// Some senders write Windows paths: a backslash counts only before a quote or another one.
		if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\') {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// stripComments removes comments in parentheses outside quotes (RFC 5322 section 3.2.2).
func stripComments(s string) string {
	if !strings.Contains(s, "(") {
		return s
	}
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			if depth == 0 {
				b.WriteString(s[i : i+2])
			}
			i++
			continue
		case c == '"' && depth == 0:
			quoted = !quoted
		case c == '(' && !quoted:
			depth++
			continue
		case c == ')' && !quoted && depth > 0:
			depth--
			continue
		}
		if depth == 0 {
			b.WriteByte(c)
		}
	}
	if depth > 0 || quoted { // never closed: the parenthesis is a letter
		return s
	}
	return b.String()
}

// piece2231 is one section of a parameter value (RFC 2231 section 3).
type piece2231 struct {
	number   int
	extended bool
	value    string
}

// name2231 splits `name*3*` into its base, its number (-1 without) and whether the value is
// percent-encoded.
func name2231(name string) (base string, number int, extended bool) {
	base, extended = strings.CutSuffix(name, "*")
	star := strings.LastIndexByte(base, '*')
	if star < 0 {
		return base, -1, extended
	}
	number = 0
	for _, c := range base[star+1:] {
		if c < '0' || c > '9' || number > maxParams {
			return base, -1, extended
		}
		number = number*10 + int(c-'0')
	}
	return base[:star], number, extended
}

// join2231 puts the sections in order and decodes them; the charset stands in the first.
func join2231(list []piece2231) string {
	ordered := make([]*piece2231, maxParams*11)
	for i := range list {
		if n := list[i].number; ordered[n] == nil {
			ordered[n] = &list[i]
		}
	}
	var raw strings.Builder
	label := ""
	first := true
	for _, p := range ordered {
		if p == nil {
			continue
		}
		value := p.value
		if p.extended {
			if first {
				if parts := strings.SplitN(value, "'", 3); len(parts) == 3 {
					label, value = parts[0], parts[2]
				}
			}
			if decoded, err := url.PathUnescape(value); err == nil {
				value = decoded
			}
		}
		first = false
		raw.WriteString(value)
	}
	return charset.Decode(label, raw.String())
}
