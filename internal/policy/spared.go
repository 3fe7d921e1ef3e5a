package policy

import (
	"fmt"
	"slices"
	"strings"
)

// ByRecipient reports whether the mode of a check may depend on the recipient, so that nothing but
// load is answered before RCPT.
func (s *Settings) ByRecipient() bool { return s.EnforceFor != nil || s.MonitorFor != nil }

// Spares reports whether an entry of --monitor-for names a check.
func Spares(entry, check string) bool {
	return entry == everyCheck || entry != "" && slices.Contains(sparedNames(entry), check)
}

// everyCheck stands for all checks; DUNNO takes a recipient out of a wider entry.
const everyCheck = "*"

func sparedNames(entry string) []string {
	return strings.FieldsFunc(entry, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
}

// namesOf returns how an entry of --monitor-for is judged.
func namesOf(checks []*Check) func(string) error {
	return func(entry string) error {
		if entry == everyCheck || strings.EqualFold(entry, "DUNNO") {
			return nil
		}
		names := sparedNames(entry)
		for _, name := range names {
			if !slices.ContainsFunc(checks, func(c *Check) bool { return c.Name == name && c.AnswerAt != StageHelo }) {
				return fmt.Errorf("%q is no check; want the names of checks, * or DUNNO", name)
			}
		}
		if len(names) == 0 {
			return fmt.Errorf("%q names no check", entry)
		}
		return nil
	}
}
