package policy

import (
	"context"
	"fmt"
	"net/netip"

	"blitiri.com.ar/go/spf"

	"mailweir/internal/trace"
)

// The results of SPF (RFC 7208 section 2.6) that policies tell apart.
const (
	SPFNone      = spf.None
	SPFNeutral   = spf.Neutral
	SPFPass      = spf.Pass
	SPFFail      = spf.Fail
	SPFSoftFail  = spf.SoftFail
	SPFTempError = spf.TempError
	SPFPermError = spf.PermError
)

// SPF returns the SPF result for the envelope sender's domain, or for HELO's under the null sender (RFC 7208 section
// 2.4). It waits for the DNS; call it from [Later]. An error means that it could not be found out.
//
// The result is none where SPF has nothing to say: the client's address is unknown or that of an inbound relay, or
// the sender has no domain. (The library would then judge HELO, which says nothing about that sender.)
func (m *Message) SPF(ctx context.Context) (spf.Result, error) {
	client := m.Conn.Client
	if !client.IsValid() || m.Conn.InboundRelay() || m.Sender.Domain == "" && !m.Sender.IsNull() {
		return spf.None, nil
	}
	helo, sender := m.HELO(), m.Sender.Key()
	if m.Sender.IsNull() {
		sender = "postmaster@" + helo
	}
	world := m.Conn.policy.world
	return find(ctx, m.Conn.runner, &m.spf, func(ctx context.Context) (spf.Result, error) {
		return world.checkSPF(ctx, client, helo, sender)
	})
}

// SPFOf returns the SPF result that the client has for another domain than the sender's: whether that domain
// lets the client send its mail. The rest is as for [Message.SPF].
func (m *Message) SPFOf(ctx context.Context, domain string) (spf.Result, error) {
	client := m.Conn.Client
	if !client.IsValid() || m.Conn.InboundRelay() || domain == "" {
		return spf.None, nil
	}
	return m.Conn.policy.world.checkSPF(ctx, client, m.HELO(), "postmaster@"+domain)
}

func (w *World) checkSPF(ctx context.Context, client netip.Addr, helo, sender string) (spf.Result, error) {
	result, err := spf.CheckHostWithSender(client.AsSlice(), helo, sender, spf.WithContext(ctx), spf.WithResolver(w.resolver()))
	trace.Add(ctx, fmt.Sprintf("spf %s %s %s", client, helo, sender), string(result))
	if result == spf.TempError {
		return result, fmt.Errorf("spf: %w", err)
	}
	return result, nil
}
