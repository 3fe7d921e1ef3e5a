package sendmail

import (
	"fmt"
	"strings"
)

// Call is a macro of m4 with its arguments, as INPUT_MAIL_FILTER(`mailweir', `S=…').
type Call struct {
	Name string
	// Args are its arguments without their quotes; what they would expand to is not worked out.
	Args []string
	// Line is where it begins, counted from 1. Text[Start:End] is the call as it stands, from the
	// first letter of its name to behind its closing parenthesis.
	Line, Start, End int
}

// Arg is an argument, "" where the call has fewer.
func (c Call) Arg(i int) string {
	if i < len(c.Args) {
		return c.Args[i]
	}
	return ""
}

// ParseMC finds the calls of an mc file that m4 would make when it reads it: not those in comments
// (dnl to the end of the line, # too) and not those within the arguments of others. changequote is
// not understood; mc files have no use for it.
func ParseMC(text string) (calls []Call, err error) {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '#':
			i = lineEnd(text, i)
		case c == '`':
			if _, i, err = quoted(text, i); err != nil {
				return calls, err
			}
		case isWord(c):
			word := wordAt(text, i)
			after := i + len(word)
			if word == "dnl" {
				i = lineEnd(text, i)
				continue
			}
			if after >= len(text) || text[after] != '(' {
				i = after
				continue
			}
			args, end, err := arguments(text, after)
			if err != nil {
				return calls, err
			}
			calls = append(calls, Call{Name: word, Args: args, Line: lineOf(text, i), Start: i, End: end})
			i = end
		default:
			i++
		}
	}
	return calls, nil
}

// arguments reads those that begin at the parenthesis text[open].
func arguments(text string, open int) (args []string, end int, err error) {
	var arg strings.Builder
	depth := 0
	blank := true // blanks in front of an argument are no part of it
	for i := open; i < len(text); {
		c := text[i]
		switch {
		case c == '`':
			inner, after, err := quoted(text, i)
			if err != nil {
				return nil, 0, err
			}
			arg.WriteString(inner)
			i, blank = after, false
			continue
		case c == '#':
			end := lineEnd(text, i)
			arg.WriteString(text[i:end])
			i = end
			continue
		case c == '(':
			if depth++; depth > 1 {
				arg.WriteByte(c)
			}
		case c == ')':
			if depth--; depth == 0 {
				return append(args, arg.String()), i + 1, nil
			}
			arg.WriteByte(c)
		case c == ',' && depth == 1:
			args = append(args, arg.String())
			arg.Reset()
			blank = true
			i++
			continue
		case blank && strings.IndexByte(" \t\r\n", c) >= 0:
		case isWord(c):
			word := wordAt(text, i)
			if word == "dnl" {
				i = lineEnd(text, i)
				continue
			}
			arg.WriteString(word)
			i, blank = i+len(word), false
			continue
		default:
			arg.WriteByte(c)
		}
		blank = blank && (c == '(' && depth == 1 || strings.IndexByte(" \t\r\n", c) >= 0)
		i++
	}
	return nil, 0, fmt.Errorf("line %d: the parenthesis is not closed", lineOf(text, open))
}

// quoted reads `text', which may have quotes within.
func quoted(text string, open int) (inner string, end int, err error) {
	depth := 0
	for i := open; i < len(text); i++ {
		switch text[i] {
		case '`':
			depth++
		case '\'':
			if depth--; depth == 0 {
				return text[open+1 : i], i + 1, nil
			}
		}
	}
	return "", 0, fmt.Errorf("line %d: the quote ` is not closed by '", lineOf(text, open))
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func wordAt(text string, i int) string {
	end := i
	for end < len(text) && isWord(text[end]) {
		end++
	}
	return text[i:end]
}

// lineEnd is behind the end of the line.
func lineEnd(text string, i int) int {
	if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
		return i + n + 1
	}
	return len(text)
}

func lineOf(text string, i int) int { return 1 + strings.Count(text[:i], "\n") }
