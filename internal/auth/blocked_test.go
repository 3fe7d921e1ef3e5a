package auth

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"mailweir/internal/policy"
)

// Before Dovecot hears a password the milter is asked, as soon as the mechanism shows the login.
func TestBlockedBeforeDovecot(t *testing.T) {
	for _, c := range []struct {
		mechanism, first, second string
		asked                    string
		heard                    int // requests and responses that Dovecot has
	}{
		{"PLAIN", plainBob, "", "192.0.2.1 bob", 0},
		{"PLAIN", "", plainBob, "192.0.2.1 bob", 1},
		{"LOGIN", "", b64("bob"), "192.0.2.1 bob", 1},
		{"LOGIN", b64("Bob"), "", "192.0.2.1 bob", 0},
		{"XOAUTH2", b64("user=bob@example.org\x01auth=Bearer token\x01\x01"), "", "192.0.2.1 bob@example.org", 0},
		{"OAUTHBEARER", b64("n,a=bob=2Cx,\x01host=h\x01auth=Bearer token\x01\x01"), "", "192.0.2.1 bob,x", 0},
		{"SCRAM-SHA-256", b64("n,,n=bob=3Dx,r=nonce"), "", "192.0.2.1 bob=x", 0},
		{"SCRAM-SHA-1-PLUS", b64("p=tls-unique,,n=bob,r=nonce"), "", "192.0.2.1 bob", 0},
		{"CRAM-MD5", "", b64("bob b913a602c7eda7a495b4e6e7334d3890"), "192.0.2.1 bob", 1},
		{"CRAM-MD5", "", "%%", "192.0.2.1 ", 1},
		{"CRAM-MD5", "", b64("b913a602c7eda7a495b4e6e7334d3890"), "192.0.2.1 ", 1},
		{"XOAUTH2", b64("user=bob\x01auth=Bearer token\x01user=carol\x01\x01"), "", "192.0.2.1 ", 0},
		{"XOAUTH2", b64("auth=Bearer token\x01\x01"), "", "192.0.2.1 ", 0},
		{"XOAUTH2", "", b64("auth=Bearer token\x01\x01"), "192.0.2.1 ", 1},
		{"OAUTHBEARER", b64("n,,\x01auth=Bearer token\x01\x01"), "", "192.0.2.1 ", 0},
		{"PLAIN", b64("bob"), "", "192.0.2.1 ", 0},
		{"SCRAM-SHA-256", b64("rubbish"), b64("c=biws,r=x,p=AAAA"), "192.0.2.1 ", 1},
		{"SCRAM-SHA-256", "", b64("rubbish"), "", 2},
		{"GSSAPI", "", "", "192.0.2.1 ", 0},
	} {
		t.Run(c.mechanism+" "+c.first, func(t *testing.T) {
			d := &dovecot{does: func(v *visit) {
				mechs := []string{"VERSION\t1\t2"}
				for _, m := range strings.Fields("PLAIN LOGIN XOAUTH2 OAUTHBEARER SCRAM-SHA-256 SCRAM-SHA-1-PLUS CRAM-MD5 GSSAPI") {
					mechs = append(mechs, "MECH\t"+m)
				}
				v.say(append(mechs, "DONE")...)
				v.hear()
				v.hear()
				for {
					line, ok := v.hear()
					if !ok {
						return
					}
					v.say("CONT\t" + strings.Split(line, "\t")[1] + "\tAAAA")
				}
			}}
			var u *Upstream
			judge := func(r *rig) Judge {
				u = byDovecot(d)(r).(*Upstream)
				return u
			}
			play(t, judge, func(r *rig) {
				if err := u.Seek(context.Background()); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				d.mu.Lock()
				d.heard = nil
				d.mu.Unlock()
				r.block = func(policy.Login) (bool, string, error) { return true, "blocked", nil }
				p, _ := r.connect()
				got := p.ask(c.mechanism, c.first)
				if c.second != "" && got != closed {
					got = p.proceed(c.second)
				}
				if want := c.asked != ""; (got == closed) != want {
					t.Errorf("%q", got)
				}
				r.want("asked", &r.asked, c.asked)
				synctest.Wait()
				if n := testutil.CollectAndCount(r.o.Counts.logins); (n == 1) != (c.asked != "") {
					t.Errorf("%d results counted", n)
				}
				if got := testutil.ToFloat64(r.o.Counts.logins.WithLabelValues(c.mechanism, "blocked")); (got == 1) != (c.asked != "") {
					t.Errorf("counted as blocked: %v", got)
				}
				if n := strings.Count(d.lines(), "AUTH\t") + strings.Count(d.lines(), "CONT\t"); n != c.heard {
					t.Errorf("Dovecot heard\n%s", d.lines())
				}
			})
		})
	}
}
