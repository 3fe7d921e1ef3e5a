package ldap

import (
	"errors"
	"fmt"
	"strings"
)

// Postfix hands its filters to libldap, which takes more than RFC 4515 has: no parentheses around a
// single condition, blanks between filters, the escapes of LDAP 2. Here a filter is read as libldap
// reads it, and written as the RFC, and go-ldap, want it.

// maxFilterDepth bounds how deeply filters are nested.
const maxFilterDepth = 100

var errParentheses = errors.New("the parentheses do not match")

// normalFilter returns a filter in the form of RFC 4515, with everything escaped that is no plain
// letter, digit or sign in a value.
func normalFilter(text string) (string, error) {
	var b strings.Builder
	rest, err := appendFilter(&b, text, 0)
	if err == nil && strings.TrimLeft(rest, " ") != "" {
		err = errParentheses
	}
	if err != nil {
		return "", err
	}
	return b.String(), nil
}

// appendFilter reads the filter at the beginning of a text and returns what follows.
func appendFilter(b *strings.Builder, text string, depth int) (rest string, err error) {
	text = strings.TrimLeft(text, " ")
	switch {
	case depth > maxFilterDepth:
		return "", errors.New("it is nested too deeply")
	case text == "":
		return "", errors.New("it is empty")
	case text[0] != '(':
		return "", appendCondition(b, text)
	}
	inner, rest, ok := balanced(text[1:])
	if !ok {
		return "", errParentheses
	}
	inner = strings.TrimLeft(inner, filterSpace)
	switch {
	case inner == "":
		return "", errors.New("a pair of parentheses is empty")
	case inner[0] == '&' || inner[0] == '|':
		err = appendList(b, inner[:1], inner[1:], depth)
	case inner[0] == '!':
		err = appendNot(b, inner[1:], depth)
	default:
		err = appendCondition(b, inner)
	}
	return rest, err
}

const filterSpace = " \t\n"

func appendList(b *strings.Builder, operator, filters string, depth int) (err error) {
	b.WriteString("(" + operator)
	for filters = strings.TrimLeft(filters, filterSpace); filters != ""; filters = strings.TrimLeft(filters, filterSpace) {
		if filters[0] != '(' {
			return errParentheses
		}
		if filters, err = appendFilter(b, filters, depth+1); err != nil {
			return err
		}
	}
	b.WriteString(")")
	return nil
}

func appendNot(b *strings.Builder, filter string, depth int) error {
	b.WriteString("(!")
	filter = strings.TrimLeft(filter, filterSpace)
	if !strings.HasPrefix(filter, "(") {
		return errParentheses
	}
	rest, err := appendFilter(b, filter, depth+1)
	if err == nil && rest != "" {
		err = errParentheses
	}
	b.WriteString(")")
	return err
}

// balanced returns what stands before the parenthesis that closes one before the text, and what
// stands behind it.
func balanced(text string) (inside, rest string, ok bool) {
	depth := 1
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return text[:i], text[i+1:], true
			}
		}
	}
	return "", "", false
}

// appendCondition reads attribute, operator and value.
func appendCondition(b *strings.Builder, text string) error {
	left, value, found := strings.Cut(text, "=")
	if !found || left == "" {
		return fmt.Errorf("%q is no condition, such as mail=%%s", text)
	}
	operator := "="
	if last := left[len(left)-1]; strings.IndexByte("<>~:", last) >= 0 {
		operator, left = string(last)+"=", left[:len(left)-1]
	}
	var err error
	if operator == ":=" {
		left, err = extended(left)
	} else if !isDescription(left) {
		err = fmt.Errorf("%q is no attribute", left)
	}
	b.WriteString("(" + left + operator)
	switch {
	case err != nil:
	case operator == "=" && value == "*":
		b.WriteString("*")
	case operator == "=":
		err = appendSubstrings(b, value)
	default:
		err = appendValue(b, value)
	}
	b.WriteString(")")
	return err
}

// extended checks what stands before ":=", which is ATTRIBUTE[:dn][:RULE] or [:dn]:RULE, and
// returns it with a small "dn".
func extended(left string) (string, error) {
	words := strings.Split(left, ":")
	attribute, rules := words[0], words[1:]
	if len(rules) > 0 && strings.EqualFold(rules[0], "dn") {
		attribute, rules = attribute+":dn", rules[1:]
	}
	switch {
	case len(rules) > 1,
		len(rules) == 1 && !isOID(rules[0]),
		words[0] != "" && !isDescription(words[0]),
		words[0] == "" && len(rules) == 0:
		return "", fmt.Errorf("%q is no attribute with a matching rule", left)
	case len(rules) == 1:
		return attribute + ":" + rules[0], nil
	}
	return attribute, nil
}

// appendSubstrings reads a value in which "*" stands for anything.
func appendSubstrings(b *strings.Builder, value string) error {
	parts := strings.Split(value, "*") // an escape is never before a star of its own: \2a, or LDAP 2's \*
	for i := 0; i < len(parts); i++ {
		part := parts[i]
		for endsInEscape(part) && i+1 < len(parts) {
			i++
			part += "*" + parts[i]
		}
		if i == len(parts)-1 && len(parts) > 1 && part == "" {
			break // nothing behind the last star
		}
		if part == "" && i > 0 {
			return errors.New(`"**" stands in a value`)
		}
		if err := appendValue(b, part); err != nil {
			return err
		}
		if i < len(parts)-1 {
			b.WriteByte('*')
		}
	}
	return nil
}

// endsInEscape reports whether a text ends in a backslash that is not itself escaped.
func endsInEscape(text string) bool {
	return (len(text)-len(strings.TrimRight(text, `\`)))%2 == 1
}

// appendValue reads a value, with escapes of LDAP 3 (\2a) and 2 (\*), and writes it.
func appendValue(b *strings.Builder, value string) error {
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch c {
		case '(', ')', '*':
			return fmt.Errorf("a bare %q stands in a value", c)
		case '\\':
			if i+2 < len(value) && isHex(value[i+1]) && isHex(value[i+2]) {
				c = unhex(value[i+1])<<4 | unhex(value[i+2])
				i += 2
			} else if i+1 < len(value) && strings.IndexByte(`()*\`, value[i+1]) >= 0 {
				c = value[i+1]
				i++
			} else {
				return errors.New("a backslash stands in a value without two hexadecimal digits behind it")
			}
		}
		if isPlain(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(b, `\%02x`, c)
		}
	}
	return nil
}

func isPlain(c byte) bool {
	return isAlpha(c) || isDigit(c) || strings.IndexByte("@._+-=,: /", c) >= 0
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isHex(c byte) bool   { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// isDescription reports whether a text is the name of an attribute or its OID, with options.
func isDescription(text string) bool {
	words := strings.Split(text, ";")
	for _, option := range words[1:] {
		if option == "" || !isName(option) {
			return false
		}
	}
	return isOID(words[0])
}

// isOID reports whether a text is a name, or numbers with dots between.
func isOID(text string) bool {
	switch {
	case text == "":
		return false
	case isAlpha(text[0]):
		return isName(text)
	}
	for _, number := range strings.Split(text, ".") {
		if number == "" || strings.Trim(number, "0123456789") != "" {
			return false
		}
	}
	return true
}

func isName(text string) bool {
	for i := range len(text) {
		if !isAlpha(text[i]) && !isDigit(text[i]) && text[i] != '-' {
			return false
		}
	}
	return true
}
