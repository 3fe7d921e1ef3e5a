package mailauth

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"blitiri.com.ar/go/spf"

	"mailweir/internal/trace"
)

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
// null sender (RFC 7208 section 2.4), which is "". The sender is local part and domain as a key of
// package address has them, without quotes. The result is none where the domain cannot be one
// (section 4.3). It waits for the DNS; the error says that the DNS failed.
func SPF(ctx context.Context, dns Resolver, client netip.Addr, helo, sender string) (SPFResult, error) {
	local, domain := spfSender(helo, sender)
	result, err := checkHost(ctx, dns, client, helo, local, domain)
	trace.Add(ctx, SPFQuestion(client, helo, sender), string(result))
	if result == SPFTempError {
		return SPFTempError, fmt.Errorf("spf: %w", err)
	}
	return result, nil
}

// SPFQuestion is the question of [SPF] as the query trace has it; its answer there is the result.
func SPFQuestion(client netip.Addr, helo, sender string) string {
	local, domain := spfSender(helo, sender)
	return fmt.Sprintf("spf %s %s %s@%s", client, helo, local, domain)
}

// spfSender is whom SPF is asked about.
func spfSender(helo, sender string) (local, domain string) {
	domain = helo
	if sender != "" {
		at := strings.LastIndexByte(sender, '@') // a local part may hold some itself
		local, domain = sender[:max(at, 0)], sender[at+1:]
	}
	if local == "" {
		local = "postmaster" // section 4.3
	}
	return local, domain
}

func checkHost(ctx context.Context, dns Resolver, client netip.Addr, helo, local, domain string) (SPFResult, error) {
	if !sendsMail(domain) {
		return SPFNone, nil
	}
	asked := spfDNS{dns: dns, network: "ip6"}
	if client.Unmap().Is4() {
		asked.network = "ip4"
	}
	sender := macroSafe.Replace(local) + "@" + domain
	result, err := spf.CheckHostWithSender(client.AsSlice(), helo, sender, spf.WithContext(ctx), spf.WithResolver(asked))
	return SPFResult(result), err
}

// sendsMail reports whether mail can be sent in the name of a domain (RFC 7208 section 4.3): it has
// several labels, none of them empty or longer than 63 octets, and is no address literal.
func sendsMail(domain string) bool {
	domain = strings.TrimSuffix(domain, ".")
	if len(domain) > maxName || !strings.Contains(domain, ".") || strings.HasPrefix(domain, "[") {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
	}
	return true
}
