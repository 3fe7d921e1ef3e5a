package auth

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"mailweir/internal/policy"
)

// The handshake is what Postfix and Dovecot's own clients read, the MECH lines before SPID.
func TestHandshake(t *testing.T) {
	play(t, byFile, func(r *rig) {
		form := regexp.MustCompile(`^VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t[0-9]+\nCUID\t1\nCOOKIE\t[0-9a-f]{32}\nDONE\n$`)
		_, one := r.connect()
		_, other := r.connect()
		if !form.MatchString(one) || !strings.Contains(other, "CUID\t2\n") || strings.Contains(other, strings.Split(one, "COOKIE")[1]) {
			t.Errorf("%q, %q", one, other)
		}
	})
}

func TestLoginsByFile(t *testing.T) {
	for _, c := range []struct {
		name  string
		does  func(*smtpd)
		event string
		told  string
	}{
		{"PLAIN", func(p *smtpd) { p.said("AUTH", p.ask("PLAIN", b64("\x00bob\x00secret")), okBob) }, "", "192.0.2.1 bob succeeded"},
		{"PLAIN, in capital letters", func(p *smtpd) { p.said("AUTH", p.ask("plain", b64("\x00BOB\x00secret")), okBob) }, "", "192.0.2.1 bob succeeded"},
		{"PLAIN, asked for", func(p *smtpd) {
			p.said("AUTH", p.ask("PLAIN", ""), "CONT <ID> ")
			p.said("CONT", p.proceed(b64("\x00bob\x00secret")), okBob)
		}, "", "192.0.2.1 bob succeeded"},
		{"PLAIN for himself", func(p *smtpd) { p.said("AUTH", p.ask("PLAIN", b64("Bob\x00bob\x00secret")), okBob) }, "", "192.0.2.1 bob succeeded"},
		{
			"PLAIN for another", func(p *smtpd) { p.said("AUTH", p.ask("PLAIN", b64("alice\x00bob\x00secret")), noBob) },
			"refused 535 bob mechanism PLAIN: the password is right, but the client wants to act for another login", "192.0.2.1 bob failed",
		},
		{
			"wrong", func(p *smtpd) { p.said("AUTH", p.ask("PLAIN", b64("\x00bob\x00Secret")), noBob) },
			"refused 535 bob mechanism PLAIN: wrong password", "192.0.2.1 bob failed",
		},
		{
			"no such login", func(p *smtpd) { p.said("AUTH", p.ask("PLAIN", b64("\x00carol\x00secret")), noCarol) },
			"refused 535 carol mechanism PLAIN: no such login", "192.0.2.1 carol failed",
		},
		{
			"no password", func(p *smtpd) { p.said("AUTH", p.ask("PLAIN", b64("\x00bob\x00")), noBob) },
			"refused 535 bob mechanism PLAIN: wrong password", "192.0.2.1 bob failed",
		},
		{
			"an empty response", func(p *smtpd) { p.said("AUTH", p.ask("PLAIN", "="), noOne) },
			"refused 535  mechanism PLAIN: malformed response", "192.0.2.1  failed",
		},
		{
			"no base64", func(p *smtpd) { p.said("AUTH", p.ask("PLAIN", "%%%"), noOne) },
			"refused 535  mechanism PLAIN: malformed response", "192.0.2.1  failed",
		},
		{
			"no login at all", func(p *smtpd) { p.said("AUTH", p.ask("PLAIN", b64("\x00\x00secret")), noOne) },
			"refused 535  mechanism PLAIN: malformed response", "192.0.2.1  failed",
		},
		{"LOGIN", func(p *smtpd) {
			p.said("AUTH", p.ask("LOGIN", ""), "CONT <ID> VXNlcm5hbWU6")
			p.said("login", p.proceed(b64("bob")), "CONT <ID> UGFzc3dvcmQ6")
			p.said("password", p.proceed(b64("secret")), okBob)
		}, "", "192.0.2.1 bob succeeded"},
		{"LOGIN, the login at once", func(p *smtpd) {
			p.said("AUTH", p.ask("LOGIN", b64("bob")), "CONT <ID> UGFzc3dvcmQ6")
			p.said("password", p.proceed(b64("wrong")), noBob)
		}, "refused 535 bob mechanism LOGIN: wrong password", "192.0.2.1 bob failed"},
		{"LOGIN without a login", func(p *smtpd) {
			p.ask("LOGIN", "")
			p.said("login", p.proceed(""), noOne)
		}, "refused 535  mechanism LOGIN: malformed response", "192.0.2.1  failed"},
		{"cancelled, which nobody tells", func(p *smtpd) {
			p.ask("LOGIN", b64("carol"))
			p.said("AUTH", p.ask("PLAIN", b64("\x00bob\x00secret")), okBob)
		}, "", "192.0.2.1 bob succeeded"},
		{"an answer to what has been cancelled", func(p *smtpd) {
			p.ask("LOGIN", b64("bob"))
			p.ask("LOGIN", b64("carol"))
			p.ids--
			p.said("password", p.proceed(b64("secret")), closed)
		}, "", ""},
		{"an answer to what is over", func(p *smtpd) {
			p.ask("PLAIN", b64("\x00bob\x00secret"))
			p.said("CONT", p.proceed(b64("\x00bob\x00secret")), closed)
		}, "", "192.0.2.1 bob succeeded"},
		{"one after the other", func(p *smtpd) {
			p.said("wrong", p.ask("PLAIN", b64("\x00bob\x00x")), noBob)
			p.said("right", p.ask("PLAIN", b64("\x00bob\x00secret")), okBob)
		}, "refused 535 bob mechanism PLAIN: wrong password", "192.0.2.1 bob failed\n192.0.2.1 bob succeeded"},
		{
			"a client without an address", func(p *smtpd) { p.said("AUTH", p.askFrom("", "PLAIN", b64("\x00bob\x00x")), noBob) },
			"refused 535 bob mechanism PLAIN: wrong password", "",
		},
		{"IPv4 within IPv6", func(p *smtpd) { p.askFrom("::ffff:192.0.2.7", "PLAIN", b64("\x00bob\x00secret")) }, "", "192.0.2.7 bob succeeded"},
		{
			"a mechanism that is not offered", func(p *smtpd) { p.said("AUTH", p.ask("SCRAM-SHA-1", b64("n,,n=bob,r=x")), closed) },
			"deferred 454  mechanism other: the client wants a mechanism that is not offered, or no longer", "",
		},
		{
			"a login of many octets", func(p *smtpd) { p.ask("PLAIN", b64("\x00"+strings.Repeat("x", 500)+"\x00y")) },
			"refused 535  mechanism PLAIN: no such login", "192.0.2.1  failed",
		},
		{
			"a login with line ends", func(p *smtpd) { p.said("AUTH", p.ask("PLAIN", b64("\x00bob\tuser=x\n\x00y")), noOne) },
			"refused 535  mechanism PLAIN: no such login", "192.0.2.1  failed",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, byFile, func(r *rig) {
				p, _ := r.connect()
				c.does(p)
				r.want("events", &r.events, strings.Split(c.event, "\n")...)
				r.want("told", &r.told, strings.Split(c.told, "\n")...)
			})
		})
	}
}

