package table

import (
	"errors"
	"fmt"
	"strings"
)

// parseInline reads the source of inline:{ key=value, { key = text with spaces }, ... }
// (postconf(5), DATABASE_README). Entries are parted by commas and white space. Unlike in a file
// the last of several entries with one key counts, as in Postfix.
func parseInline(source string) (*hashed, error) {
	body, err := braced(source)
	if err != nil {
		return nil, err
	}
	type entry struct{ key, value string }
	var entries []entry
	for {
		body = strings.TrimLeft(body, ","+whiteSpace)
		if body == "" {
			break
		}
		token := body[:tokenEnd(body)]
		body = body[len(token):]
		if token[0] == '{' {
			if token, err = braced(token); err != nil {
				return nil, err
			}
		}
		key, value, found := strings.Cut(token, "=")
		key, value = strings.Trim(key, whiteSpace), strings.Trim(value, whiteSpace)
		switch {
		case !found || strings.ContainsAny(key, whiteSpace):
			return nil, fmt.Errorf("%q: want key=value", token)
		case key == "":
			return nil, fmt.Errorf("%q has no key", token)
		case value == "":
			return nil, fmt.Errorf("the key %q has no value", key)
		case !validKey(token):
			return nil, fmt.Errorf("%q is not UTF-8", token)
		}
		entries = append(entries, entry{fold(key), value})
	}
	if len(entries) == 0 {
		return nil, errors.New("the table is empty; want {key=value, ...}")
	}
	h := newHashed(len(source))
	for i := len(entries) - 1; i >= 0; i-- {
		h.add(entries[i].key, entries[i].value, 0)
	}
	return h, nil
}

// braced is what stands between an opening brace and the closing one that belongs to it, which must
// be the last character.
func braced(s string) (string, error) {
	if s == "" || s[0] != '{' {
		return "", fmt.Errorf("%q: want {...}", s)
	}
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth > 0 {
				continue
			}
			if i != len(s)-1 {
				return "", fmt.Errorf("%q after %q", s[i+1:], s[:i+1])
			}
			return strings.Trim(s[1:i], whiteSpace), nil
		}
	}
	return "", fmt.Errorf("%q: no closing brace", s)
}

// tokenEnd is where the first comma or white space outside braces is.
func tokenEnd(s string) int {
	depth := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '{':
			depth++
		case c == '}':
			depth--
		case depth <= 0 && strings.IndexByte(","+whiteSpace, c) >= 0:
			return i
		}
	}
	return len(s)
}

var errNoStatic = errors.New("no value; want static:VALUE")

// parseStatic reads the source of static:VALUE, static:{ VALUE WITH SPACES }, and static: alone.
func parseStatic(source string) (constant, error) {
	if strings.HasPrefix(source, "{") {
		value, err := braced(source)
		if err != nil {
			return "", err
		}
		if value == "" {
			return "", errNoStatic
		}
		source = value
	}
	return constant(source), nil
}
