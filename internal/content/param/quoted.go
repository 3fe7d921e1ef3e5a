package param

import "strings"

// paramValues are the ways in which mail readers take the value that stands at the start of s, the
// likeliest first.
func paramValues(s string) (values []string) {
	s = strings.TrimLeft(s, " \t")
	add := func(value string) { values = addValue(values, value) }
	if !strings.HasPrefix(s, `"`) {
		whole, _, _ := strings.Cut(s, ";")
		whole = strings.TrimSpace(whole)
		add(whole)
		if all, _ := cutUnquoted(s); strings.Contains(all, `"`) {
			add(strings.TrimSpace(all))
		}
		if strings.Contains(whole, `"`) || strings.HasPrefix(whole, "'") {
			add(withoutQuotes(whole))
		}
		if i := strings.IndexAny(whole, " \t,\"()<>[]"); i > 0 {
			add(whole[:i])
		}
		if len(s) > 3 && strings.EqualFold(s[:3], `3d"`) { // quoted-printable that was never decoded
			for _, value := range paramValues(s[2:]) {
				add(value)
			}
		}
		return values
	}
	inner, tail, closed := cutQuoted(s[1:])
	if !closed { // the quote is a letter, or ends where the parameter does
		first, _, _ := strings.Cut(inner, ";")
		add(unescapeQuotes(strings.TrimSpace(first)))
		add(unescapeQuotes(inner))
		if i := strings.IndexAny(first, " \t"); i > 0 {
			add(first[:i])
		}
	}
	add(unescapeQuotes(inner))
	add(unescapeAll(inner))
	add(inner)
	if first, _, again := strings.Cut(inner, `"`); again {
		add(first)
	}
	tail, _, _ = strings.Cut(tail, ";")
	if tail = strings.TrimSpace(tail); tail != "" {
		add(withoutQuotes(inner + tail))
	}
	return values
}

func withoutQuotes(s string) string { return strings.NewReplacer(`"`, "", `'`, "").Replace(s) }

// cutQuoted splits behind the quote that ends a quoted-string.
func cutQuoted(s string) (inner, tail string, closed bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// unescapeQuotes undoes the quoted pairs of quotes and backslashes only, because some senders write
// Windows paths.
func unescapeQuotes(s string) string {
	return unescape(s, func(c byte) bool { return c == '"' || c == '\\' })
}

// unescapeAll undoes every quoted pair (RFC 5322 section 3.2.1).
func unescapeAll(s string) string { return unescape(s, func(byte) bool { return true }) }

func unescape(s string, pair func(byte) bool) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && pair(s[i+1]) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
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

// StripComments removes comments in parentheses outside quotes (RFC 5322 section 3.2.2).
func StripComments(s string) string {
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

// Word is what a field holds before its parameters, without comments, in lower case.
func Word(field string) string {
	word, _ := cutUnquoted(StripComments(field))
	return strings.ToLower(strings.TrimSpace(word))
}

// MediaType reads `type/subtype` in a Content-Type field, whatever stands around it, in lower case;
// clean if nothing does.
func MediaType(field string) (name string, clean bool) {
	value := Word(field)
	bare := strings.TrimLeft(value, " \t\"'<")
	major, rest, ok := strings.Cut(bare, "/")
	if !ok {
		name = FirstToken(bare)
		return name, name == value
	}
	major = strings.TrimRight(major, " \t")
	if i := strings.LastIndexAny(major, " \t,="); i >= 0 { // words in front
		major = major[i+1:]
	}
	name = FirstToken(major) + "/" + FirstToken(strings.TrimLeft(rest, " \t"))
	return name, name == value
}

// FirstToken is the token at the start of s (RFC 2045 section 5.1).
func FirstToken(s string) string {
	if i := strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`()<>@,;:\"/[]?=`, r) }); i >= 0 {
		return s[:i]
	}
	return s
}