// What no smtpd says ends the stream or means nothing, and never more.
func TestDisorder(t *testing.T) {
	for _, c := range []struct {
		name, line string
		ends       bool
	}{
		{"another major version", "VERSION\t2\t0", true},
		{"a later minor version", "VERSION\t1\t99\tx", false},
		{"a command of later versions", "HELLO\tworld", false},
		{"nothing", "", false},
		{"no number", "AUTH\tx\tPLAIN", true},
		{"no mechanism", "AUTH\t1", true},
		{"nothing but AUTH", "AUTH", true},
		{"parameters behind the response", "AUTH\t1\tPLAIN\tresp=AAAA\tsecured", true},
		{"CONT of nothing", "CONT\t1\tAAAA", true},
		{"CONT of nobody", "CONT\t\t", true},
		{"a long line", "AUTH\t1\tPLAIN\tresp=" + strings.Repeat("A", maxLine), true},
		{"a line that just fits", "X" + strings.Repeat("A", maxLine-2), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, byFile, func(r *rig) {
				p, _ := r.connect()
				p.send(c.line)
				if c.ends {
					p.said("it", p.hear(), closed)
				} else {
					p.said("AUTH", p.ask("PLAIN", b64("\x00bob\x00secret")), okBob)
				}
				p, _ = r.connect() // others are not concerned
				p.said("AUTH", p.ask("PLAIN", b64("\x00bob\x00secret")), okBob)
			})
		})
	}
}

