package test

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// authBed is a Postfix whose submission asks a mailweir auth about logins. No milter is attached to
// it: it is mailweir auth that asks the milter.
type authBed struct {
	*testing.T
	binary  string
	mta     *testbed.MTA
	dovecot *testbed.Process // nil with a password file
	auth    *testbed.Auth
	milter  *testbed.Mailweir // nil until served
	toAsk   string            // --auth-milter
}

const authSocket = "private/mw-auth"

// newAuthBed starts a Postfix. Nobody answers it yet.
func newAuthBed(t *testing.T) *authBed {
	t.Helper()
	return newAuthBedAt(t, authSocket)
}

// newAuthBedAt starts one that asks elsewhere (smtpd_sasl_path).
func newAuthBedAt(t *testing.T, path string) *authBed {
	t.Helper()
	testbed.Require(t, "postfix")
	testbed.Require(t, "dovecot")
	b := &authBed{T: t, binary: testbed.BuildMailweir(t)}
	b.mta = testbed.StartPostfix(t, testbed.MTAConfig{NoMilter: true, ErrorLimit: 20, Extra: testbed.SASLFlags(path)})
	b.toAsk = "--auth-milter=unix:" + filepath.Join(testbed.TempDir(t), "logins")
	return b
}

// byDovecot starts a Dovecot and mailweir auth before it.
func (b *authBed) byDovecot(flags ...string) {
	b.Helper()
	b.startDovecot()
	b.auth = testbed.StartAuth(b, b.binary, b.mta.Below(authSocket), append([]string{"--auth-upstream=unix:" + b.mta.Below("private/auth"), b.toAsk}, flags...)...)
}

func (b *authBed) startDovecot() {
	b.Helper()
	b.dovecot = testbed.StartDovecot(b, b.mta.Below("private/auth"))
}

// byFile starts mailweir auth with a password file of its own: alice, "secret".
func (b *authBed) byFile(flags ...string) (file string) {
	b.Helper()
	file = filepath.Join(testbed.TempDir(b), "passwd")
	// By doveadm pw -s BLF-CRYPT.
	const alice = "alice:{BLF-CRYPT}$2y$05$EquRuNvSjew4013u1EUuueQlcdBmMYtiOzyItJ.ltM18s4OyYSWVq\n"
	if err := os.WriteFile(file, []byte(alice), 0o600); err != nil {
		b.Fatal(err)
	}
	b.auth = testbed.StartAuth(b, b.binary, b.mta.Below(authSocket), append([]string{"--auth-passwords=" + file, b.toAsk}, flags...)...)
	return file
}

// serve starts the milter. Who wants every login to reach it does so first: a milter that is away
// is looked for only now and then.
func (b *authBed) serve(flags ...string) {
	b.Helper()
	b.milter = testbed.StartMailweir(b, testbed.MailweirConfig{
		Binary: b.binary, Socket: b.mta.Milter,
		Flags: append([]string{b.toAsk, "--trusted-nets=127.0.0.2", b.mta.Services(), "--tempblock=enforce"}, flags...),
	})
}

// client connects to submission as a client of that address.
func (b *authBed) client(address string) *testbed.Talk {
	b.Helper()
	c := b.mta.Talk(b, b.mta.Submission)
	c.Say("XCLIENT ADDR="+address, "220")
	c.Say("EHLO client.example", "250")
	c.Say("STARTTLS", "220")
	if err := c.StartTLS(nil); err != nil {
		b.Fatal(err)
	}
	c.Say("EHLO client.example", "250")
	return c
}

var errUnderWay = errors.New("too few logins so far")

// What clients read.
const (
	readsRight = "235 2.7.0 Authentication successful"
	readsWrong = "535 5.7.8 Error: authentication failed: Incorrect authentication data"
	readsLater = "454 4.7.0 Temporary authentication failure: Connection lost to authentication server"
)

func authPlain(login, password string) string {
	return "AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00"+login+"\x00"+password))
}

// scram logs in by SCRAM-SHA-256 (RFC 5802, RFC 7677), and returns the last reply.
func scram(t *testing.T, c *testbed.Talk, login, password string) string {
	t.Helper()
	b64 := base64.StdEncoding.EncodeToString
	ask := func(command string) (text string) {
		reply, err := c.Ask(command)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(reply, "\n")
	}
	challenge := func(reply string) string {
		text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(reply, "334 "))
		if err != nil || !strings.HasPrefix(reply, "334 ") {
			t.Fatalf("no challenge: %q", reply)
		}
		return string(text)
	}
	first := "n=" + login + ",r=clientnonce"
	server := challenge(ask("AUTH SCRAM-SHA-256 " + b64([]byte("n,,"+first))))
	var nonce, salt string
	var rounds int
	if _, err := fmt.Sscanf(strings.ReplaceAll(server, ",", " "), "r=%s s=%s i=%d", &nonce, &salt, &rounds); err != nil {
		t.Fatalf("%q: %v", server, err)
	}
	octets, err := base64.StdEncoding.DecodeString(salt)
	if err != nil {
		t.Fatal(err)
	}
	mac := func(key []byte, text string) []byte {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	salted, err := pbkdf2.Key(sha256.New, password, octets, rounds, sha256.Size)
	if err != nil {
		t.Fatal(err)
	}
	key := mac(salted, "Client Key")
	stored := sha256.Sum256(key)
	last := "c=biws,r=" + nonce
	proof := mac(stored[:], first+","+server+","+last)
	for i := range proof {
		proof[i] ^= key[i]
	}
	reply := ask(b64([]byte(last + ",p=" + b64(proof))))
	if strings.HasPrefix(reply, "334 ") { // the server's own proof
		reply = ask("")
	}
	return reply
}
