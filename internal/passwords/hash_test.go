package passwords

import (
	"os/exec"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// cheap is an entry whose password is "secret" and that costs nothing.
const cheap = "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$"

func TestHashesThatDovecotMakes(t *testing.T) {
	testbed.Require(t, "dovecot")
	for _, password := range []string{"secret", "p%s:#{x} é", strings.Repeat("long", 25)} {
		for _, args := range [][]string{{"-s", "ARGON2ID"}, {"-s", "BLF-CRYPT", "-r", "4"}} {
			out, err := exec.Command("doveadm", append([]string{"pw", "-p", password}, args...)...).Output()
			if err != nil {
				t.Fatal(err)
			}
			h, err := parseHash(strings.TrimSpace(string(out)))
			if err != nil {
				t.Fatalf("%q: %v", args, err)
			}
			if !h.matches([]byte(password)) || h.matches([]byte("x"+password)) {
				t.Errorf("%q: the password is not the one of the hash", args)
			}
		}
	}
}

func TestHashesThatDovecotReads(t *testing.T) {
	testbed.Require(t, "dovecot")
	h := New([]byte("secret"))
	for password, want := range map[string]bool{"secret": true, "wrong": false} {
		err := exec.Command("doveadm", "pw", "-t", h, "-p", password).Run()
		if (err == nil) != want {
			t.Errorf("%s: %v", password, err)
		}
	}
}

func TestParseHash(t *testing.T) {
	const b53 = "abcdefghijklmnopqrstuABCDEFGHIJKLMNOPQRSTUVWXYZ012345."
	for _, c := range []struct{ name, text, want string }{
		{"argon2id", cheap + "aGFzaGhhc2hoYXNoaGFzaA", ""},
		{"any case of the scheme", strings.Replace(cheap, "ARGON2ID", "argon2id", 1) + "aGFzaGhhc2hoYXNoaGFzaA", ""},
		{"bcrypt", "{BLF-CRYPT}$2y$05$" + b53[:53], ""},
		{"bcrypt of others", "{BLF-CRYPT}$2b$12$" + b53[:53], ""},
		{"no scheme", "geheim", "no {SCHEME}"},
		{"nothing", "", "no {SCHEME}"},
		{"half a scheme", "{PLAIN", "no {SCHEME}"},
		{"in clear", "{PLAIN}geheim", "the scheme {PLAIN} is not supported"},
		{"a password for a scheme", "{geheim}", "the scheme is malformed"},
		{"another encoding", "{ARGON2ID.HEX}00", "the scheme is malformed"},
		{"another Argon2", "{ARGON2ID}$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "not of the form"},
		{"an older Argon2", "{ARGON2ID}$argon2id$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "not of the form"},
		{"4 GiB", "{ARGON2ID}$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "m=4194304,t=1,p=1 is out of bounds"},
		{"1 GiB, as doveadm makes it", "{ARGON2ID}$argon2id$v=19$m=1048576,t=4,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", ""},
		{"1 GiB, too often", "{ARGON2ID}$argon2id$v=19$m=1048576,t=5,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "out of bounds"},
		{"a number that wraps", "{ARGON2ID}$argon2id$v=19$m=4294967304,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "out of bounds"},
		{"a product that wraps", "{ARGON2ID}$argon2id$v=19$m=16,t=4294967296,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "out of bounds"},
		{"no pass", "{ARGON2ID}$argon2id$v=19$m=8,t=0,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "out of bounds"},
		{"no lane", "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=0$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "out of bounds"},
		{"less memory than lanes", "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=2$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "out of bounds"},
		{"a short salt", "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2Fs$aGFzaGhhc2hoYXNoaGFzaA", "base64 of 8 and 16"},
		{"a short hash", "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFz", "base64 of 8 and 16"},
		{"half a letter", "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaAAAA", "base64 of 8 and 16"},
		{"bcrypt, dear", "{BLF-CRYPT}$2y$16$" + b53[:53], "the cost 16 of {BLF-CRYPT} is out of bounds"},
		{"bcrypt, cheaper than possible", "{BLF-CRYPT}$2y$03$" + b53[:53], "out of bounds"},
		{"bcrypt, cut short", "{BLF-CRYPT}$2y$05$" + b53[:52], "not of the form"},
		{"bcrypt, the broken one", "{BLF-CRYPT}$2x$05$" + b53[:53], "not of the form"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := parseHash(c.text)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if d := h.dummy(); d.effort() != h.effort() || d.memory() != h.memory() {
					t.Errorf("its dummy is %v", d)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
			for _, secret := range []string{"geheim", "c2FsdHNhbHQ", "aGFza", b53[:20]} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error shows what stands there: %v", err)
				}
			}
		})
	}
}

// No password fits a dummy, whichever scheme it stands in for, and its work is done.
func TestDummies(t *testing.T) {
	for _, text := range []string{cheap + "aGFzaGhhc2hoYXNoaGFzaA", "{BLF-CRYPT}$2y$04$abcdefghijklmnopqrstuABCDEFGHIJKLMNOPQRSTUVWXYZ012345"} {
		h, err := parseHash(text)
		if err != nil {
			t.Fatal(err)
		}
		one, other := h.dummy(), h.dummy()
		if one.matches([]byte("secret")) {
			t.Error("a password fits")
		}
		switch one := one.(type) {
		case argon:
			if string(one.tag) == string(other.(argon).tag) || string(one.salt) == string(other.(argon).salt) {
				t.Error("dummies are alike")
			}
		case blowfish:
			if _, err := parseBlowfish(string(one.text)); err != nil || string(one.text) == string(other.(blowfish).text) {
				t.Errorf("%s, %v", one.text, err)
			}
		}
	}
}
