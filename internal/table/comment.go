package table

import "strings"

// withoutComment is a right-hand side of a file without the comment behind it. Postfix knows none
// there, so this is for lists of flags only: [Table.Lookup] answers as postmap does.
//
// A comment begins with a # behind white space. One with a digit after it belongs to the text, as
// in "see ticket #12", unless there is no text: behind OK, REJECT or a code alone it begins a
// comment all the same.
func withoutComment(value string) string {
	for from := 0; ; {
		i := strings.IndexByte(value[from:], '#')
		if i < 0 {
			return value
		}
		if i += from; isComment(value, i) {
			return strings.TrimRight(value[:i], whiteSpace)
		}
		from = i + 1
	}
}

// isComment reports whether the # at i begins a comment.
func isComment(value string, i int) bool {
	if i > 0 && strings.IndexByte(whiteSpace, value[i-1]) < 0 {
		return false
	}
	if i+1 == len(value) || value[i+1] < '0' || value[i+1] > '9' {
		return true
	}
	return isBareAction(value[:i])
}

// isBareAction reports whether it is an action without a text.
func isBareAction(value string) bool {
	word, rest := cutWord(strings.TrimRight(value, whiteSpace))
	if rest != "" && !isEnhanced(rest) {
		return false
	}
	switch strings.ToUpper(word) {
	case "", "OK", "DUNNO", "REJECT", "DEFER":
		return true
	}
	return isReplyCode(word)
}

// uncommented takes the comment off what a table of a file has answered.
func (m *Match) uncommented() {
	if m.filled {
		m.Value = m.Value[:len(m.Value)-m.comment]
	} else {
		m.Value = withoutComment(m.Value)
	}
	m.fixed = min(m.fixed, len(m.Value))
}
