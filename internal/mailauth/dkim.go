package mailauth

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/emersion/go-msgauth/dkim"

	"mailweir/internal/address"
)

// maxSignatures is how many DKIM signatures of a message are looked at.
const maxSignatures = 5

// DKIM returns the domains whose signature of the message is valid. It waits for the DNS. With the error some signatures
// could not be judged; the domains are good all the same.
func DKIM(ctx context.Context, dns Resolver, message io.Reader) ([]string, error) {
	results, err := dkim.VerifyWithOptions(message, &dkim.VerifyOptions{
		LookupTXT:        func(domain string) ([]string, error) { return dns.LookupTXT(ctx, domain) },
		MaxVerifications: maxSignatures,
	})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		return nil, fmt.Errorf("dkim: %w", err)
	}
	var passed []string
	var unsure error
	for _, r := range results {
		switch {
		case r.Err == nil:
			passed = append(passed, address.NormalDomain(r.Domain))
		case dkim.IsTempFail(r.Err):
			unsure = fmt.Errorf("dkim: %s: %w", r.Domain, r.Err)
		}
	}
	return passed, unsure
}
