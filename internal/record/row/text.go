package row

import "strings"

// Part returns the longest part of a text to search for that stands unchanged, letters' case aside,
// wherever the text stands in Rest, Shown or another column: ASCII that JSON does not escape. It is
// "" where there is none. A store looks for it first, and [record.Query.Match] decides.
func Part(text string) string {
	longest := ""
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r) }) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

// Like is a pattern of SQL's LIKE for a part, with \ as the escape.
func Like(part string) string {
	return "%" + likeEscaper.Replace(part) + "%"
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
