package importing

import (
	"regexp"
	"slices"
	"strings"

	"mailweir/internal/mta/postfix"
)

// masks hides what must not be shown of the old configuration: passwords in the parameters of
// tables, and the secrets that the sources know.
type masks struct{ secrets []*regexp.Regexp }

// shortestSecret is how long a secret is at least that is looked for: a word such as "a" would be
// found all over.
const shortestSecret = 6

func newMasks(all []Read) *masks {
	m := &masks{}
	for _, r := range all {
		if r.Result == nil {
			continue
		}
		for _, secret := range r.Result.Secrets {
			if len(secret) >= shortestSecret {
				m.secrets = append(m.secrets, regexp.MustCompile("(?i)"+regexp.QuoteMeta(secret)))
			}
		}
	}
	return m
}

// text is one as it may be shown.
func (m *masks) text(text string) string {
	text = postfix.Masked(text)
	for _, secret := range m.secrets {
		text = secret.ReplaceAllLiteralString(text, "…")
	}
	return text
}

// items hides it in items. Those of the ledger may be of a run that hid nothing.
func (m *masks) items(items []Item) []Item {
	items = slices.Clone(items)
	for i := range items {
		items[i].Text, items[i].Reason = m.text(items[i].Text), m.text(items[i].Reason)
	}
	return items
}

// has reports whether a text has something that is hidden.
func (m *masks) has(text string) bool { return m.text(text) != text }

// words are those of several restrictions, for a sentence.
func (m *masks) words(removed [][]string) string {
	var all []string
	for _, w := range removed {
		all = append(all, m.text(strings.Join(w, " ")))
	}
	return strings.Join(all, ", ")
}