// A blocked client is turned away once it is known who wants to log in and before the password is
// looked at, under the mode of the check; without an answer nobody is.
func TestBlocked(t *testing.T) {
	blocks := func(policy.Login) (bool, string, error) { return true, "tempblock: ten times wrong", nil }
	const event = "deferred 454 bob mechanism PLAIN: tempblock: ten times wrong"
	plain := func(p *smtpd) string { return p.ask("PLAIN", b64("\x00bob\x00secret")) }
	for _, c := range []struct {
		name   string
		mode   policy.Mode
		block  func(policy.Login) (bool, string, error)
		does   func(*smtpd) string
		want   string
		events []string
		asked  []string
	}{
		{"not blocked", policy.Enforce, nil, plain, okBob, nil, []string{"192.0.2.1 bob"}},
		{"blocked", policy.Enforce, blocks, plain, closed, []string{event}, []string{"192.0.2.1 bob"}},
		{"defer is the same", policy.Defer, blocks, plain, closed, []string{event}, []string{"192.0.2.1 bob"}},
		{"monitored", policy.Monitor, blocks, plain, okBob, []string{"would_refuse 454 bob mechanism PLAIN: tempblock: ten times wrong"}, []string{"192.0.2.1 bob"}},
		{
			"monitored, a wrong password", policy.Monitor, blocks, func(p *smtpd) string { return p.ask("PLAIN", b64("\x00bob\x00x")) }, noBob,
			[]string{"would_refuse 454 bob mechanism PLAIN: tempblock: ten times wrong", "refused 535 bob mechanism PLAIN: wrong password"},
			[]string{"192.0.2.1 bob"},
		},
		{"the milter is away", policy.Enforce, func(policy.Login) (bool, string, error) { return false, "", errAway }, plain, okBob, nil, []string{"192.0.2.1 bob"}},
		{"a right password is none", policy.Enforce, blocks, func(p *smtpd) string {
			p.said("AUTH", p.ask("LOGIN", ""), "CONT <ID> VXNlcm5hbWU6")
			return p.proceed(b64("bob"))
		}, closed, []string{"deferred 454 bob mechanism LOGIN: tempblock: ten times wrong"}, []string{"192.0.2.1 bob"}},
		{"asked once", policy.Enforce, nil, func(p *smtpd) string {
			p.ask("LOGIN", b64("bob"))
			return p.proceed(b64("secret"))
		}, okBob, nil, []string{"192.0.2.1 bob"}},
		{
			"no login", policy.Enforce, blocks, func(p *smtpd) string { return p.ask("PLAIN", "=") }, closed,
			[]string{"deferred 454  mechanism PLAIN: tempblock: ten times wrong"},
			[]string{"192.0.2.1 "},
		},
		{"no client", policy.Enforce, blocks, func(p *smtpd) string { return p.askFrom("", "PLAIN", b64("\x00bob\x00secret")) }, okBob, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, byFile, func(r *rig) {
				r.block = c.block
				p, _ := r.connect()
				p.said("it", c.does(p), c.want)
				r.want("events", &r.events, c.events...)
				r.want("asked", &r.asked, c.asked...)
			}, func(o *Options) { o.Mode = c.mode })
		})
	}
}

