package mailauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/emersion/go-msgauth/dkim"

	"mailweir/internal/address"
	"mailweir/internal/trace"
)

// maxKeyRecord is the longest key record that is looked at, in octets. An RSA key of 4,096 bits,
// the longest that a verifier must know (RFC 8301 section 3.2), takes 750; a key of 64 KiB takes
// seconds.
const maxKeyRecord = 4096

// SignatureDomain returns the domain that a DKIM-Signature field speaks for (d=, RFC 6376 section
// 3.5), "" if it has none. Nothing is verified.
func SignatureDomain(value string) string {
	for tag := range strings.SplitSeq(value, ";") {
		if name, domain, ok := strings.Cut(tag, "="); ok && strings.TrimSpace(name) == "d" {
			return address.NormalDomain(stripSpace(domain))
		}
	}
	return ""
}

// stripSpace removes folding white space (RFC 6376 section 3.2).
func stripSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// VerifyDKIM verifies the first DKIM-Signature of a message, header section and body, and no other
// (RFC 6376). It returns the signature's domain, "" if the signature is not valid. It waits for the
// DNS; the error says that the signature could not be judged.
//
// One signature is verified on this very goroutine: with several the library starts some of its
// own, where nothing recovers from a panic.
func VerifyDKIM(ctx context.Context, dns Resolver, message io.Reader) (string, error) {
	results, err := dkim.VerifyWithOptions(message, &dkim.VerifyOptions{
		LookupTXT:        func(name string) ([]string, error) { return keyRecords(ctx, dns, name) },
		MaxVerifications: 1,
	})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		return "", fmt.Errorf("dkim: %w", err)
	}
	if len(results) == 0 {
		return "", nil
	}
	r := results[0]
	domain := address.NormalDomain(r.Domain)
	switch {
	case r.Err == nil:
		trace.Add(ctx, "dkim "+domain, "pass")
		return domain, nil
	case dkim.IsTempFail(r.Err):
		return "", r.Err
	}
	trace.Add(ctx, "dkim "+domain, strings.TrimPrefix(r.Err.Error(), "dkim: "))
	return "", nil
}

// keyRecords asks for keys and leaves out what no key is as long as.
func keyRecords(ctx context.Context, dns Resolver, name string) ([]string, error) {
	records, err := dns.LookupTXT(ctx, name)
	var kept []string
	for _, r := range records {
		if len(r) <= maxKeyRecord {
			kept = append(kept, r)
		}
	}
	return kept, err
}
