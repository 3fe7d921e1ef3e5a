package table

import (
	"errors"
	"fmt"
	"strings"
)

// template is the right-hand side of a pattern: text with $1, ${1} or $(1) for what a group
// matched, $$ for a dollar.
type template []templatePart

// templatePart is a text, or when group > 0 what that group matched.
type templatePart struct {
	text  string
	group int
}

func parseTemplate(s string, groups int) (template, error) {
	var parts template
	literal := func(text string) {
		if n := len(parts); n > 0 && parts[n-1].group == 0 {
			parts[n-1].text += text
		} else {
			parts = append(parts, templatePart{text: text})
		}
	}
	for s != "" {
		before, after, found := strings.Cut(s, "$")
		if before != "" {
			literal(before)
		}
		if !found {
			break
		}
		if strings.HasPrefix(after, "$") {
			literal("$")
			s = after[1:]
			continue
		}
		name, rest, err := templateName(after)
		if err != nil {
			return nil, err
		}
		group := 0
		for i := 0; i < len(name) && group <= groups; i++ {
			if name[i] < '0' || name[i] > '9' {
				return nil, fmt.Errorf("$%s: only $1, $2 and so on can be used", name)
			}
			group = 10*group + int(name[i]-'0')
		}
		if group < 1 || group > groups {
			return nil, fmt.Errorf("$%s: the pattern has %d groups (write $$ for a dollar)", name, groups)
		}
		parts = append(parts, templatePart{group: group})
		s = rest
	}
	return parts, nil
}

// templateName reads what follows a dollar; names are of letters, digits and underscores.
func templateName(s string) (name, rest string, err error) {
	if s != "" && (s[0] == '{' || s[0] == '(') {
		closing := "}"
		if s[0] == '(' {
			closing = ")"
		}
		name, rest, found := strings.Cut(s[1:], closing)
		if !found {
			return "", "", fmt.Errorf("$%s: no closing %q", s, closing)
		}
		return name, rest, emptyName(name)
	}
	end := 0
	for end < len(s) && (isAlnum(s[end]) || s[end] == '_') {
		end++
	}
	return s[:end], s[end:], emptyName(s[:end])
}

func emptyName(name string) error {
	if name == "" {
		return errors.New("a dollar with nothing after it (write $$ for a dollar)")
	}
	return nil
}

// fixed is how many octets at the beginning of the value are the administrator's own.
func (t template) fixed() int {
	if len(t) == 0 || t[0].group > 0 {
		return 0
	}
	return len(t[0].text)
}

// isLiteral tells whether no group is used.
func (t template) isLiteral() bool {
	return len(t) == 0 || (len(t) == 1 && t[0].group == 0)
}

// expand fills in the groups, which group returns.
func (t template) expand(group func(int) string) string {
	if t.isLiteral() {
		if len(t) == 0 {
			return ""
		}
		return t[0].text
	}
	var b strings.Builder
	for _, part := range t {
		if part.group > 0 {
			b.WriteString(group(part.group))
		} else {
			b.WriteString(part.text)
		}
	}
	return b.String()
}
