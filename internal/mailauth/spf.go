package mailauth

import (
	"context"
	"fmt"
	"net/netip"

	"blitiri.com.ar/go/spf"

	"mailweir/internal/trace"
)

// Resolver is the DNS as SPF and DKIM ask it, with the errors of [net.Resolver].
type Resolver = spf.DNSResolver

// SPFResult is a result of SPF, as it is written (RFC 7208 section 2.6).
type SPFResult string

// The results of SPF.
const (
	SPFNone      = SPFResult(spf.None)
	SPFNeutral   = SPFResult(spf.Neutral)
	SPFPass      = SPFResult(spf.Pass)
	SPFFail      = SPFResult(spf.Fail)
	SPFSoftFail  = SPFResult(spf.SoftFail)
	SPFTempError = SPFResult(spf.TempError)
	SPFPermError = SPFResult(spf.PermError)
)

// SPF returns what the sender's domain says about mail from the client, or HELO's domain under the
// null sender (RFC 7208 section 2.4), which is "". A sender must have a domain. It waits for the
// DNS; the error says that the DNS failed.
func SPF(ctx context.Context, dns Resolver, client netip.Addr, helo, sender string) (SPFResult, error) {
	if sender == "" {
		sender = "postmaster@" + helo
	}
	result, err := spf.CheckHostWithSender(client.AsSlice(), helo, sender, spf.WithContext(ctx), spf.WithResolver(dns))
	trace.Add(ctx, fmt.Sprintf("spf %s %s %s", client, helo, sender), string(result))
	if result == spf.TempError {
		return SPFTempError, fmt.Errorf("spf: %w", err)
	}
	return SPFResult(result), nil
}
