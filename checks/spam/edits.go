package spam

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"mailweir/internal/policy"
	"mailweir/internal/spamscan"
)

// maxDeletions bounds the fields that are taken out of one message: for each the MTA looks through
// the header section again. So many take Postfix 0.1 s and Sendmail 0.3 s; 10,000 take Postfix
// 15 s.
const maxDeletions = 1000

// change is the verdict that changes the message, if anything is to be changed. Left are fields
// that should be taken out and are not.
func change(edits []policy.Edit, left int, cause string) policy.Verdict {
	if len(edits) == 0 {
		return policy.Pass
	}
	if left > 0 {
		cause += fmt.Sprintf("; only the first %d fields were taken out, %d more stay", maxDeletions, left)
	}
	return policy.Edits(edits...).Because("%s", cause)
}

// forgedFields takes out what an untrusted client says about its own message in the scanner's
// place.
func forgedFields(m *policy.Message) (edits []policy.Edit, left int) {
	if m.Trusted() || m.Conn.InboundRelay() {
		return nil, 0
	}
	return deletions(m.Fields, func(name string, _, _ int) bool {
		return hasPrefixFold(name, "X-Spam") || hasPrefixFold(name, "X-Rspamd-")
	})
}

// changes are what the scanner wants changed, and the marks of spam.
func (s *rule) changes(fields []policy.Field, a *spamscan.Answer) (edits []policy.Edit, left int) {
	edits, left = deletions(fields, func(name string, nth, of int) bool {
		return slices.ContainsFunc(a.Remove, func(r spamscan.Removal) bool {
			return strings.EqualFold(r.Name, name) && (r.Nth == 0 || r.Nth == nth || r.Nth == nth-of-1)
		})
	})
	for _, f := range a.Add {
		edits = append(edits, addition(f, len(fields)))
	}
	if !s.tags(a) {
		return edits, left
	}
	if !adds(a, flagField) {
		edits = append(edits, policy.AddField(flagField, "YES"))
	}
	if !adds(a, scoreField) && !math.IsNaN(a.Score) {
		edits = append(edits, policy.AddField(scoreField, spamscan.Number(a.Score)))
	}
	return edits, left
}

// The fields that mark spam, as SpamAssassin has them.
const (
	flagField  = "X-Spam-Flag"
	scoreField = "X-Spam-Score"
)

// adds reports whether the scanner itself adds a field of that name.
func adds(a *spamscan.Answer, name string) bool {
	return slices.ContainsFunc(a.Add, func(f spamscan.Field) bool { return strings.EqualFold(f.Name, name) })
}

// addition adds a field where the scanner wants it: so many fields from the top, or from the end,
// as rspamd's own milter counts them.
func addition(f spamscan.Field, fields int) policy.Edit {
	switch {
	case !f.Ordered || f.Order == -1:
		return policy.AddField(f.Name, f.Value)
	case f.Order >= 0:
		return policy.InsertField(f.Order, f.Name, f.Value)
	case -f.Order > fields:
		return policy.InsertField(0, f.Name, f.Value)
	}
	return policy.InsertField(fields+f.Order+2, f.Name, f.Value) // with the MTA's own Received above
}

// deletions takes out the fields that are unwanted, which is asked of each name with which one of
// how many it is. The last go first, so that whether an MTA counts those that are gone does not
// matter. Left are those beyond the bound.
func deletions(fields []policy.Field, unwanted func(name string, nth, of int) bool) (edits []policy.Edit, left int) {
	of := make(map[string]int)
	for _, f := range fields {
		of[fold(f.Name)]++
	}
	seen := make(map[string]int, len(of))
	for _, f := range fields {
		name := strings.TrimRight(f.Name, " \t") // blanks may stand before the colon
		seen[fold(name)]++
		switch nth := seen[fold(name)]; {
		case !unwanted(name, nth, of[fold(name)]):
		case len(edits) < maxDeletions:
			edits = append(edits, policy.DeleteField(name, nth))
		default:
			left++
		}
	}
	slices.SortStableFunc(edits, func(a, b policy.Edit) int { return cmp.Compare(b.Nth, a.Nth) })
	return edits, left
}

func fold(name string) string { return strings.ToLower(strings.TrimRight(name, " \t")) }

func hasPrefixFold(name, prefix string) bool {
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}
