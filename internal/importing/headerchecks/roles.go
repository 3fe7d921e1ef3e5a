package headerchecks

import "strings"

// roles are what Postfix asks a table about.
type roles struct {
	primary bool // header_checks: fields of the message itself that are none of MIME
	mime    bool // mime_header_checks: fields of MIME, of the message and of its parts
	nested  bool // nested_header_checks: fields of attached messages
	body    bool // body_checks
	// reason is why rules that refuse are left in any case, "" where they may be written.
	reason string
}

// unlike says why a pattern cannot be written for mailweir, which knows fields of the message, of
// its parts and of attached messages in one section; "" where it can.
func (o roles) unlike(pattern []*node, f *fieldPattern) string {
	for _, name := range f.names {
		for _, gone := range dropped {
			if name == gone {
				return "Postfix takes " + gone + " out before mailweir sees the message; envelope senders go into --envelope-from-list"
			}
		}
	}
	allMIME := f.allMIME() || len(f.names) == 0 && beginsMIME(pattern)
	switch {
	case allMIME && o.mime:
		return ""
	case allMIME:
		return "Postfix never asks it about this field: that is for mime_header_checks"
	case len(f.names) > 0 && !f.anyMIME() && !o.primary:
		return "it is asked about fields of " + o.names() + " alone, and mailweir reads those of the message with them"
	case f.only("from") && o.primary:
		return ""
	case !o.nested && o.primary:
		return "it is not asked about attached messages (nested_header_checks), and mailweir reads their fields, too"
	case f.anyMIME() && (!o.mime || !o.primary):
		return "it matches any field, and is asked about fields of " + o.names() + " alone; begin it with the name of a field"
	}
	return ""
}

// share reports whether a line may be held against tables of both roles.
func (o roles) share(p roles) bool {
	return o.primary && p.primary || o.mime && p.mime || o.nested && p.nested || o.body && p.body
}

// names says which fields a table is asked about.
func (o roles) names() string {
	var all []string
	if o.primary {
		all = append(all, "the message itself")
	}
	if o.mime {
		all = append(all, "MIME")
	}
	if o.nested {
		all = append(all, "attached messages")
	}
	return strings.Join(all, " and ")
}

// beginsMIME tells patterns that match no field but those of MIME, though they do not go on to the
// colon.
func beginsMIME(pattern []*node) bool {
	for _, head := range heads(pattern) {
		if !strings.HasPrefix(head, "content-") && !strings.HasPrefix(head, "mime-version") {
			return false
		}
	}
	return true
}
