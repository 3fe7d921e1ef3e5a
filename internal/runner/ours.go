package runner

import (
	"context"
	"net/netip"
)

// Local reports whether a domain is ours under the current policy; known is false where nobody says
// which are.
func (rn *Runner) Local(ctx context.Context, domain string) (local, known bool, err error) {
	p := rn.acquire()
	defer rn.leave(p)
	return p.Local(ctx, domain)
}

// Ours is [Policy.Ours] of the current policy.
func (rn *Runner) Ours(ctx context.Context, net netip.Prefix) string {
	p := rn.acquire()
	defer rn.leave(p)
	return p.Ours(ctx, net)
}

// Local reports whether a domain is ours; known is false where nobody says which are.
func (p *Policy) Local(ctx context.Context, domain string) (local, known bool, err error) {
	if p.Settings.LocalDomains == nil {
		return false, false, nil
	}
	local, err = p.Settings.Local(ctx, domain)
	return local, true, err
}

// Ours says in words why clients of a net are ours, or pass on other people's mail; "" where they
// do neither.
func (p *Policy) Ours(ctx context.Context, net netip.Prefix) string {
	for _, trusted := range p.Settings.TrustedNets {
		if trusted.Overlaps(net) {
			return "clients of " + trusted.String() + " are ours (--trusted-nets)"
		}
	}
	if match, err := p.Settings.InboundRelays.Client(ctx, net.Addr()); err == nil && match.Member() {
		return "it passes on other people's mail (--inbound-relays)"
	}
	return ""
}
