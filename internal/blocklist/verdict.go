// Package blocklist has what checks share that judge by lists of the administrator: the verdict of
// an entry, the hooks for lists of senders, and a check's own bypass.
package blocklist

import (
	"strconv"

	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Verdict turns an entry of a block list into a verdict: OK and DUNNO have nothing against the
// mail, REJECT answers with the reply, DEFER with its temporary form, and a text or code in the
// entry replaces the declared ones; the class of the enhanced code follows the code.
func Verdict(reply *policy.Reply, m table.Match) policy.Verdict {
	a := m.Action
	if !m.Found() || a.Verb == table.OK || a.Verb == table.Dunno {
		return policy.Pass
	}
	v := policy.Object(reply).Text(a.Text)
	switch {
	case a.Code != 0:
		v = v.Code(a.Code, a.Enhanced)
	case a.Verb == table.Reject && a.Enhanced != "":
		v = v.Code(max(reply.Code, 550), a.Enhanced)
	case a.Verb == table.Defer:
		v = v.Code(451, a.Enhanced)
	}
	return v.Because("%s matches %s", strconv.QuoteToASCII(m.Key), m.Where())
}
