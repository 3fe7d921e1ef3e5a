package milter

import (
	"encoding/binary"
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

// edits are the packets that have the MTA change the message.
func (s *session) edits(edits []policy.Edit) (packets []byte) {
	denied := s.terms.denied()
	for _, e := range edits {
		if !denied.Has(e.Kind) { // the policy knows of those; an MTA would take us for broken
			packets = s.appendEdit(packets, e)
		}
	}
	return packets
}

// appendEdit adds the packet of one edit. A recipient must be spelt as the MTA did, in brackets.
func (s *session) appendEdit(to []byte, e policy.Edit) []byte {
	switch e.Kind {
	case policy.EditAdd:
		return appendPacket(to, byte(gomilter.ActAddHeader), e.Name, nul, s.text(e), nul)
	case policy.EditInsert:
		return appendPacket(to, byte(gomilter.ActInsertHeader), number(e.Nth), e.Name, nul, s.text(e), nul)
	case policy.EditReplace:
		return appendPacket(to, byte(gomilter.ActChangeHeader), number(e.Nth), e.Name, nul, s.text(e), nul)
	case policy.EditDelete:
		return appendPacket(to, byte(gomilter.ActChangeHeader), number(e.Nth), e.Name, nul, nul)
	case policy.EditQuarantine:
		return appendPacket(to, byte(gomilter.ActQuarantine), e.Value, nul)
	}
	return appendPacket(to, byte(gomilter.ActDelRcpt), "<", path(e.Value), ">", nul)
}

// nul ends each string of a packet.
const nul = "\x00"

// number is one of 32 bits.
func number(n int) string { return string(binary.BigEndian.AppendUint32(nil, uint32(n))) }

// text is what is to stand behind the colon. An MTA that shows it to the octet takes it to the
// octet, too. Postfix would make two CR of CRLF.
func (s *session) text(e policy.Edit) string {
	text := folded(e.Name, strings.ReplaceAll(e.Value, "\r\n", "\n"))
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
