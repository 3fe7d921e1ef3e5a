package css

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tdewolff/parse/v2"
	lexer "github.com/tdewolff/parse/v2/css"
)

// token is one token of CSS. Names have no escapes left: in lower case where CSS ignores case,
// which is everywhere but in names of classes, ids and custom properties.
type token struct {
	kind lexer.TokenType
	text string
	raw  string // as written, without escapes: names of classes and ids, strings
}

// end is what comes after the last token.
const end = lexer.ErrorToken

// is tells a delimiter or punctuation by its text.
func (t token) is(text string) bool {
	return t.text == text && t.kind != lexer.IdentToken && t.kind != lexer.StringToken
}

func (t token) ident(name string) bool { return t.kind == lexer.IdentToken && t.text == name }

func (t token) blank() bool { return t.kind == lexer.WhitespaceToken }

// stream gives tokens one by one, comments left out.
type stream struct {
	lex  *lexer.Lexer
	back []token // read again first, the last one before the others
}

func newStream(src string) *stream {
	return &stream{lex: lexer.NewLexer(parse.NewInputString(src))}
}

func (s *stream) next() token {
	if n := len(s.back); n > 0 {
		t := s.back[n-1]
		s.back = s.back[:n-1]
		return t
	}
	for {
		switch kind, data := s.lex.Next(); kind {
		case lexer.CommentToken:
		case lexer.UnicodeRangeToken: // `u+b` is two selectors, and nothing here needs such a range
			var rest []token
			for in := newStream(string(data[2:])); ; {
				t := in.next()
				if t.kind == end {
					break
				}
				rest = append(rest, t)
			}
			slices.Reverse(rest)
			s.back = append(rest, token{kind: lexer.DelimToken, text: "+", raw: "+"})
			return token{kind: lexer.IdentToken, text: "u", raw: "u"}
		default:
			return makeToken(kind, data)
		}
	}
}

func (s *stream) unread(t token) { s.back = append(s.back, t) }

func makeToken(kind lexer.TokenType, data []byte) token {
	raw := string(data)
	switch kind {
	case lexer.WhitespaceToken:
		return token{kind: kind, text: " ", raw: " "}
	case lexer.HashToken, lexer.AtKeywordToken:
		raw = raw[1:]
	case lexer.FunctionToken:
		raw = strings.TrimSuffix(raw, "(")
	case lexer.StringToken:
		if n := len(raw); n > 1 && raw[n-1] == raw[0] {
			raw = raw[:n-1]
		}
		raw = raw[1:]
	}
	raw = unescape(raw)
	return token{kind: kind, text: strings.ToLower(raw), raw: raw}
}

// unescape undoes the escapes of CSS (CSS Syntax 3, section 4.3.7): a backslash with up to six
// hexadecimal digits and a blank, or with the character itself.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for s != "" {
		before, after, found := strings.Cut(s, `\`)
		b.WriteString(before)
		if s = after; !found || s == "" {
			break
		}
		n := 0
		for n < min(6, len(s)) && strings.IndexByte("0123456789abcdefABCDEF", s[n]) >= 0 {
			n++
		}
		if n == 0 {
			_, n = utf8.DecodeRuneInString(s)
			b.WriteString(s[:n])
			s = s[n:]
			continue
		}
		code, _ := strconv.ParseUint(s[:n], 16, 32)
		if code == 0 || code > utf8.MaxRune {
			code = utf8.RuneError
		}
		b.WriteRune(rune(code))
		if s = s[n:]; s != "" && s[0] <= ' ' {
			s = s[1:]
		}
	}
	return b.String()
}
