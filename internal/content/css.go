package content

import (
	"regexp"
	"strconv"
	"strings"

	"mailweir/internal/transfer"
)

// maxStyle is the most octets of one list of declarations that are looked at.
const maxStyle = 4096

// declarations gives a list of declarations in plain form.
func declarations(text []byte) string { return plainCSS(string(text[:min(len(text), maxStyle)])) }

// plainCSS gives CSS in lower case without comments, white space and escapes (CSS Syntax section
// 4.3.7). An escaped sign stands for a letter of a name, and is none of those that CSS looks for,
// so it becomes a backslash.
func plainCSS(s string) string {
	var b strings.Builder
	for s != "" {
		before, after, found := strings.Cut(s, "/*")
		for before != "" {
			n := 1
			switch c := before[0]; {
			case c == '\\':
				c, n = cssEscape(before)
				b.WriteByte(c)
			case c > ' ':
				b.WriteByte(c)
			}
			before = before[n:]
		}
		if !found {
			break
		}
		_, s, _ = strings.Cut(after, "*/")
	}
	return strings.ToLower(b.String())
}

// cssEscape decodes the escape at the beginning of s, n octets of it: a backslash with up to six
// hexadecimal digits and a blank, or with the character itself.
func cssEscape(s string) (c byte, n int) {
	n = 1
	for n < len(s) && n <= 6 && transfer.Hex(s[n]) >= 0 {
		n++
	}
	code := uint64('\\')
	switch {
	case n > 1:
		code, _ = strconv.ParseUint(s[1:n], 16, 32)
		if n < len(s) && s[n] <= ' ' {
			n++
		}
	case n < len(s):
		code = uint64(s[n])
		n++
	}
	if c = byte(code); code < 0x80 && (c == '-' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z') {
		return c, n
	}
	return '\\', n
}

var inlineRule = regexp.MustCompile(`(?:^|;)display:(?:inline|contents)(?:[;!]|$)`)

// inlineStyle tells whether CSS declarations, made plain, show a block as if it were none.
func inlineStyle(style string) bool {
	return strings.Contains(style, "display:") && inlineRule.MatchString(style)
}

// inlineBlocks follows the block elements that a style shows as if they were none: neither their
// start nor their end separates words. For each name it has one bit for each open element of that
// name, the innermost lowest, and a one above them.
type inlineBlocks map[string]uint64

// open notes a start tag, and tells whether the element is inline.
func (b *inlineBlocks) open(name string, inline bool) bool {
	bits, known := (*b)[name]
	if !inline && !known || !blocks[name] || voids[name] || bits >= 1<<62 {
		return false
	}
	if !known {
		if *b == nil {
			*b = inlineBlocks{}
		}
		bits = 1
	}
	bits <<= 1
	if inline {
		bits |= 1
	}
	(*b)[name] = bits
	return inline
}

// close notes an end tag, and tells whether the element was inline.
func (b inlineBlocks) close(name string) bool {
	bits, known := b[name]
	if !known {
		return false
	}
	if b[name] = bits >> 1; bits>>1 == 1 {
		delete(b, name)
	}
	return bits&1 == 1
}
