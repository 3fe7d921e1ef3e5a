package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Warnings says what stands wide open in a valid policy. They are a part of [Policy.Remarks], and
// worth a line in the log when the policy comes into use.
func (p *Policy) Warnings() []string {
	s := p.Settings
	var warnings []string
	for _, net := range s.TrustedNets {
		if !net.IsSingleIP() && !table.PrivateNet(net) {
			warnings = append(warnings, fmt.Sprintf("--trusted-nets: %s is no private network: every host in it may send mail everywhere, and no check of clients applies", net))
		}
	}
	warnings = append(warnings, ourselvesUnverified(s)...)
	warnings = append(warnings, p.tables.Warnings()...)
	for _, b := range p.checks {
		warnings = append(warnings, b.hooks.Warnings...)
	}
	return warnings
}

// nobody is a local part that nobody has.
const nobody = "no-such-user-2b7f1c"

// ourselvesUnverified finds domains of ours that are permitted whoever writes them, as far as
// tables in memory tell.
func ourselvesUnverified(s *policy.Settings) (warnings []string) {
	if s.PermitSenders == nil || s.PermitSenders.Waits() || s.LocalDomains == nil || s.LocalDomains.Waits() {
		return nil
	}
	var told []string
	look := func(a address.Address) {
		m, _ := s.PermitSenders.Address(context.Background(), a)
		local, _ := s.Local(context.Background(), a.Domain)
		if !local || m.Action.Verb != table.OK || !unverified(m) || slices.Contains(told, m.Where()) {
			return
		}
		told = append(told, m.Where())
		warnings = append(warnings, fmt.Sprintf("--permit-senders: %s: permits %s unverified, a domain of ours: so everybody who writes it passes; name the hosts that send for it in --permit-clients", m.Where(), a.Domain))
	}
	s.LocalDomains.Entries(func(m table.Match) bool {
		look(address.Address{Local: nobody, Domain: address.NormalDomain(strings.TrimPrefix(m.Key, "."))})
		return len(told) < mostTold
	})
	s.PermitSenders.Entries(func(m table.Match) bool {
		if strings.Contains(m.Key, "@") {
			look(address.Parse(m.Key))
		}
		return len(told) < mostTold
	})
	return warnings
}

// mostTold bounds the entries that are told of.
const mostTold = 5
