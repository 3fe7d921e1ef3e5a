package milter

import (
	"math"
	"net/netip"
	"strings"
	"testing"

	"mailweir/internal/policy"
)

func TestConnectFacts(t *testing.T) {
	addr := netip.MustParseAddr
	macrosOf := func(pairs ...string) macros { return macros(strings.Join(pairs, "\x00") + "\x00") }
	tests := []struct {
		name   string
		packet []byte
		macros macros
		want   policy.ConnectFacts
	}{
		{"IPv4", connectPacket("mx.x.example", '4', 25000, "192.0.2.7"), nil, policy.ConnectFacts{Client: addr("192.0.2.7"), Port: 25000, Name: "mx.x.example"}},
		{"IPv6", connectPacket("mx.x.example", '6', 1, "2001:db8::7"), nil, policy.ConnectFacts{Client: addr("2001:db8::7"), Port: 1, Name: "mx.x.example"}},
		{"sendmail's IPv6", connectPacket("[IPv6:0:0:0:0:0:0:0:1]", '6', 1, "IPv6:0:0:0:0:0:0:0:1"), nil, policy.ConnectFacts{Client: addr("::1"), Port: 1}},
		{"IPv4 within IPv6", connectPacket("unknown", '6', 1, "::ffff:192.0.2.7"), nil, policy.ConnectFacts{Client: addr("192.0.2.7"), Port: 1}},
		{"a zone", connectPacket("unknown", '6', 1, "fe80::1%eth0"), nil, policy.ConnectFacts{Client: addr("fe80::1"), Port: 1}},
		{"name in brackets", connectPacket("[192.0.2.7]", '4', 1, "192.0.2.7"), nil, policy.ConnectFacts{Client: addr("192.0.2.7"), Port: 1}},
		{"sendmail -t", connectPacket("localhost", '4', 0, "127.0.0.1"), nil, policy.ConnectFacts{Client: addr("127.0.0.1"), Name: "localhost"}},
		{"an address that is none", connectPacket("x", '4', 1, "300.0.0.1"), nil, policy.ConnectFacts{Name: "x", Port: 1}},
		{"no address", connectPacket("x", '4', 1, ""), nil, policy.ConnectFacts{Name: "x", Port: 1}},
		{"a unix socket", connectPacket("localhost", 'L', 0, "/run/x"), nil, policy.ConnectFacts{Name: "localhost", NoNetwork: true}},
		{"sendmail -bs", connectPacket("localhost", 'U', 0, ""), nil, policy.ConnectFacts{Name: "localhost", NoNetwork: true}},
		{"unknown, not localhost", connectPacket("mx.x.example", 'U', 0, ""), nil, policy.ConnectFacts{Name: "mx.x.example"}},
		{"unknown in all", connectPacket("unknown", 'U', 0, ""), nil, policy.ConnectFacts{}},
		{"a family nobody knows", connectPacket("x", 'Z', 1, "y"), nil, policy.ConnectFacts{Name: "x"}},
		{
			"macros", connectPacket("mx.x.example", '4', 1, "192.0.2.7"),
			macrosOf("{daemon_port}", "587", "{daemon_name}", "MSA", "{client_ptr}", "ptr.x.example", "{client_resolve}", "OK", "j", "mx.example.org"),
			policy.ConnectFacts{
				Client: addr("192.0.2.7"), Port: 1, Name: "mx.x.example", Unverified: "ptr.x.example", DaemonName: "MSA", DaemonPort: "587", MTA: "mx.example.org",
			},
		},
		{
			"a forged name", connectPacket("bank.example", '4', 1, "192.0.2.7"),
			macrosOf("{client_ptr}", "bank.example", "{client_resolve}", "FORGED"),
			policy.ConnectFacts{Client: addr("192.0.2.7"), Port: 1, Unverified: "bank.example"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := connectFacts(tt.packet[lengthSize+1:], tt.macros)
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func TestTLSFacts(t *testing.T) {
	tests := []struct {
		name   string
		macros string
		want   policy.TLS
	}{
		{"in clear", "", policy.TLS{}},
		{"sendmail in clear", "{cipher_bits}\x000\x00{verify}\x00NONE\x00", policy.TLS{}},
		{
			"postfix", "{tls_version}\x00TLSv1.3\x00{cipher}\x00TLS_AES_256_GCM_SHA384\x00{cipher_bits}\x00256\x00{cert_subject}\x00bob\x00{cert_issuer}\x00ca\x00",
			policy.TLS{Version: "TLSv1.3", Cipher: "TLS_AES_256_GCM_SHA384", Bits: 256, CertSubject: "bob", CertIssuer: "ca"},
		},
		{
			"sendmail, certificate not verified", "{tls_version}\x00TLSv1.2\x00{verify}\x00FAIL\x00{cert_subject}\x00bob\x00",
			policy.TLS{Version: "TLSv1.2"},
		},
		{
			"sendmail, certificate verified", "{tls_version}\x00TLSv1.2\x00{verify}\x00OK\x00{cert_subject}\x00bob\x00",
			policy.TLS{Version: "TLSv1.2", CertSubject: "bob"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tlsFacts(macros(tt.macros)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestMailArguments(t *testing.T) {
	tests := []struct {
		args string
		want policy.MailFacts
	}{
		{"", policy.MailFacts{}},
		{"SIZE=100\x00BODY=8BITMIME\x00", policy.MailFacts{Size: 100}},
		{"size=100", policy.MailFacts{Size: 100}},
		{"SMTPUTF8\x00SIZE=0\x00", policy.MailFacts{SMTPUTF8: true}},
		{"SIZE=\x00", policy.MailFacts{Size: -1}},
		{"SIZE\x00", policy.MailFacts{Size: -1}},
		{"SIZE=-5\x00", policy.MailFacts{Size: -1}},
		{"SIZE=+5\x00", policy.MailFacts{Size: -1}},
		{"SIZE=1e9\x00", policy.MailFacts{Size: -1}},
		{"SIZE=99999999999999999999\x00", policy.MailFacts{Size: math.MaxInt64}},
		{"SIZE=999999999999999999999\x00", policy.MailFacts{Size: -1}},
		{"AUTH=<>\x00\x00RET=HDRS\x00", policy.MailFacts{}},
	}
	for _, tt := range tests {
		var got policy.MailFacts
		mailArguments([]byte(tt.args), &got)
		if got != tt.want {
			t.Errorf("%q: %+v, want %+v", tt.args, got, tt.want)
		}
	}
}

func TestPath(t *testing.T) {
	for spelling, want := range map[string]string{
		"<a@b>": "a@b", "a@b": "a@b", "<>": "", "": "", "<": "<", "<a@b": "<a@b", `<"<x>"@b>`: `"<x>"@b`, "<<a@b>>": "<a@b>",
	} {
		if got := path(spelling); got != want {
			t.Errorf("path(%q) = %q, want %q", spelling, got, want)
		}
	}
}

// FuzzMailArguments: whatever a client declares, its size is a number of octets, or unreadable.
func FuzzMailArguments(f *testing.F) {
	f.Add("<a@b>", "SIZE=1", "SMTPUTF8")
	f.Add("<>", "size=18446744073709551616", "SIZE")
	f.Fuzz(func(t *testing.T, spelling, first, second string) {
		sender, args := cstring(mailPacket(spelling, first, second)[lengthSize+1:])
		if want, _, _ := strings.Cut(spelling, "\x00"); string(sender) != want {
			t.Errorf("address %q, want %q", sender, want)
		}
		var facts policy.MailFacts
		mailArguments(args, &facts)
		if facts.Size < -1 {
			t.Errorf("size %d of %q", facts.Size, args)
		}
		has := func(keyword string) bool {
			for _, arg := range strings.Split(string(args), "\x00") {
				name, _, _ := strings.Cut(arg, "=")
				if strings.EqualFold(name, keyword) {
					return true
				}
			}
			return false
		}
		if facts.SMTPUTF8 != has("SMTPUTF8") || facts.Size != 0 && !has("SIZE") {
			t.Errorf("%q: %+v", args, facts)
		}
	})
}

func TestMacros(t *testing.T) {
	for name, want := range map[string]string{"i": "4X", "{empty}": "", "{last}": "z", "{absent}": "", "4X": ""} {
		if got := macros("i\x004X\x00{empty}\x00\x00{last}\x00z").get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { macros("i\x004X\x00{a}\x00b\x00").get("{absent}") }); n != 0 {
		t.Errorf("looking for a macro that is absent makes %v allocations", n)
	}
}
