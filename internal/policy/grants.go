package policy

import (
	"context"
	"errors"
	"sync"

	"mailweir/internal/table"
)

// Grant is a permit for one recipient's mail. It is a fact, never a verdict: it takes force where an objection of
// a check that gives way to it is resolved.
type Grant struct {
	// By is the one kind of permit that this is.
	By Bypass
	// Vouched says that nothing has to vouch for the sender. Without it the grant counts only when SPF passes for
	// the sender's domain, or the client is permitted.
	Vouched bool
	// Source tells the administrator which entry it is.
	Source string
}

// permission is an administrator's permit, looked up once.
type permission struct {
	once  sync.Once
	match table.Match
	ok    bool
}

func (p *permission) by() string { return "permit " + p.match.Where() }

// grants are what the checks permit for one recipient, asked once.
type grants struct {
	once sync.Once
	list []Grant
	err  error
}

// permits reports which permit, if any, lets this mail past the check. An error means that a permit
// exists, but whether the sender is vouched for could not be found out. It may wait for the DNS.
func (m *Message) permits(ctx context.Context, b *bound, r *Recipient) (string, error) {
	if b.Bypass&BypassPermitClient != 0 {
		if p := m.Conn.permitClient(); p.ok {
			return p.by(), nil
		}
	}
	if b.Bypass&(BypassPermitSender|BypassUnvouched) != 0 {
		if by, err := m.senderPermits(ctx, b.Bypass); by != "" || err != nil {
			return by, err
		}
	}
	if b.Bypass&BypassHeaderFrom != 0 {
		if by := m.headerFromPermits(); by != "" {
			return by, nil
		}
	}
	if r == nil || b.Bypass&(BypassRecipientPermit|BypassAutoAllow) == 0 {
		return "", nil
	}
	return r.granted(ctx, b)
}

// granted asks the checks that permit for this recipient.
func (r *Recipient) granted(ctx context.Context, b *bound) (string, error) {
	g := &r.grants
	g.once.Do(func() {
		for _, granting := range r.Conn().policy.hooks.grant {
			list, err := callGrant(ctx, granting.hooks.Grant, r)
			g.list = append(g.list, list...)
			g.err = errors.Join(g.err, err)
		}
	})
	for _, one := range g.list {
		if one.By&b.Bypass == 0 {
			continue
		}
		if one.Vouched {
			return one.Source, nil
		}
		if ok, err := r.Msg.Vouched(ctx); ok || err != nil {
			return one.Source, err
		}
	}
	return "", g.err
}

func callGrant(ctx context.Context, hook func(context.Context, *Recipient) ([]Grant, error), r *Recipient) (list []Grant, err error) {
	w := call(func(r *Recipient) (Verdict, error) {
		list, err = hook(ctx, r)
		return Pass, err
	}, r)
	return list, w.err
}

// permitClient looks the client up in --permit-clients.
func (c *Connection) permitClient() *permission {
	p := &c.permit
	p.once.Do(func() {
		if list := c.policy.Settings.PermitClients; c.Client.IsValid() && list != nil {
			p.match, p.ok = list.Client(c.Client, c.ConnectFacts.Name)
			p.ok = p.ok && p.match.Action.Verb == table.OK
		}
	})
	return p
}

// permitSender looks the envelope sender up in --permit-senders. The null sender is never permitted by address.
func (m *Message) permitSender() *permission {
	p := &m.permit
	p.once.Do(func() {
		if list := m.Conn.policy.Settings.PermitSenders; !m.Sender.IsNull() && list != nil {
			p.match, p.ok = list.Address(m.Sender)
			p.ok = p.ok && p.match.Action.Verb == table.OK
		}
	})
	return p
}

// senderPermits reports whether the administrator's permit for the sender reaches checks that give way to those bits.
func (m *Message) senderPermits(ctx context.Context, bits Bypass) (string, error) {
	p := m.permitSender()
	if !p.ok {
		return "", nil
	}
	if p.match.Action.Text != "" || m.Conn.permitClient().ok { // OK unverified
		return p.by(), nil
	}
	result, err := m.SPF(ctx)
	switch {
	case err != nil:
		return p.by(), err
	case result == SPFPass && bits&BypassPermitSender != 0:
		return p.by(), nil
	case (result == SPFNone || result == SPFNeutral) && bits&BypassUnvouched != 0:
		return p.by(), nil
	}
	return "", nil
}

// headerFromPermits looks every address of header From up in --permit-senders.
func (m *Message) headerFromPermits() string {
	list := m.Conn.policy.Settings.PermitSenders
	if list == nil {
		return ""
	}
	for _, from := range m.HeaderFrom().Addresses {
		if match, ok := list.Address(from); ok && match.Action.Verb == table.OK {
			return "permit " + match.Where()
		}
	}
	return ""
}

// Vouched reports whether the envelope sender is who it says: the client is permitted, or SPF passes for
// the sender's domain. It waits for the DNS; call it from [Later].
func (m *Message) Vouched(ctx context.Context) (bool, error) {
	if m.Conn.permitClient().ok {
		return true, nil
	}
	result, err := m.SPF(ctx)
	return err == nil && result == SPFPass && !m.Sender.IsNull(), err
}
