package record

import "strings"

// PolicyLoad is the operation under which the audit has the policies that came into force: one row
// each, with the digests of the policy, of the permits and of every check.
const PolicyLoad = "policy/load"

// PolicyItself is what the policy as a whole is called in such a row.
const PolicyItself = "policy"

// Loaded says in one line which policy has come into force, and what differs from the one before;
// ok is false where the row is about something else.
func (c Change) Loaded() (text string, ok bool) {
	if c.Operation != PolicyLoad {
		return "", false
	}
	text = "policy"
	var changed []string
	for _, a := range c.Changes {
		switch {
		case a.What == PolicyItself:
			text += " " + shortDigest(a.After)
		case a.Before != "":
			changed = append(changed, a.What)
		}
	}
	text += " loaded"
	if len(changed) > 0 {
		text += "; changed: " + strings.Join(changed, ", ")
	}
	return text, true
}

// shortDigest is enough of a digest to tell it from others.
func shortDigest(digest string) string {
	const shown = 8
	if len(digest) <= shown {
		return digest
	}
	return digest[:shown] + "…"
}
