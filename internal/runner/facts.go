package runner

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"mailweir/internal/address"
	"mailweir/internal/fact"
	"mailweir/internal/policy"
	"mailweir/internal/table"
	"mailweir/internal/trace"
)

// service tells the door's service. A name that the administrator gave a door says more than its
// port.
func service(s *policy.Settings, f policy.ConnectFacts) policy.Service {
	if service, ok := s.Services[f.DaemonName]; ok && f.DaemonName != "" {
		return service
	}
	if service, ok := s.Services[f.DaemonPort]; ok {
		return service
	}
	return policy.MX
}

// findClient finds out about a client what hooks read. An inbound relay is not trusted, whatever
// net it is in.
func (s *Session) findClient(c *connection) {
	settings := c.policy.Settings
	known := c.Client.IsValid()
	relay, err := s.lookUpClient(settings.InboundRelays, c)
	switch {
	case err != nil:
		s.unknown(policy.StageConnect, "inbound-relays", err, &c.scope, nil)
	case relay.Member():
		c.Exempt = policy.ExemptRelay
	case c.Local || known && trusts(settings.TrustedNets, c.Client):
		c.Exempt = policy.ExemptTrusted
	}
	if !s.exempt() {
		c.permit = permissionOf(s.lookUpClient(settings.PermitClients, c))
		permit := s.permitsClient(c)
		c.Permitted = permit.ok
	}
}

// findSender finds out which permits there may be for a message. The null sender is never permitted
// by address.
func (s *Session) findSender(m *message) {
	if !m.Sender.IsNull() {
		m.permit = s.permitsSender(m.Sender)
	}
	m.client = s.permitsClient(s.conn)
	m.mayPermit = s.policy().mayPermit(m)
}

// findRecipient finds out about a recipient what hooks read.
func (s *Session) findRecipient(r *recipient) {
	settings := s.policy().Settings
	local, err := s.isLocal(r.Address)
	if err != nil {
		s.unknown(policy.StageRcpt, "local-domains", err, &r.scope, r)
	}
	r.Direction = direction(r.Msg.Trusted(), local, settings.LocalDomains != nil && err == nil)
	pilot, err := s.lookUpAddress(settings.EnforceFor, r.Address)
	r.Enforced = settings.EnforceFor == nil || pilot.Member() || err != nil
	if err != nil {
		r.pilotFailed = fmt.Errorf("--enforce-for: %w", err)
	}
	spared, err := s.lookUpAddress(settings.MonitorFor, r.Address)
	if err != nil {
		r.pilotFailed = fmt.Errorf("--monitor-for: %w", err)
	}
	r.spared = spared.Value
	if reachable(settings, r.Address, r.Direction) {
		r.Exempt = policy.ExemptAlwaysAccept
	}
}

// unknown keeps that a table could not answer what hooks read: the check fault then answers that
// the client is to try again. Nobody is taken for a relay, or for untrusted, because a table is
// out of order.
func (s *Session) unknown(stage policy.Stage, flag string, err error, where *scope, r *recipient) {
	s.keep(s.policy().fault, stage, said{err: table.Of(flag, err)}, where, r)
}

// lookUpClient, lookUpAddress and lookUpDomain ask a list for a fact. A list that waits is asked in
// the pool, within the deadline of the answer under way, and for mail that is checked only.

func (s *Session) lookUpClient(list *table.List, c *connection) (table.Match, error) {
	switch {
	case !c.Client.IsValid():
		return table.Match{}, nil
	case !list.Waits():
		return list.Client(context.Background(), c.Client, c.ConnectFacts.Name)
	}
	return s.lookUp(func(ctx context.Context) (table.Match, error) { return list.Client(ctx, c.Client, c.ConnectFacts.Name) })
}

func (s *Session) lookUpAddress(list *table.List, a address.Address) (table.Match, error) {
	if !list.Waits() {
		return list.Address(context.Background(), a)
	}
	return s.lookUp(func(ctx context.Context) (table.Match, error) { return list.Address(ctx, a) })
}

func (s *Session) lookUpDomain(list *table.List, name string) (table.Match, error) {
	if !list.Waits() {
		return list.Domain(context.Background(), name)
	}
	return s.lookUp(func(ctx context.Context) (table.Match, error) { return list.Domain(ctx, name) })
}

func (s *Session) lookUp(how func(context.Context) (table.Match, error)) (table.Match, error) {
	if s.exempt() {
		return table.Match{}, nil
	}
	var found fact.Fact[table.Match]
	var asked trace.Trace
	asked.To(s.asked())
	return find(trace.With(s.patience.context(s.runner, policy.StageRcpt), &asked), s.runner, &found, how)
}

func trusts(nets []netip.Prefix, client netip.Addr) bool {
	return slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(client) })
}

// isLocal reports whether mail to the address stays here. A bare postmaster is ours (RFC 5321
// section 4.1.1.3).
func (s *Session) isLocal(to address.Address) (bool, error) {
	list := s.policy().Settings.LocalDomains
	if to.Domain == "" || list == nil {
		return to.Domain == "", nil
	}
	match, err := s.lookUpDomain(list, to.Domain)
	return match.Member(), err
}

// direction tells where a recipient's mail goes. Where nobody knows which domains are local, a
// trusted sender's mail is outbound and all other inbound.
func direction(trusted, local, known bool) policy.Direction {
	switch {
	case trusted && local && known:
		return policy.Internal
	case trusted:
		return policy.Outbound
	case local || !known:
		return policy.Inbound
	}
	return policy.Relay
}

// reachable reports whether the recipient must be reachable, if it is the only one.
func reachable(s *policy.Settings, to address.Address, goes policy.Direction) bool {
	a := to.Base(s.Delimiter)
	if a.Domain == "" {
		return a.Local == "postmaster"
	}
	local := goes == policy.Inbound || goes == policy.Internal
	return local && slices.Contains(s.AlwaysAccept, a.Local)
}
