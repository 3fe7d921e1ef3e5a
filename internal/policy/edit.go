package policy

import (
	"slices"
	"strings"
)

// Change is what the MTA does to a message that it takes. The zero value changes nothing.
type Change struct {
	// Fields are header fields to add, behind the message's own.
	Fields []Field `json:"fields,omitempty"`
	// Quarantine is the reason to hold the message for a person to look at; "" lets it go on.
	Quarantine string `json:"quarantine,omitempty"`
}

// Empty reports whether nothing is changed.
func (c Change) Empty() bool { return len(c.Fields) == 0 && c.Quarantine == "" }

// String returns the change as the log has it.
func (c Change) String() string {
	var list []string
	if c.Quarantine != "" {
		list = append(list, "quarantine: "+c.Quarantine)
	}
	for _, f := range c.Fields {
		list = append(list, f.Name+": "+f.Value)
	}
	return strings.Join(list, "; ")
}

// Add joins another change, each field once. The first reason to hold the message counts.
func (c *Change) Add(other Change) {
	for _, f := range other.Fields {
		f.Value = Clean(f.Value)
		if !slices.Contains(c.Fields, f) {
			c.Fields = append(c.Fields, f)
		}
	}
	if c.Quarantine == "" {
		c.Quarantine = Clean(other.Quarantine)
	}
}

// Changing makes of an objection a change of the message, which then goes on. It counts at the end of the message, where
// the check is enforced for every recipient; elsewhere it is only recorded, as in monitor mode.
func (v Verdict) Changing(c Change) Verdict {
	v.change = c
	return v
}
