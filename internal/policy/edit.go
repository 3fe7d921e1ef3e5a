package policy

import (
	"slices"
	"strconv"
	"strings"
)

// EditKind is what an [Edit] does.
type EditKind uint8

// The kinds of edits, as the milter protocol has them (SMFIR_*).
const (
	EditAdd             EditKind = iota // a header field behind the message's own
	EditInsert                          // a header field at a position
	EditReplace                         // the value of the nth field of a name
	EditDelete                          // the nth field of a name
	EditQuarantine                      // the message is held for a person to look at
	EditRemoveRecipient                 // a recipient is taken off
)

var editNames = [...]string{"add", "insert", "replace", "delete", "quarantine", "remove-recipient"}

// String returns the kind as it is written in events.
func (k EditKind) String() string { return editNames[k] }

// EditKinds is a set of kinds.
type EditKinds uint8

// Kinds returns a set of these kinds.
func Kinds(kinds ...EditKind) (s EditKinds) {
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

// Has reports whether the set has a kind.
func (s EditKinds) Has(k EditKind) bool { return s&(1<<k) != 0 }

// Edit is something that the MTA does to a message that goes on. Make one with the functions below:
// they clean what may come from untrusted clients.
type Edit struct {
	Kind EditKind `json:"kind"`
	// Name is that of the header field.
	Name string `json:"name,omitempty"`
	// Value is the field's value in one line, of any length; the reason of a quarantine; or a
	// recipient in the MTA's own spelling.
	Value string `json:"value,omitempty"`
	// Nth counts positions from 0, and fields of one name from 1.
	Nth int `json:"nth,omitempty"`
}

// AddField adds a header field behind the message's own.
func AddField(name, value string) Edit {
	return Edit{Kind: EditAdd, Name: fieldName(name), Value: oneLine(value)}
}

// InsertField adds a header field with so many fields above it in the message as it is delivered,
// edits before this one included: 0 is the very top, at 1 the MTA's own Received stands above.
// Farther down the MTAs differ: Sendmail also counts the fields that its configuration can add,
// nine by default.
func InsertField(position int, name, value string) Edit {
	return Edit{Kind: EditInsert, Name: fieldName(name), Value: oneLine(value), Nth: max(position, 0)}
}

// ReplaceField gives the nth field of a name, counted from 1 as the message was received, another
// value.
func ReplaceField(name string, nth int, value string) Edit {
	return Edit{Kind: EditReplace, Name: fieldName(name), Value: oneLine(value), Nth: max(nth, 1)}
}

// DeleteField takes the nth field of a name out, counted from 1 as the message was received.
func DeleteField(name string, nth int) Edit {
	return Edit{Kind: EditDelete, Name: fieldName(name), Nth: max(nth, 1)}
}

// Quarantine has the message held for a person to look at. The reason is cut to 200 octets: it
// stands in the MTA's log and queue file.
func Quarantine(reason string) Edit { return Edit{Kind: EditQuarantine, Value: Clean(reason)} }

// RemoveRecipient takes a recipient off the message.
func RemoveRecipient(r *Recipient) Edit {
	return Edit{Kind: EditRemoveRecipient, Value: r.Spelling}
}

// String returns the edit as the log has it.
func (e Edit) String() string {
	switch nth := strconv.Itoa(e.Nth); e.Kind {
	case EditInsert:
		return "at " + nth + ": " + e.Name + ": " + e.Value
	case EditReplace:
		return "replace " + nth + ": " + e.Name + ": " + e.Value
	case EditDelete:
		return "delete " + nth + ": " + e.Name
	case EditQuarantine:
		return "quarantine: " + e.Value
	case EditRemoveRecipient:
		return "remove " + e.Value
	}
	return e.Name + ": " + e.Value
}

// EditText returns edits as the log has them.
func EditText(edits []Edit) string {
	list := make([]string, len(edits))
	for i, e := range edits {
		list[i] = e.String()
	}
	return strings.Join(list, "; ")
}

// JoinEdits adds edits to a list, each once. The first reason to hold the message counts.
func JoinEdits(list, more []Edit) []Edit {
	for _, e := range more {
		same := func(other Edit) bool {
			return other == e || e.Kind == EditQuarantine && other.Kind == EditQuarantine
		}
		if !slices.ContainsFunc(list, same) {
			list = append(list, e)
		}
	}
	return list
}

// fieldName leaves out what no name of a header field may have (RFC 5322 section 2.2).
func fieldName(name string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == ':' || r >= 0x7f {
			return -1
		}
		return r
	}, name)
}

// oneLine makes white space of all control characters, so that a value cannot end its field and
// begin another, and question marks of what is not ASCII.
func oneLine(value string) string {
	value = strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f:
			return ' '
		case r > 0x7f:
			return '?'
		}
		return r
	}, value)
	return strings.TrimSpace(value)
}
