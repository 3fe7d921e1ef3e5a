package record

import (
	"slices"
	"strings"

	"mailweir/internal/policy"
)

// Names reports whether an entry names an address, given as [Key] has it: as sender, recipient or
// login, or anywhere in its texts.
func (e Entry) Names(key string) bool {
	f := factsOf(e)
	if f.sender == key || strings.ToLower(f.login) == key ||
		slices.ContainsFunc(f.recipients, func(r string) bool { return Key(r) == key }) {
		return true
	}
	texts := e.texts()
	if v := e.Event; v != nil {
		for _, q := range v.Trace {
			texts = append(texts, q.Question, q.Answer)
		}
		texts = append(texts, policy.EditText(v.Edits), v.Stack)
		if v.Dedup != nil {
			texts = append(texts, v.Dedup.Senders...)
		}
	}
	return slices.ContainsFunc(texts, func(s string) bool { return mentions(Folded(s), key) })
}

// mentions reports whether a text has an address as a whole, and not as a part of a longer one.
func mentions(text, key string) bool {
	for {
		i := strings.Index(text, key)
		if i < 0 {
			return false
		}
		after := text[i+len(key):]
		if (i == 0 || !inAddress(text[i-1])) && (after == "" || !inAddress(after[0]) || after[0] == '.' && (len(after) == 1 || !inAddress(after[1]))) {
			return true
		}
		text = text[i+1:]
	}
}

// inAddress reports whether an octet may well be a part of an address beside another one.
func inAddress(c byte) bool {
	return c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || strings.IndexByte(".-_+%=@", c) >= 0
}

// size estimates how many octets an entry takes in memory. It is called on the way of an answer.
func (e Entry) size() int {
	n := 1000
	if m := e.Message; m != nil {
		for _, r := range m.Recipients {
			n += len(r.Recipient) + 100
		}
		return n + len(m.MessageID) + len(m.From) + len(m.Subject) + len(m.Helo) + total(m.Attachments)
	}
	v := e.Event
	for _, q := range v.Trace {
		n += len(q.Question) + len(q.Answer) + 32
	}
	if v.Dedup != nil {
		n += total(v.Dedup.Senders) + 24*len(v.Dedup.Clients)
	}
	return n + len(v.Cause) + len(v.Err) + len(v.Stack) + len(v.Helo) + len(v.From) + len(v.Subject) + total(v.Recipients) + total(v.Attachments)
}

func total(list []string) (n int) {
	for _, s := range list {
		n += len(s) + 16
	}
	return n
}
