package runner

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"mailweir/internal/dns"
	"mailweir/internal/dns/dnstest"
	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
)

// A signed body is kept only where a signature could vouch for a permit that matters.
func TestSignedMessagesAreKept(t *testing.T) {
	object := func(*policy.Recipient) (policy.Verdict, error) { return no("late") }
	pass := func(*policy.Recipient) (policy.Verdict, error) { return policy.Pass, nil }
	grants := func(context.Context, *policy.Recipient) ([]policy.Grant, error) { return nil, nil }
	for _, tt := range []struct {
		name  string
		from  string
		by    string // the signature's domain, unless it is aligned
		late  policy.Hooks
		gives policy.Exemption
		grant func(context.Context, *policy.Recipient) ([]policy.Grant, error)
		want  bool
	}{
		{name: "an objection that gives way", from: "x@else.example", late: policy.Hooks{HeadersFor: object}, gives: policy.ExemptAutoAllow, grant: grants, want: true},
		{name: "no objection", from: "x@else.example", late: policy.Hooks{HeadersFor: pass}, gives: policy.ExemptAutoAllow, grant: grants},
		{name: "one may come at the end", from: "x@else.example", late: policy.Hooks{MessageFor: pass}, gives: policy.ExemptAutoAllow, grant: grants, want: true},
		{name: "an objection that never gives way", from: "x@else.example", late: policy.Hooks{HeadersFor: object}, gives: policy.ExemptTrusted, grant: grants},
		{name: "nobody permits", from: "x@else.example", late: policy.Hooks{HeadersFor: object}, gives: policy.ExemptAutoAllow},
		{name: "signed by another", from: "x@else.example", by: "third.example", late: policy.Hooks{HeadersFor: object}, gives: policy.ExemptAutoAllow, grant: grants},
		{name: "null sender", late: policy.Hooks{HeadersFor: object}, gives: policy.ExemptAutoAllow, grant: grants},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var wanted bool
			r := newRig(t, "",
				check("late", tt.late, func(c *policy.Check) { c.Exempt = tt.gives }),
				check("permits", policy.Hooks{
					Grant: tt.grant,
					SettleMessage: func(_ context.Context, m *policy.Message, _ policy.Outcome) {
						wanted = m.Inquiry.(*message).body != nil
					},
				}))
			l := mail("a@ours.example")
			l.from, l.fields = tt.from, []policy.Field{{Name: "From", Value: "x@else.example"}, {Name: "DKIM-Signature", Value: "v=1; d=" + cmp.Or(tt.by, "mail.else.example")}}
			r.send(l)
			r.idle()
			if wanted != tt.want {
				t.Errorf("body kept: %t, want %t", wanted, tt.want)
			}
		})
	}
}

// signedBy returns header and body of a large message with a DKIM signature of the domain, and the
// record of its key.
func signedBy(t *testing.T, domain, body string) (fields []policy.Field, record string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	options := &dkim.SignOptions{Domain: domain, Selector: "key", Signer: private, BodyCanonicalization: "relaxed", HeaderCanonicalization: "relaxed"}
	if err := dkim.Sign(&out, strings.NewReader("From: x@else.example\r\n\r\n"+body), options); err != nil {
		t.Fatal(err)
	}
	field, _, _ := strings.Cut(strings.TrimPrefix(out.String(), "DKIM-Signature: "), "\r\nFrom:")
	fields = []policy.Field{{Name: "DKIM-Signature", Value: field}, {Name: "From", Value: "x@else.example"}}
	return fields, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
}

