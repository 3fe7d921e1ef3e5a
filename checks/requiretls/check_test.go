package requiretls

import (
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/policytest"
)

func TestRequireTLSConditions(t *testing.T) {
	strong := policy.TLS{Version: "TLSv1.3", Bits: 256, CertSubject: "mail.example.net"}
	sendmail := policy.TLS{Version: "TLSv1.2", Bits: 128, CertSubject: "/C=XX/O=Example/CN=mail.example.net"}
	old := policy.TLS{Version: "TLSv1", Bits: 56}
	for _, c := range []struct {
		need  string
		tls   policy.TLS
		lacks string
	}{
		{"tls", policy.TLS{}, "no TLS"},
		{"tls", old, ""},
		{"tls>=1.2", old, "only TLSv1"},
		{"tls>=1.2", sendmail, ""},
		{"tls>=1.3", sendmail, "only TLSv1.2"},
		{"bits>=128", old, "only 56 bits"},
		{"bits>=128", strong, ""},
		{"tls>=1.2 bits>=256", sendmail, "only 128 bits"},
		{"cert=mail.example.net", strong, ""},
		{"cert=MAIL.example.net", sendmail, ""},
		{"cert=other.example.net", strong, "no certificate of that name"},
		{"cert=mail.example.net", old, "no certificate of that name"},
		{"tls>=1.0", policy.TLS{Version: "SSLv3", Bits: 168}, "only SSLv3"},
	} {
		need, err := parseTLS(c.need)
		if err != nil {
			t.Fatal(err)
		}
		if got := need.lacks(c.tls); got != c.lacks {
			t.Errorf("%s with %v lacks %q, want %q", c.need, c.tls, got, c.lacks)
		}
	}
	for _, value := range []string{"ssl", "tls>=nan", "tls>=2", "tls>=", "cert="} {
		policytest.Only(Check).WantError(t, "none of tls", "--require-tls-routes=inline:{192.0.2.1="+value+"}")
	}
	policytest.Only(Check).WantError(t, "none of tls", "--require-tls-routes=inline:{192.0.2.1=bits>=x}")
}

func TestRequireTLS(t *testing.T) {
	const clear = "rcpt 553 5.7.1 This route requires encryption (TLS)"
	tls := []string{"--require-tls-routes=inline:{ {192.0.2.1=tls} {192.0.2.3=none} {user@ours.example=tls} {bank.example=tls} }"}
	policytest.Only(Check).Play(t, tls, []policytest.Scenario{
		{Name: "client", Said: clear, Cause: "no TLS"},
		{Name: "sender", Mail: policytest.Letter{Client: "192.0.2.9", From: "x@bank.example", To: []string{"other@ours.example"}}, Said: clear},
		{Name: "recipient", Mail: policytest.Letter{Client: "192.0.2.9"}, Said: clear},
		{Name: "other recipient", Mail: policytest.Letter{Client: "192.0.2.9", To: []string{"other@ours.example"}}},
		{Name: "loopback", Mail: policytest.Letter{Client: "127.0.0.1"}},
		{Name: "local submission", Mail: policytest.Letter{Client: "none"}},
		{Name: "monitored", Flags: []string{"--require-tls=monitor"}, Events: "require-tls would_refuse\nrequire-tls would_refuse"},
	})
}
