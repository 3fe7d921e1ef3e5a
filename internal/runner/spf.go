package runner

import (
	"context"

	"mailweir/internal/mailauth"
)

// SPF returns the SPF result for the envelope sender's domain, or for HELO's under the null sender
// (RFC 7208 section 2.4). It waits for the DNS; call it from [policy.Question.Later]. An error
// means that it could not be found out.
//
// The result is none where SPF has nothing to say: the client's address is unknown or that of an
// inbound relay, or the sender has no domain. (The library would then judge HELO, which says
// nothing about that sender.)
func (m *message) SPF(ctx context.Context) (mailauth.SPFResult, error) {
	client := m.Conn.Client
	if !client.IsValid() || m.Conn.InboundRelay() || m.Sender.Domain == "" && !m.Sender.IsNull() {
		return mailauth.SPFNone, nil
	}
	if m.past != nil {
		return m.past.SPF(m.Helo.Name, m.Sender.Key())
	}
	dns, helo, sender := m.conn.policy.backends.Resolver(), m.Helo.Name, m.Sender.Key()
	return find(ctx, m.runner, &m.spf, func(ctx context.Context) (mailauth.SPFResult, error) {
		return mailauth.SPF(ctx, dns, client, helo, sender)
	})
}

// SPFOf returns the SPF result that the client has for another domain than the sender's: whether
// that domain lets the client send its mail. The rest is as for [Message.SPF].
func (m *message) SPFOf(ctx context.Context, domain string) (mailauth.SPFResult, error) {
	client := m.Conn.Client
	if !client.IsValid() || m.Conn.InboundRelay() || domain == "" {
		return mailauth.SPFNone, nil
	}
	if m.past != nil {
		return m.past.SPF(m.Helo.Name, "postmaster@"+domain)
	}
	return mailauth.SPF(ctx, m.conn.policy.backends.Resolver(), client, m.Helo.Name, "postmaster@"+domain)
}