// slowKeys answers the first question for each key with silence, and then with the record.
func slowKeys(t *testing.T, zone, record string) *dns.Resolver {
	t.Helper()
	server := dnstest.New(t)
	server.Set(zone, func(key string, m *dnstest.Msg, _ bool) [][]byte {
		switch {
		case key != "key._domainkey":
			return dnstest.One(dnstest.NX(m))
		case server.Count("TXT "+key+"."+zone) == 1:
			return nil
		}
		return dnstest.One(dnstest.Has(m, "300", `TXT "`+record+`"`))
	})
	r, err := dns.NewResolver(dns.ResolverOptions{Servers: []string{server.Addr}, AttemptTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// A signature vouches for a message of any size, however long its key takes: what is kept is read
// when the message has ended.
func TestLargeSignedMessage(t *testing.T) {
	body := strings.Repeat(strings.Repeat("0123456789abcde ", 4)+"\r\n", 9<<20/66)
	fields, record := signedBy(t, "mail.else.example", body)
	grants := func(context.Context, *policy.Recipient) ([]policy.Grant, error) {
		return []policy.Grant{{By: policy.ExemptAutoAllow, Source: "pair"}}, nil
	}
	object := func(*policy.Recipient) (policy.Verdict, error) { return no("late") }
	noSPF := func(m *policy.Message) (policy.Verdict, error) {
		knowSPF(m, mailauth.SPFNone, nil)
		return policy.Pass, nil
	}
	for _, tt := range []struct {
		name, body, flags string
		want              string
	}{
		{name: "signed", body: body},
		{name: "changed at its end", body: body[:len(body)-4] + "\r\n", want: "end 550 5.7.1 late"},
		{name: "not kept", body: body, flags: "--scan-spool-max=8MiB", want: "end 451 4.7.1 late"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.flags,
				check("late", policy.Hooks{HeadersFor: object}, func(c *policy.Check) { c.Exempt = policy.ExemptAutoAllow }),
				check("permits", policy.Hooks{Grant: grants, Mail: noSPF}))
			r.backends.DNS = slowKeys(t, "mail.else.example", record)
			l := mail("a@ours.example")
			l.from, l.client, l.fields, l.body = "x@else.example", "192.0.2.1", fields, tt.body
			wantSaid(t, r.send(l), tt.want)
			wantSpoolEmpty(t, r)
		})
	}
}

// What was found at RCPT and comes after the end of the message is judged by what could vouch at
// RCPT: that the body is gone by then is no failure.
func TestLateFindingDoesNotLookForSignatures(t *testing.T) {
	ended := make(chan struct{})
	fields, record := signedBy(t, "mail.else.example", "hello\r\n")
	late := policy.Hooks{Rcpt: func(*policy.Recipient) (policy.Verdict, error) {
		return policy.Asks(policy.Network{}).Later(func(context.Context) (policy.Verdict, error) {
			<-ended
			return no("late")
		}), nil
	}}
	end := policy.Hooks{MessageFor: func(*policy.Recipient) (policy.Verdict, error) { return policy.Pass, nil }}
	permits := policy.Hooks{
		Grant: func(context.Context, *policy.Recipient) ([]policy.Grant, error) {
			return []policy.Grant{{By: policy.ExemptAutoAllow, Source: "pair"}}, nil
		},
		Mail: func(m *policy.Message) (policy.Verdict, error) {
			knowSPF(m, mailauth.SPFNone, nil)
			return policy.Pass, nil
		},
	}
	gives := func(c *policy.Check) { c.Exempt = policy.ExemptAutoAllow }
	r := newRig(t, "", check("late", late, gives, func(c *policy.Check) { c.Mode = policy.Monitor }), check("end", end, gives), check("permits", permits))
	r.backends.DNS = slowKeys(t, "mail.else.example", record)
	l := mail("a@ours.example")
	l.from, l.fields, l.body = "x@else.example", fields, "hello\r\n"
	wantSaid(t, r.send(l), "")
	close(ended)
	wantEvents(t, r, "late would_refuse a@ours.example")
	if e := r.seen.list[0]; strings.Contains(e.Cause, "vouched") {
		t.Errorf("cause %q", e.Cause)
	}
	wantSpoolEmpty(t, r)
}
