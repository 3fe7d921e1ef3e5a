package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// flagsOf reads flags of the process.
func flagsOf(t *testing.T, args ...string) *daemonFlags {
	t.Helper()
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	d, _ := register(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return d
}

// What could not be started, or not safely, is said with the flag that mends it.
func TestConsoleFlags(t *testing.T) {
	for _, c := range []struct {
		args, want string
	}{
		{"", ""},
		{"--console=unix:/run/mailweir/console", ""},
		{"--console=/run/mailweir/console", "neither HOST:PORT nor unix:/PATH"},
		{"--console=127.0.0.1", "neither HOST:PORT nor unix:/PATH"},
		{"--console=unix:run", "--console: "},
		{"--console=unix:/run/x --console-mode=999", "--console-mode"},
		{"--console=unix:/run/x --console-group=no-such-group", "--console-group"},
		{"--console=127.0.0.1:8427", "say who may with --console-users, --console-auth or --console-proxy"},
		{"--console=localhost:8427 --console-users=/x", ""},
		{"--console=127.0.0.1:8427 --console-users=/x", ""},
		{"--console=[::1]:8427 --console-users=/x", ""},
		{"--console=:8427 --console-users=/x", "passwords would pass in clear: give --console-cert and --console-key, or --console-proxy"},
		{"--console=0.0.0.0:8427 --console-users=/x", "in clear"},
		{"--console=192.0.2.1:8427 --console-users=/x", "in clear"},
		{"--console=console.example.org:8427 --console-users=/x", "in clear"},
		{"--console=192.0.2.1:8427 --console-users=/x --console-cert=/c", "belong together"},
		{"--console=192.0.2.1:8427 --console-users=/x --console-cert=/nowhere/c --console-key=/nowhere/k", "--console-cert, --console-key: open /nowhere/c"},
		{"--console=unix:/run/x --console-cert=/c --console-key=/k", "needs no TLS"},
		{"--console=192.0.2.1:8427 --console-proxy=192.0.2.2", "name a table with --console-roles"},
		{"--console=192.0.2.1:8427 --console-proxy=192.0.2.2 --console-roles=/r", ""},
		{"--console=192.0.2.1:8427 --console-proxy=192.0.2.2/33 --console-roles=/r", "--console-proxy: "},
		{"--console=unix:/run/x --console-proxy=uid:nobody --console-roles=/r", ""},
		{"--console=unix:/run/x --console-proxy=uid:no-such-user --console-roles=/r", "--console-proxy: user: unknown user"},
		{"--console=unix:/run/x --console-proxy=uid:nobody --console-roles=/r --console-proxy-header=a:b", "no name of a header"},
		{"--console=unix:/run/x --console-proxy=uid:nobody --console-roles=/r --console-proxy-header=", "no name of a header"},
		{"--console=127.0.0.1:1 --console-auth=unix:/run/dovecot/auth", "Dovecot knows passwords and no roles"},
		{"--console=127.0.0.1:1 --console-auth=x --console-roles=/r", "neither unix:/PATH nor inet:HOST:PORT"},
		{"--console=127.0.0.1:1 --console-auth=inet:127.0.0.1:12345 --console-roles=/r", ""},
		{"--console=unix:/run/x --console-addresses=/a", "nobody is a user without --console-roles"},
		{"--console=unix:/run/x --console-host=https://console.example.org", "--console-host"},
		{"--console=unix:/run/x --console-host=console.example.org:443", "without a port"},
		{"--console=unix:/run/x --console-host=console.example.org,2001:db8::1", ""},
	} {
		t.Run(c.args, func(t *testing.T) {
			err := flagsOf(t, strings.Fields(c.args)...).validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestConsoleRemarks(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", ""},
		{"--console=unix:/run/mailweir/console", ""},
		{"--console-users=/x", "--console-users is given and --console is not"},
		{"--console=127.0.0.1:1 --console-proxy=127.0.0.1 --console-roles=/r", "every user of this host can connect from there and say who he is"},
		{"--console=192.0.2.1:1 --console-proxy=0.0.0.0/0 --console-roles=/r", "everybody can say who he is"},
		{"--console=:1 --console-proxy=192.0.2.1 --console-roles=/r", "--console-host is not given"},
	} {
		if got := strings.Join(flagsOf(t, strings.Fields(c.args)...).console.remarks(), "\n"); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.args, got, c.want)
		}
	}
}

// A certificate counts from when both of its files are there, and a broken one changes nothing.
func TestConsoleCertificate(t *testing.T) {
	dir := t.TempDir()
	chain, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	first := server.TLS.Certificates[0]
	put(t, chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: first.Certificate[0]}))
	put(t, key, []byte(keyOf(t, first)))
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var wrong []error
	c, err := openCertificate(chain, key, func() time.Time { return now }, func(err error) { wrong = append(wrong, err) })
	if err != nil {
		t.Fatal(err)
	}
	get := func() *tls.Certificate {
		now = now.Add(lookEvery)
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	before := get()
	if get() != before {
		t.Error("it is read again, and has not changed")
	}
	put(t, chain, []byte("-----BEGIN"))
	if get(); get() != before || len(wrong) != 1 {
		t.Errorf("broken: %v", wrong)
	}
	put(t, chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: first.Certificate[0]}))
	if get() == before || len(wrong) != 1 {
		t.Error("it is not read again")
	}
	if _, err := openCertificate(chain, chain, time.Now, nil); err == nil {
		t.Error("a certificate without its key")
	}
}

// put writes a file as another one, as programs do that renew certificates.
func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path+".new", data, 0o600), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

// Tables of roles count from when their file has changed, and a broken one changes nothing.
func TestConsoleTables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roles")
	put(t, path, []byte("anna admin\n"))
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	var wrong []error
	flags := flagsOf(t, "--console-roles="+path, "--console-addresses=inline:{bob=bob@example.org}").console
	tables, err := openConsoleTables(flags, &policy.Backends{Clock: clock, State: state.NewMemory(clock, 10)}, func(err error) { wrong = append(wrong, err) })
	if err != nil {
		t.Fatal(err)
	}
	defer tables.Close()
	roleOf := func(login string) string {
		now = now.Add(lookEvery)
		value, _, err := tables.roles().Role(t.Context(), login)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	if roleOf("anna") != "admin" || roleOf("bob") != "" {
		t.Error("not as the file says")
	}
	put(t, path, []byte("bob user\n"))
	if roleOf("anna") != "" || roleOf("bob") != "user" {
		t.Error("not as the file says now")
	}
	put(t, path, []byte("bob user\nanna king\n"))
	if roleOf("bob") != "user" || roleOf("anna") != "" || len(wrong) != 1 || !strings.Contains(wrong[0].Error(), path+`:2: "king" is no role`) {
		t.Errorf("broken: %v", wrong)
	}
	if value, _, _ := tables.roles().Addresses(t.Context(), "bob"); value != "bob@example.org" {
		t.Errorf("addresses %q", value)
	}
	if _, err := openConsoleTables(flagsOf(t, "--console-roles=/nowhere/roles").console, &policy.Backends{Clock: clock}, nil); err == nil || !strings.Contains(err.Error(), "--console-roles") {
		t.Error(err)
	}
}

func keyOf(t *testing.T, c tls.Certificate) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
