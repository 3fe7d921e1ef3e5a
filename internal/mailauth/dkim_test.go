package mailauth_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"mailweir/internal/mailauth"
	"mailweir/internal/trace"
)

// keys is a DNS that knows nothing but key records; an empty one is a failure.
type keys map[string]string

func (k keys) LookupTXT(_ context.Context, name string) ([]string, error) {
	switch record, ok := k[name]; {
	case !ok:
		return nil, &net.DNSError{Err: "no such name", Name: name, IsNotFound: true}
	case record == "":
		return nil, &net.DNSError{Err: "server failure", Name: name, IsTemporary: true}
	default:
		return strings.Split(record, "|"), nil
	}
}

func (keys) LookupMX(context.Context, string) ([]*net.MX, error)               { return nil, nil }
func (keys) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) { return nil, nil }
func (keys) LookupAddr(context.Context, string) (names []string, e error)      { return nil, nil }

// signer signs as a domain, with a key of its own.
type signer struct {
	domain, record string
	private        crypto.Signer
}

func newSigner(t testing.TB, domain string) signer {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return signer{domain, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public), private}
}

// sign puts a signature on top of a message.
func (s signer) sign(t testing.TB, text string, change ...func(*dkim.SignOptions)) string {
	t.Helper()
	options := &dkim.SignOptions{Domain: s.domain, Selector: "key", Signer: s.private}
	for _, f := range change {
		f(options)
	}
	var out bytes.Buffer
	if err := dkim.Sign(&out, strings.NewReader(text), options); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestVerifyDKIM(t *testing.T) {
	const plain = "From: a@one.example\r\nSubject: hello\r\n\r\nline one \r\n\r\nline  two\r\n\r\n\r\n"
	one, two := newSigner(t, "one.example"), newSigner(t, "two.example")
	relaxed := func(o *dkim.SignOptions) { o.HeaderCanonicalization, o.BodyCanonicalization = "relaxed", "relaxed" }
	signed := one.sign(t, plain)
	replaced := func(text, old, new string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%q is not in the message", old)
		}
		return strings.Replace(text, old, new, 1)
	}
	known := keys{"key._domainkey.one.example": one.record, "key._domainkey.two.example": two.record}
	for _, tt := range []struct {
		name   string
		text   string
		dns    keys
		want   string // the domain
		error  string
		traced string // a part of the result in the query trace
	}{
		{name: "valid", text: signed, want: "one.example", traced: "pass"},
		{name: "valid, relaxed", text: one.sign(t, plain, relaxed), want: "one.example"},
		{name: "spaces changed, relaxed", text: replaced(one.sign(t, plain, relaxed), "line  two", "line two \t"), want: "one.example"},
		{name: "the first of two", text: two.sign(t, signed), want: "two.example"},
		{name: "a second that does not matter", text: two.sign(t, replaced(signed, "bh=", "bh=A")), want: "two.example"},
		{name: "none", text: plain},
		{name: "body changed", text: replaced(signed, "line one", "line One"), traced: "body hash"},
		{name: "header changed", text: replaced(signed, "hello", "hullo"), traced: "signature did not verify"},
		{name: "a From put on top", text: "From: b@evil.example\r\n" + one.sign(t, plain, func(o *dkim.SignOptions) { o.HeaderKeys = []string{"From", "From"} })},
		{name: "another's key", text: signed, dns: keys{"key._domainkey.one.example": two.record}},
		{name: "no key", text: signed, dns: keys{}, traced: "no key"},
		{name: "key revoked", text: signed, dns: keys{"key._domainkey.one.example": "v=DKIM1; p="}, traced: "revoked"},
		{name: "two keys", text: signed, dns: keys{"key._domainkey.one.example": one.record + "|" + two.record}, want: "one.example"},
		{name: "key too long", text: signed, dns: keys{"key._domainkey.one.example": one.record + "; n=" + strings.Repeat("x", 4096)}},
		{name: "key of two labels is not read as rsa", text: signed, dns: keys{"key._domainkey.one.example": replaced(one.record, "ed25519", "rsa")}},
		{name: "key not to be had", text: signed, dns: keys{"key._domainkey.one.example": ""}, error: "key unavailable"},
		{name: "expired", text: one.sign(t, plain, func(o *dkim.SignOptions) { o.Expiration = time.Unix(1, 0) }), traced: "expired"},
		{name: "header that does not end", text: strings.TrimSuffix(plain[:strings.Index(plain, "\r\n\r\n")], "\r\n"), error: "failed to read header"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.dns == nil {
				tt.dns = known
			}
			var seen trace.Trace
			got, err := mailauth.VerifyDKIM(trace.With(t.Context(), &seen), tt.dns, strings.NewReader(tt.text))
			if got != tt.want {
				t.Errorf("signed by %q, want %q", got, tt.want)
			}
			if (err != nil) != (tt.error != "") || err != nil && !strings.Contains(err.Error(), tt.error) {
				t.Errorf("error %v, want %q", err, tt.error)
			}
			if tt.traced != "" && (len(seen.Queries()) != 1 || !strings.Contains(seen.Queries()[0].Answer, tt.traced)) {
				t.Errorf("trace %v, want %q", seen.Queries(), tt.traced)
			}
		})
	}
}

