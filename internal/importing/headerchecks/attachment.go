package headerchecks

import (
	"slices"
	"strings"
)

// attachment notes names of attachments for a table that is proposed. They are refused by their
// fields in any case, as Postfix does; the table finds them in archives, too.
func (w *writer) attachment(r *rule, pattern []*node, f *fieldPattern) (also string) {
	value := pattern
	if len(f.names) > 0 {
		value = f.value
	}
	keys, ok := fileNames(value)
	if r.action != "REJECT" || !ok {
		return ""
	}
	text, _ := r.plainText()
	if text == "" {
		text = "OK"
	}
	for _, key := range keys {
		w.files.add(r, key, text)
	}
	return "; signature-names with " + attachmentsFile + " would find them in archives, too"
}

// mostFiles bounds the names of one pattern.
const mostFiles = 500

// fileNames reads name=".*\.(exe|scr)" and the like.
func fileNames(value []*node) (keys []string, ok bool) {
	value = withoutNameEnd(withoutGaps(value))
	at := slices.IndexFunc(value, func(n *node) bool { return n.op == literal && strings.Contains(n.text, "name") })
	if at < 0 {
		return nil, false
	}
	// The tail that is a few texts, from its first node on.
	from := len(value)
	for from > at+1 {
		if _, few := textsOf(value[from-1:], mostFiles); !few {
			break
		}
		from--
	}
	texts, few := textsOf(value[from:], mostFiles)
	if from == len(value) || !few {
		return nil, false
	}
	loose := value[from-1].isGap() || from-1 == at && strings.HasSuffix(value[at].text, ".")
	for _, text := range texts {
		text = strings.Trim(text, `"' `)
		switch {
		case loose && strings.HasPrefix(text, "=2e"): // as it travels
			continue
		case loose && isExtension(text):
		case !loose && isFileName(text):
		default:
			return nil, false
		}
		if !slices.Contains(keys, text) {
			keys = append(keys, text)
		}
	}
	return keys, len(keys) > 0
}

// withoutNameEnd leaves out what ends a name: a quote, blanks, a semicolon, the end of the field.
func withoutNameEnd(value []*node) []*node {
	value = slices.Clone(value)
	for len(value) > 0 {
		last := value[len(value)-1]
		switch {
		case last.op == end, last.op == class && last.set.within(`"'; >?`), last.op == choice && last.endsName():
		case last.isGap() && last.sub[0].op == anything, last.op == boundary:
		case last.isBlank(), last.isOptional(`"`), last.isOptional("'"), last.isOptional("?="), last.isOptional(";"):
		case last.op == repeat && last.min == 0 && last.sub[0].op == class && last.sub[0].set.within(`"'; >`):
		case last.op == literal && last.text != strings.TrimRight(last.text, `"; `):
			text := strings.TrimRight(last.text, `"; `)
			if text != "" {
				value[len(value)-1] = &node{op: literal, text: text}
				continue
			}
		default:
			return value
		}
		value = value[:len(value)-1]
	}
	return value
}

// endsName knows (;|$) and the like.
func (n *node) endsName() bool {
	return !slices.ContainsFunc(n.sub, func(s *node) bool {
		return s.op != end && !s.isBlank() && (s.op != literal || strings.Trim(s.text, `"; `) != "") && (s.op != class || !s.set.within(`"'; >`))
	})
}

// isExtension knows .exe and .pdf.exe, isFileName invoice.exe.
func isExtension(s string) bool {
	return len(s) > 1 && s[0] == '.' && strings.Count(s, ".") < 3 && isFileName(s[1:]+".x") && !strings.Contains(s, "..")
}

func isFileName(s string) bool {
	return strings.Contains(s, ".") && strings.Trim(s, lowerLetters+digits+"._-") == "" && strings.Trim(s, ".") == s
}
