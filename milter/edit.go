package milter

import (
	"strings"

	gomilter "github.com/emersion/go-milter"

	"mailweir/internal/policy"
)

// editActions are what an MTA must grant for each kind of edit.
var editActions = [...]gomilter.OptAction{
	policy.EditAdd:             gomilter.OptAddHeader,
	policy.EditInsert:          gomilter.OptAddHeader,
	policy.EditReplace:         gomilter.OptChangeHeader,
	policy.EditDelete:          gomilter.OptChangeHeader,
	policy.EditQuarantine:      gomilter.OptQuarantine,
	policy.EditRemoveRecipient: gomilter.OptRemoveRcpt,
}

// denied are the edits that the MTA has not granted.
func (t terms) denied() (denied policy.EditKinds) {
	for kind, action := range editActions {
		if t.actions&action == 0 {
			denied |= policy.Kinds(policy.EditKind(kind))
		}
	}
	return denied
}

// edit has the MTA change the message.
func (s *session) edit(edits []policy.Edit, m *gomilter.Modifier) error {
	for _, e := range edits {
		if s.terms.denied().Has(e.Kind) {
			continue // the policy knows; an MTA would take us for broken
		}
		if err := s.send(e, m); err != nil {
			return err
		}
	}
	return nil
}

// send sends one edit. A recipient must be spelt as the MTA did; the library adds the brackets.
func (s *session) send(e policy.Edit, m *gomilter.Modifier) error {
	switch e.Kind {
	case policy.EditAdd:
		return m.AddHeader(e.Name, s.text(e))
	case policy.EditInsert:
		return m.InsertHeader(e.Nth, e.Name, s.text(e))
	case policy.EditReplace:
		return m.ChangeHeader(e.Nth, e.Name, s.text(e))
	case policy.EditDelete:
		return m.ChangeHeader(e.Nth, e.Name, "")
	case policy.EditQuarantine:
		return m.Quarantine(e.Value)
	}
	return m.DeleteRecipient(path(e.Value))
}

// text is what is to stand behind the colon. An MTA that shows it to the octet takes it to the
// octet, too.
func (s *session) text(e policy.Edit) string {
	text := folded(e.Name, e.Value)
	if s.terms.protocol&gomilter.OptHeaderLeadingSpace != 0 {
		return " " + text
	}
	return text
}

// Lengths of lines in a header (RFC 5322 section 2.1.1): what they should be and what they may be
// at most.
const (
	lineLength    = 78
	lineLengthMax = 998
)

// folded breaks a value into lines, where it has blanks: each stays where it is, behind a line end.
// A word that is too long for any line is broken all the same. Line ends are LF, as both MTAs want
// them.
func folded(name, value string) string {
	used := len(name) + len(": ")
	if used+len(value) <= lineLength {
		return value
	}
	var b strings.Builder
	for i, word := range strings.Split(value, " ") {
		switch {
		case i == 0:
		case used+len(" ")+len(word) > lineLength && word != "":
			b.WriteString("\n ")
			used = len(" ")
		default:
			b.WriteByte(' ')
			used++
		}
		for used+len(word) > lineLengthMax {
			fits := max(lineLengthMax-used, 0) // a name may be longer
			b.WriteString(word[:fits] + "\n ")
			word, used = word[fits:], len(" ")
		}
		b.WriteString(word)
		used += len(word)
	}
	return b.String()
}