// A body that ends too early is not one that was changed.
func TestBrokenReader(t *testing.T) {
	one := newSigner(t, "one.example")
	broken := errors.New("not kept")
	head, body, _ := strings.Cut(one.sign(t, "From: a@one.example\r\n\r\nhello\r\n"), "\r\n\r\n")
	text := io.MultiReader(strings.NewReader(head+"\r\n\r\n"+body[:2]), failing{broken})
	got, err := mailauth.VerifyDKIM(t.Context(), keys{"key._domainkey.one.example": one.record}, text)
	if got != "" || !errors.Is(err, broken) {
		t.Errorf("%q, %v", got, err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestSignatureDomain(t *testing.T) {
	for value, want := range map[string]string{
		" v=1; a=rsa-sha256; d=one.example; s=key": "one.example",
		"v=1;\r\n d = One.\r\n\tExample ;s=key":    "one.example",
		"v=1; bh=d=x; d=one.example":               "one.example",
		"v=1; d=b\u00fccher.example":               "xn--bcher-kva.example",
		"v=1; dd=two.example; d=one.example.":      "one.example",
		"v=1; s=key":                               "",
		"":                                         "",
		"d":                                        "",
		"v=1; d=":                                  "",
	} {
		if got := mailauth.SignatureDomain(value); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

// FuzzVerifyDKIM: whatever a sender signs with whatever key record he publishes, no panic, and
// nobody but the domain that is looked for beforehand comes out.
func FuzzVerifyDKIM(f *testing.F) {
	one := newSigner(f, "one.example")
	head, body, _ := strings.Cut(one.sign(f, "From: a@one.example\r\n\r\nhello \r\n"), "\r\n\r\n")
	field, rest, _ := strings.Cut(strings.TrimPrefix(head, "DKIM-Signature:"), "\r\nFrom:")
	f.Add(field, "From:"+rest, body, one.record)
	f.Add(field, "From:"+rest, body, rsaRecord(f))
	f.Add(strings.ReplaceAll(field, "a=ed25519", "a=rsa"), "From:"+rest, body, rsaRecord(f))
	f.Add("v=1; a=rsa-sha256; c=relaxed/relaxed; d=x; s=y; h=From; bh=; b=; q=dns/txt; t=1; x=9999999999; l=1; i=@x", "From: a", "\r\n", "k=rsa; p=; h=sha256:sha1; s=*:email; t=y:s")
	f.Add("v=1; a=; d=; s=; h=from:from:dkim-signature; bh=====; b==", " folded: first", "\r\r\n\n", "p=MIGf|p=MIGf")
	f.Fuzz(func(t *testing.T, field, header, body, record string) {
		message := "DKIM-Signature:" + field + "\r\n" + header + "\r\n\r\n" + body
		got, err := mailauth.VerifyDKIM(t.Context(), anyName(record), strings.NewReader(message))
		if got != "" && err != nil {
			t.Errorf("%q and %v", got, err)
		}
		if got != "" && !strings.ContainsAny(field, "\r\n") && got != mailauth.SignatureDomain(field) {
			t.Errorf("%q came out, %q was looked for", got, mailauth.SignatureDomain(field))
		}
	})
}

// anyName is a DNS that has one record at every name.
type anyName string

func (a anyName) LookupTXT(context.Context, string) ([]string, error) {
	return strings.Split(string(a), "|"), nil
}

func (anyName) LookupMX(context.Context, string) ([]*net.MX, error) { return nil, nil }

func (anyName) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) { return nil, nil }

func (anyName) LookupAddr(context.Context, string) (names []string, e error) { return nil, nil }

func rsaRecord(t testing.TB) string {
	t.Helper()
	private, err := rsa.GenerateKey(nil, 1024)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public)
}