// The same wrong password of the same login from the same net is no guess.
func TestAgain(t *testing.T) {
	play(t, byFile, func(r *rig) {
		p, _ := r.connect()
		for _, c := range []struct{ client, mechanism, login, password, want string }{
			{"192.0.2.1", "PLAIN", "bob", "old", "192.0.2.1 bob failed"},
			{"192.0.2.1", "PLAIN", "bob", "old", "192.0.2.1 bob again"},
			{"192.0.2.1", "LOGIN", "Bob", "old", "192.0.2.1 bob again"},
			{"192.0.2.1", "PLAIN", "bob", "older", "192.0.2.1 bob failed"},
			{"192.0.2.1", "PLAIN", "carol", "old", "192.0.2.1 carol failed"},
			{"192.0.2.2", "PLAIN", "bob", "old", "192.0.2.2 bob failed"},
			{"2001:db8::1", "PLAIN", "bob", "old", "2001:db8::1 bob failed"},
			{"2001:db8::2", "PLAIN", "bob", "old", "2001:db8::2 bob again"},
			{"192.0.2.1", "PLAIN", "bob", "old", "192.0.2.1 bob again"},
			{"192.0.2.1", "PLAIN", "bobo", "ld", "192.0.2.1 bobo failed"}, // the parts are not run together
		} {
			if c.mechanism == "PLAIN" {
				p.askFrom(c.client, "PLAIN", b64("\x00"+c.login+"\x00"+c.password))
			} else {
				p.askFrom(c.client, "LOGIN", b64(c.login))
				p.proceed(b64(c.password))
			}
			r.want(fmt.Sprintf("%+v", c), &r.told, c.want)
		}
	})
}

func TestAgainIsBounded(t *testing.T) {
	a := newAgain()
	client := policy.Login{Client: mustAddr("192.0.2.1")}.Client
	for i := range maxAgain + 1 {
		if a.seen(client, "bob", fmt.Append(nil, i)) {
			t.Fatalf("password %d is known", i)
		}
	}
	if len(a.known) != maxAgain || len(a.order) != maxAgain || !a.seen(client, "bob", []byte("1")) || a.seen(client, "bob", []byte("0")) {
		t.Errorf("%d known; the oldest must have been forgotten, and no other", len(a.known))
	}
}

// Nothing that the server says or records shows a password.
func TestNoPasswordShows(t *testing.T) {
	const password = "geheim"
	play(t, byFile, func(r *rig) {
		var said []string
		for _, response := range []string{
			b64("\x00bob\x00" + password), b64("\x00\x00" + password), b64("x\x00bob\x00" + password + "\x00"), password, b64(password), b64("bob") + "\t" + b64(password),
		} {
			for _, mechanism := range []string{"PLAIN", "LOGIN", "X"} {
				p, _ := r.connect()
				said = append(said, p.ask(mechanism, response))
				if mechanism == "LOGIN" {
					said = append(said, p.proceed(b64(password)))
				}
				_ = p.conn.Close()
			}
		}
		all := strings.Join(append(said, r.taken(&r.events), r.taken(&r.asked), r.taken(&r.told)), "\n")
		// As the login of LOGIN it may show: that is what the client says who it is.
		all = strings.ReplaceAll(all, "user="+password+" ", "")
		all = regexp.MustCompile(`(535|454|192\.0\.2\.1) `+password+`\b`).ReplaceAllString(all, "$1")
		if strings.Contains(all, password) || strings.Contains(all, b64(password)) {
			t.Errorf("the password shows:\n%s", all)
		}
	})
}

// late is a judge whose answer takes all the time there is.
type late struct{ Judge }

func (l late) Begin() Exchanges { return lateExchanges{l.Judge.Begin()} }

type lateExchanges struct{ Exchanges }

func (e lateExchanges) Start(ctx context.Context, r *request, seen *glance) (answer, error) {
	<-ctx.Done()
	return e.Exchanges.Start(context.WithoutCancel(ctx), r, seen)
}

// What comes of a guess is told also when it came late: who guesses at many passwords at once, so
// that all have to wait, is counted all the same.
func TestLateAnswersAreTold(t *testing.T) {
	judge := func(r *rig) Judge { return late{byFile(r)} }
	play(t, judge, func(r *rig) {
		p, _ := r.connect()
		p.said("wrong", p.ask("PLAIN", b64("\x00bob\x00wrong")), noBob)
		r.want("told", &r.told, "192.0.2.1 bob failed")
		p.said("right", p.ask("PLAIN", b64("\x00bob\x00secret")), okBob)
		r.want("told", &r.told, "192.0.2.1 bob succeeded")
	})
}
