package checks

import (
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mailweir/checks/reputation"
	"mailweir/internal/policytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// whole is a rig of all checks. Greylisting, to which all senders here are new, is off.
func whole() policytest.Rig {
	return policytest.Rig{Registry: Registry(), Flags: []string{"--greylist=off"}}
}

// onTempblock reports whether the client's next connection is turned away by tempblock.
func onTempblock(h *policytest.Host, client string) bool {
	const refused = "rcpt 451 4.7.1 Recipient Temporarily Unavailable"
	said := h.Visit(policytest.Letter{Client: client})
	return len(said) == 1 && said[0] == refused
}

// reputationOf is the client's score.
func reputationOf(h *policytest.Host, client string) reputation.Summary {
	book := &reputation.Book{Store: h.World.State, Clock: h.Now.Time, HalfLife: 24 * time.Hour, MinEvents: 20}
	score, err := book.Show(h.T.Context(), netip.MustParseAddr(client))
	if err != nil {
		h.T.Error(err)
	}
	return score
}
