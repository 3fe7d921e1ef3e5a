package address

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"mailweir/internal/encodedword"
)

// mailboxes yields what looks like an address in a piece of text that brackets, quotes and comments
// no longer structure: in every reading of its encoded words, as it is written and as it is shown.
// With soleWord, a text that is one word without "@", in its likeliest reading, is an address
// without a domain ("From: root").
func mailboxes(text string, soleWord bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, text := range encodedword.Readings(text) {
			soleWord := soleWord && i == 0
			if !plainMailboxes(joinParts(plainSpaces(text)), soleWord, yield) {
				return
			}
			if shown := asShown(text); shown != text && !plainMailboxes(joinParts(plainSpaces(shown)), soleWord, yield) {
				return
			}
			if bare := strings.ReplaceAll(text, `\`, ""); bare != text && !plainMailboxes(joinParts(plainSpaces(bare)), false, yield) {
				return // a quoted pair where none may stand
			}
		}
	}
}

// plainMailboxes yields those of a text in one reading. It returns false when yield does.
func plainMailboxes(text string, soleWord bool, yield func(string) bool) bool {
	if strings.IndexByte(text, '@') < 0 {
		if word := strings.Trim(text, " <"); soleWord && word != "" && len(localRun(word)) == len(word) {
			return yield(word)
		}
		return true
	}
	quoteSeen := 0 // the end of the last quoted string looked at, so that no text is looked at twice
	for i := 0; i < len(text); {
		if text[i] == '@' { // what stands before it is no local part of any grammar
			domain := domainRun(text[i+1:])
			after := text[i+1+len(domain):]
			route := strings.HasPrefix(after, ":") || strings.HasPrefix(after, ",")
			if !route && !yieldDomain("", domain, text[i+1:], yield) {
				return false
			}
			i++
			continue
		}
		local := localRun(text[i:])
		if text[i] == '"' && i >= quoteSeen {
			local = quotedRun(text[i:])
			quoteSeen = i + len(local)
			if end := i + len(local); end == len(text) || text[end] != '@' {
				local = ""
			}
		}
		end := i + len(local)
		if local == "" {
			i++
			continue
		}
		if end == len(text) || text[end] != '@' {
			i = end
			continue
		}
		domain := domainRun(text[end+1:])
		found := text[i : end+1+len(domain)]
		if after := i + len(found); found[0] == '\'' && after < len(text) && text[after] == '\'' {
			found = found[1:] // 'user@example.com' is quoted by a hand that knew no better
		}
		if !yieldDomain(strings.TrimSuffix(found, "@"+domain), domain, text[end+1:], yield) {
			return false
		}
		i = end + 1 // not after the domain: it may be the local part of "a@b@c"
	}
	return true
}

// localRun is the dot-atom at the beginning of s.
func localRun(s string) string {
	i := 0
	for i < len(s) && (isAtext(s[i]) || s[i] == '.') {
		i++
	}
	return s[:i]
}

// quotedRun is the quoted string at the beginning of s, which is the whole of s when it is not
// closed.
func quotedRun(s string) string {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return s[:i+1]
		}
	}
	return s
}

// domainRun is the domain or the address literal at the beginning of s.
func domainRun(s string) string {
	if strings.HasPrefix(s, "[") {
		const longest = len("[IPv6:0000:0000:0000:0000:0000:ffff:255.255.255.255]")
		if end := strings.IndexByte(s[:min(len(s), longest)], ']'); end > 0 {
			return s[:end+1]
		}
		return ""
	}
	i := 0
	for i < len(s) && (s[i] >= utf8.RuneSelf || s[i] == '.' || s[i] == '_' || strings.IndexByte(ldh, s[i]) >= 0) {
		i++
	}
	return strings.TrimRight(s[:i], ".-")
}

// yieldDomain yields an address with the domain that stands at the beginning of text, in both of
// its readings.
func yieldDomain(local, domain, text string, yield func(string) bool) bool {
	if domain == "" {
		return true
	}
	if !yield(local + "@" + domain) {
		return false
	}
	joined := joinDomain(text)
	return joined == "" || yield(local+"@"+joined)
}

// joinDomain is the domain at the beginning of s with the blanks behind its dots left out, which
// RFC 5322 section 4.4 lets stand there, too; "" where there are none. It may as well be that a
// sentence ends.
func joinDomain(s string) string {
	var domain []byte // not a string, which would be copied for each label
	for {
		run := domainRun(s)
		if run == "" {
			return ""
		}
		rest, more := strings.CutPrefix(s[len(run):], ". ")
		if !more && domain == nil {
			return ""
		}
		domain = append(domain, run...)
		if !more {
			return string(domain)
		}
		domain = append(domain, '.')
		s = rest
	}
}

// joinParts takes out the white space that RFC 5322 section 4.4 lets stand in an address: around
// "@" and before a dot, and after a dot that stands alone. "John Q. b@y" has none of it.
func joinParts(s string) string {
	out := make([]byte, 0, len(s))
	var space, joined bool // white space is pending; it was taken out before the last octet, a dot
	for i := range len(s) {
		c := s[i]
		if c == ' ' {
			space = true
			continue
		}
		drop := c == '@' || c == '.' || joined || (len(out) > 0 && out[len(out)-1] == '@')
		if space && !drop {
			out = append(out, ' ')
		}
		joined = space && c == '.'
		space = false
		out = append(out, c)
	}
	return string(out)
}

// plainSpaces makes a space of all that is white or a control, and takes out what has no width: a
// no-break space before an address is not part of it.
func plainSpaces(s string) string {
	if !utf8.ValidString(s) {
		b := []byte(s)
		for i, c := range b {
			if c <= ' ' || c == 0x7f {
				b[i] = ' '
			}
		}
		return string(b)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
}
