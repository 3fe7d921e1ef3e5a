package runner

import (
	"net/netip"
	"slices"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// service tells the door's service. A name that the administrator gave a door says more than its port.
func service(s *policy.Settings, f policy.ConnectFacts) policy.Service {
	if service, ok := s.Services[f.DaemonName]; ok && f.DaemonName != "" {
		return service
	}
	if service, ok := s.Services[f.DaemonPort]; ok {
		return service
	}
	return policy.MX
}

// exempts tells what about a client lets its mail past checks. An inbound relay is not trusted, whatever net it is in.
func exempts(s *policy.Settings, c *policy.Connection) policy.Exemption {
	known := c.Client.IsValid()
	if known && table.Member(s.InboundRelays.Client(c.Client, c.ConnectFacts.Name)) {
		return policy.ExemptRelay
	}
	if c.Local || known && trusts(s.TrustedNets, c.Client) {
		return policy.ExemptTrusted
	}
	return 0
}

func trusts(nets []netip.Prefix, client netip.Addr) bool {
	return slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(client) })
}

// findRecipient finds out about a recipient what hooks read.
func findRecipient(s *policy.Settings, r *policy.Recipient) {
	r.Direction = direction(s, r.Msg.Trusted(), r.Address)
	r.Enforced = s.EnforceFor == nil || table.Member(s.EnforceFor.Address(r.Address))
	if reachable(s, r) {
		r.Exempt = policy.ExemptAlwaysAccept
	}
}

// direction tells where a recipient's mail goes. Without --local-domains a trusted sender's mail is outbound and all
// other inbound.
func direction(s *policy.Settings, trusted bool, to address.Address) policy.Direction {
	if s.LocalDomains == nil {
		if trusted {
			return policy.Outbound
		}
		return policy.Inbound
	}
	local := to.Domain == "" || s.Local(to.Domain) // a bare postmaster is ours (RFC 5321 section 4.1.1.3)
	switch {
	case trusted && local:
		return policy.Internal
	case trusted:
		return policy.Outbound
	case local:
		return policy.Inbound
	}
	return policy.Relay
}

// reachable reports whether the recipient must be reachable, if it is the only one.
func reachable(s *policy.Settings, r *policy.Recipient) bool {
	a := r.Address.Base(s.Delimiter)
	if a.Domain == "" {
		return a.Local == "postmaster"
	}
	if !slices.Contains(s.AlwaysAccept, a.Local) {
		return false
	}
	return s.Local(a.Domain) || s.LocalDomains == nil && r.Direction == policy.Inbound
}
