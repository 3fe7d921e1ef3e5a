package test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
)

// oddHeader is a header section in which what stands behind the colons is not the usual blank.
const oddHeader = "From: alice@example.net\r\n" +
	"Subject:hello\r\n" +
	"To:\tbob@example.org\r\n" +
	"Message-ID:\r\n <1@example.net>\r\n" +
	"Keywords:\r\n" +
	"Comments: \r\n" +
	"Date:  Mon, 23 Nov 2026 12:00:00 +0000\r\n" +
	"X-Folded: one  \r\n\t two\r\n" +
	"X-Blank: trail \r\n"

// TestSimpleSignature: a DKIM signature with simple canonicalization, for which each octet counts
// (RFC 6376 section 3.4.1), verifies through real MTAs.
func TestSimpleSignature(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	var signed bytes.Buffer
	err = dkim.Sign(&signed, strings.NewReader(oddHeader+"\r\nhello\r\n"), &dkim.SignOptions{
		Domain: "example.net", Selector: "key", Signer: private,
		HeaderCanonicalization: dkim.CanonicalizationSimple, BodyCanonicalization: dkim.CanonicalizationSimple,
		HeaderKeys: []string{"From", "Subject", "To", "Message-ID", "Keywords", "Comments", "Date", "X-Folded", "X-Blank"},
	})
	if err != nil {
		t.Fatal(err)
	}
	keys := keyServer("v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public))
	verify := func(reply *policy.Reply) policy.Hooks {
		return policy.Hooks{
			Headers: func(m *policy.Message) (policy.Verdict, error) {
				m.Keep()
				return policy.Pass, nil
			},
			Message: func(m *policy.Message) (policy.Verdict, error) {
				message := m.Open()
				return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
					if domain, err := mailauth.VerifyDKIM(ctx, keys, message); err != nil || domain != "example.net" {
						return policy.Object(reply).Because("signed by %q: %v", domain, err), nil
					}
					return policy.Pass, nil
				}), nil
			},
		}
	}
	onEachWire(t, verify, func(b *wireBed) {
		b.send("250", strings.TrimSuffix(signed.String(), "\r\n"), "bob@example.org")
	})
}

// keyServer is a DNS that has one answer to all questions for TXT.
type keyServer string

func (s keyServer) LookupTXT(context.Context, string) ([]string, error) {
	return []string{string(s)}, nil
}

func (keyServer) LookupMX(context.Context, string) ([]*net.MX, error) {
	return nil, errors.ErrUnsupported
}

func (keyServer) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, errors.ErrUnsupported
}

func (keyServer) LookupAddr(context.Context, string) ([]string, error) {
	return nil, errors.ErrUnsupported
}
