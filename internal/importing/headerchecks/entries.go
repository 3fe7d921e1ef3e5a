package headerchecks

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/content/match"
	"mailweir/internal/importing"
)

// Names of files.
const (
	blockFile       = Name + "-from"
	patternFile     = Name + "-from.pcre"
	personFile      = Name + "-names"
	attachmentsFile = Name + "-attachments"
)

// writer collects what is written again.
type writer struct {
	inbound bool // only mail from outside is asked about

	definitions []*definition
	from        fromList // addresses of header From
	people      list     // names of persons
	files       list     // names of attachments
	meetings    meetings
}

// list is a table in the making.
type list struct {
	lines []string
	keys  map[string]bool
	from  []importing.Place
}

// add adds a line, unless its key is there.
func (l *list) add(r *rule, key, value string) {
	if l.keys == nil {
		l.keys = map[string]bool{}
	}
	if l.keys[key] {
		return
	}
	l.keys[key] = true
	if at := r.place(); !slices.Contains(l.from, at) {
		l.lines = append(l.lines, "# "+at.String())
		l.from = append(l.from, at)
	}
	l.lines = append(l.lines, key+"\t"+value)
}

// longestEntry is the most octets of an entry of a definition.
const longestEntry = 4000

// entry writes a pattern as an entry of a content definition, with the exceptions from it.
func (w *writer) entry(r *rule, kind string, pattern []*node, exceptions []*rule, also string) {
	text, shown, err := entryText(pattern)
	if err != nil {
		r.left("%s", err)
		return
	}
	for _, s := range exceptions {
		if _, err := s.exclusion(kind); err != nil {
			r.left("%s", errException{err, s, r})
			return
		}
	}
	d := w.definition(kind, r.action == "WARN", exceptions)
	d.add(r, "1\t"+text, len(exceptions))
	if !isASCII(text) {
		also += "; the letters outside ASCII are found encoded and in either case, too"
	}
	reason := fmt.Sprintf("is written as %s in %s", shown, d.name)
	if r.action == "WARN" {
		reason += ", which only records"
	}
	switch {
	case r.action == "REJECT" && r.text != "":
		r.changed("%s%s; %s", reason, also, ownWords)
	case also != "":
		r.changed("%s%s", reason, also)
	default:
		r.carried("%s", reason)
	}
}

// entryText is a pattern as an entry has it, and as it is shown: words where it is some, whole;
// else an expression.
func entryText(pattern []*node) (text, shown string, err error) {
	if words, ok := wholeWords(pattern); ok {
		return words, strconv.Quote(words), nil
	}
	source, err := expression(pattern)
	return "regex " + source, "/" + source + "/", err
}

// expression is a pattern as definitions have it.
func expression(pattern []*node) (string, error) {
	source := print(pattern)
	if rest, found := strings.CutPrefix(source, " "); found {
		source = `\x20` + rest
	}
	if rest, found := strings.CutSuffix(source, " "); found {
		source = rest + `\x20`
	}
	if len(source) > longestEntry {
		return "", errTooLong
	}
	_, err := match.Check(source)
	return source, err
}

// wholeWords knows \bwords of this kind\b.
func wholeWords(pattern []*node) (string, bool) {
	if len(pattern) != 3 || pattern[0].op != boundary || pattern[1].op != literal || pattern[2].op != boundary {
		return "", false
	}
	text := pattern[1].text
	first, _, _ := strings.Cut(text, " ")
	kind := slices.Contains([]string{"required", "exclude", "regex", "hash"}, first)
	return text, !kind && strings.Trim(text, lowerLetters+digits+" ") == "" && strings.TrimSpace(text) == text
}

// fromRule writes a rule for header From into the block list. It is false where the pattern means
// no addresses, or where an exception does.
func (w *writer) fromRule(r *rule, value []*node, exceptions []*rule) bool {
	a, ok := parseAddresses(value)
	return ok && w.from.refuse(r, a, exceptions) == nil
}

// reply is the action for a block list, and whether it has the old text.
func (r *rule) reply() (action string, kept bool) {
	text, kept := r.plainText()
	if text == "" {
		return "REJECT", kept
	}
	return "REJECT " + text, kept
}

// plainText is the text of a rule as a table of mailweir takes it. Kept says that nothing of it is
// lost.
func (r *rule) plainText() (text string, kept bool) {
	text = strings.ReplaceAll(r.text, "$$", "\x00")
	if strings.Contains(text, "$") { // what a group of the old pattern matched
		return "", false
	}
	text = strings.ReplaceAll(text, "\x00", "$")
	if i := strings.Index(" "+text, " #"); i >= 0 { // begins a comment
		return strings.TrimSpace(text[:i]), false
	}
	if isTemporary(text) {
		return "", false
	}
	return text, true
}

// isTemporary knows texts that begin with an enhanced code of another class than the reply's.
func isTemporary(text string) bool {
	return len(text) > 3 && (text[0] == '4' || text[0] == '2') && text[1] == '.' && text[2] >= '0' && text[2] <= '9'
}

// shorten names some keys.
func shorten(keys []string) string {
	const most = 4
	shown := slices.Clone(keys)
	for i, key := range shown {
		if domain, alone := strings.CutPrefix(key, "@"); alone {
			shown[i] = domain + " (without its sub-domains)"
		}
	}
	if len(shown) <= most {
		return strings.Join(shown, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(shown[:most-1], ", "), len(shown)-most+1)
}
