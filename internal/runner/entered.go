package runner

import (
	"context"

	"mailweir/internal/address"
	"mailweir/internal/byhand"
	"mailweir/internal/policy"
	"mailweir/internal/trace"
)

// entered is what people have entered at run time about all mail. It acts at once, whatever policy
// a transaction keeps.
type entered struct {
	monitored *byhand.Monitored
	permits   *byhand.List
}

func newEntered(b *policy.Backends) entered {
	return entered{byhand.NewMonitored(b), byhand.NewList(b, byhand.Permit)}
}

func (e *entered) ready(ctx context.Context) {
	e.monitored.Now(ctx)
	e.permits.Ready(ctx)
}

// heed finds out which checks only monitor by order of a person, for the answer that begins. A
// message whose refusal is certain keeps those by which it was: checks have been left out since.
func (s *Session) heed() {
	if s.msg != nil && s.msg.condemned {
		return
	}
	s.orders = s.runner.Policy().entered.monitored.Now(s.runner.ctx)
}

// byHand tells by whose order the check only monitors, "" where the policy says so.
func (b *bound) byHand(orders byhand.Orders) string {
	if order, ordered := orders.Of(b.Name); ordered && b.mode.Refuses() {
		return order.String()
	}
	return ""
}

func (rs *resolver) byHand(b *bound) string { return b.byHand(rs.orders) }

// traced is a context in which what is found is kept for the record.
func (s *Session) traced() context.Context {
	t := new(trace.Trace)
	t.To(s.asked())
	return trace.With(s.runner.ctx, t)
}

// permitsClient is the permit of a client as it stands now: what people have entered, or else what
// the tables said when it connected.
func (s *Session) permitsClient(c *connection) permission {
	permits := c.policy.entered.permits
	if !permits.HasClients(s.runner.ctx) {
		return c.permit
	}
	own, err := permits.Client(s.traced(), c.Client)
	if own != nil {
		return byHandPermit(own)
	}
	return c.permit.or(err)
}

// permitsSender is the permit of an address. An entry of the tables that is about less decides
// before what people have entered.
func (s *Session) permitsSender(a address.Address) permission {
	settings, entered := s.policy().Settings, s.policy().entered
	p := permissionOf(s.lookUpAddress(settings.PermitSenders, a))
	if !entered.permits.HasSenders(s.runner.ctx) {
		return p
	}
	return entered.permitOf(s.traced(), a, settings.Delimiter, p)
}

// permitOf adds to what the tables say of an address what people have entered.
func (e *entered) permitOf(ctx context.Context, a address.Address, delimiter string, p permission) permission {
	own, err := e.permits.Sender(ctx, a, delimiter)
	switch {
	case own == nil:
		return p.or(err)
	case p.err == nil && p.match != nil && byhand.LessThan(p.match.Key, own):
		return p
	}
	return byHandPermit(own)
}

func byHandPermit(e *byhand.Entry) permission {
	return permission{ok: true, entered: e}
}

// or adds that it is not known whether a person permits it.
func (p permission) or(err error) permission {
	if !p.ok && p.err == nil {
		p.err, p.unread = err, err != nil
	}
	return p
}

// permitsSenders reports whether there may be a permit of any sender.
func (p *Policy) permitsSenders(ctx context.Context) bool {
	return p.Settings.PermitSenders != nil || p.entered.permits.HasSenders(ctx)
}

// Orders are the checks that only monitor by order of a person now, and would refuse otherwise.
func (rn *Runner) Orders() []byhand.Order {
	p := rn.Policy()
	orders := p.entered.monitored.Now(rn.ctx)
	var list []byhand.Order
	for _, b := range p.checks {
		if order, ordered := orders.Of(b.Name); ordered && b.mode.Refuses() && b.hooks.Off == "" {
			order.Check = b.Name
			list = append(list, order)
		}
	}
	return list
}
