package auth

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/backend"
)

// dovecot is a Dovecot that does as the test says.
type dovecot struct {
	mu sync.Mutex
	// does is what it does with the next connections.
	does  func(*visit)
	heard []string // every line
	down  []string // what was said of it
}

// visit is one connection to it.
type visit struct {
	d    *dovecot
	conn net.Conn
	in   chan string // as much as a socket holds
}

// read takes what comes, whether or not anybody wants to hear it.
func (v *visit) read() {
	defer close(v.in)
	in := newLines(v.conn)
	for {
		line, err := in.next()
		if err != nil {
			return
		}
		v.in <- string(line)
	}
}

// dial connects, unless nobody is there.
func (d *dovecot) dial(context.Context) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.does == nil {
		return nil, errors.New("connection refused")
	}
	ours, theirs := net.Pipe()
	v, does := &visit{d, theirs, make(chan string, 100)}, d.does
	go v.read()
	go func() {
		defer theirs.Close()
		does(v)
	}()
	return ours, nil
}

// told notes what was said of it, and fates returns that.
func (d *dovecot) told(fate string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = append(d.down, fate)
}

func (d *dovecot) fates() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.down, " ")
}

func (d *dovecot) set(does func(*visit)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.does = does
}

func (v *visit) hear() (string, bool) {
	line, ok := <-v.in
	v.d.mu.Lock()
	defer v.d.mu.Unlock()
	if ok {
		v.d.heard = append(v.d.heard, line)
	}
	return line, ok
}

func (v *visit) say(lines ...string) {
	_, _ = v.conn.Write([]byte(strings.Join(lines, "\n") + "\n"))
}

// greet goes through the handshake as Dovecot 2.3 does.
func (v *visit) greet() {
	v.say("VERSION\t1\t2", "MECH\tPLAIN\tplaintext", "MECH\tLOGIN\tplaintext", "MECH\tSCRAM-SHA-256\tdictionary\tactive\tmutual-auth", "SPID\t9", "CUID\t1", "COOKIE\t00", "DONE")
	v.hear()
	v.hear()
}

// answers is a Dovecot that answers each request with lines in which <ID> is its number.
func answers(texts ...string) func(*visit) {
	return func(v *visit) {
		v.greet()
		for {
			line, ok := v.hear()
			if !ok {
				return
			}
			for _, text := range texts {
				v.say(strings.ReplaceAll(text, "<ID>", strings.Split(line, "\t")[1]))
			}
		}
	}
}

func byDovecot(d *dovecot) func(*rig) Judge {
	return func(r *rig) Judge {
		return NewUpstream(UpstreamOptions{
			Name: "dovecot", Dial: d.dial, Offer: []Mechanism{{"PLAIN", []string{"plaintext"}}},
			Watch: func(o backend.Options) backend.Options {
				o.OnDown = func(error) { d.told("down") }
				o.OnUp = func() { d.told("up") }
				return o
			},
		})
	}
}

const plainBob = "AGJvYgBzZWNyZXQ=" // bob, "secret"

// Every answer that a Dovecot has, and what smtpd makes of it.
func TestAnswersOfDovecot(t *testing.T) {
	const causeWrong = "refused 535 bob mechanism PLAIN: "
	for _, c := range []struct {
		name    string
		answers []string
		want    string
		event   string
	}{
		{"OK", []string{"OK\t<ID>\tuser=bob"}, okBob, ""},
		{"OK of another name, and more", []string{"OK\t<ID>\toriginal_user=bob\tuser=bob@example.org\tx=y"}, "OK <ID> user=bob@example.org", ""},
		{"OK of nobody", []string{"OK\t<ID>"}, noBob, causeWrong + "Dovecot accepts the password and does not say whose it is"},
		{"OK of an empty name", []string{"OK\t<ID>\tuser="}, noBob, causeWrong + "Dovecot accepts the password and does not say whose it is"},
		{"OK of a name with a tab", []string{"OK\t<ID>\tuser=bob\x01tx"}, noBob, causeWrong + "Dovecot accepts the password of a user whose name Postfix cannot take"},
		{"nologin", []string{"OK\t<ID>\tuser=bob\tnologin"}, noBob, causeWrong + "the password is right, but the user may not log in (nologin)"},
		{"nologin of 2.4", []string{"OK\t<ID>\tuser=bob\tnologin=\treason=x"}, noBob, causeWrong + "the password is right, but the user may not log in (nologin)"},
		{"proxy", []string{"OK\t<ID>\tuser=bob\tproxy\thost=192.0.2.9"}, noBob, causeWrong + "the password is right, but Dovecot would pass the user on to another host (proxy)"},
		{"proxy of 2.4", []string{"OK\t<ID>\tuser=bob\tproxy=yes\thost=192.0.2.9"}, noBob, causeWrong + "the password is right, but Dovecot would pass the user on to another host (proxy)"},
		{"FAIL", []string{"FAIL\t<ID>\tuser=bob"}, noBob, causeWrong + "no such login, or wrong password"},
		{"FAIL of 2.4", []string{"FAIL\t<ID>\tuser=bob\tcode=user_disabled"}, noBob, causeWrong + "the user is disabled"},
		{"FAIL with a reason", []string{"FAIL\t<ID>\tuser=bob\treason=<script>"}, noBob, causeWrong + "no such login, or wrong password"},
		{"disabled", []string{"FAIL\t<ID>\tuser=bob\tuser_disabled"}, noBob, causeWrong + "the user is disabled"},
		{"expired", []string{"FAIL\t<ID>\tuser=bob\tpass_expired"}, noBob, causeWrong + "the password has expired"},
		{"for another", []string{"FAIL\t<ID>\tuser=bob\tauthz"}, noBob, causeWrong + "the user may not act for another login"},
		{"another code", []string{"FAIL\t<ID>\tuser=bob\tcode=invalid_base64"}, noBob, causeWrong + "Dovecot says invalid_base64"},
		{"could not find out", []string{"FAIL\t<ID>\tuser=bob\ttemp"}, closed, "deferred 454 bob mechanism PLAIN Dovecot could not find out (temp_fail)"},
		{"could not find out, 2.4", []string{"FAIL\t<ID>\tuser=bob\tcode=temp_fail"}, closed, "deferred 454 bob mechanism PLAIN Dovecot could not find out (temp_fail)"},
		{"a challenge", []string{"CONT\t<ID>\tAAAA"}, "CONT <ID> AAAA", ""},
		{"an empty challenge", []string{"CONT\t<ID>\t"}, "CONT <ID> ", ""},
		{"a challenge that is none", []string{"CONT\t<ID>\tA\tB"}, closed, "deferred 454 bob mechanism PLAIN no answer to this request, while Dovecot answers others: its challenge is no base64"},
		{"answers to others first", []string{"OK\t99\tuser=alice", "FAIL\t98", "CONT\t97\tAAAA", "OK", "NOTIFY\tx", "", "FAIL\t<ID>"}, noBob, causeWrong + "no such login, or wrong password"},
		{"a second answer to the same", []string{"FAIL\t<ID>", "OK\t<ID>\tuser=bob"}, noBob, causeWrong + "no such login, or wrong password"},
		{"a line without end", []string{"OK\t<ID>\tuser=" + strings.Repeat("x", maxLine)}, closed, "deferred 454 bob mechanism PLAIN no answer to this request, while Dovecot answers others: a line is too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &dovecot{does: answers(c.answers...)}
			play(t, byDovecot(d), func(r *rig) {
				p, _ := r.connect()
				p.said("AUTH", p.ask("PLAIN", plainBob), c.want)
				r.want("events", &r.events, c.event)
				if got := d.fates(); got != "" {
					t.Errorf("Dovecot counts as lost: %q", got)
				}
			})
		})
	}
}

// What smtpd says goes on to Dovecot, under a number of its own, and without Dovecot's penalties.
func TestRequestsToDovecot(t *testing.T) {
	d := &dovecot{does: answers("CONT\t<ID>\tAAAA")}
	play(t, byDovecot(d), func(r *rig) {
		p, _ := r.connect()
		p.ids = 41
		p.ask("PLAIN", "")
		p.proceed(plainBob)
		p.ask("SCRAM-SHA-256", b64("n,,n=bob,r=abc"))
		p.ask("LOGIN", "(empty)")
		synctest.Wait()
		params := "service=smtp\tnologin\tlip=203.0.113.5\trip=192.0.2.1\tsecured\tno-penalty"
		want := []string{
			"VERSION\t1\t0", "CPID\t…", "AUTH\t1\tPLAIN\t" + params, "CONT\t1\t" + plainBob,
			"AUTH\t2\tSCRAM-SHA-256\t" + params + "\tresp=" + b64("n,,n=bob,r=abc"), "AUTH\t3\tLOGIN\t" + params + "\tresp=",
		}
		if got := d.lines(); got != strings.Join(want, "\n") {
			t.Errorf("Dovecot heard\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
		r.want("asked", &r.asked, "192.0.2.1 bob", "192.0.2.1 bob", "192.0.2.1 ")
	})
}

// lines are what it has heard, the process ids left out.
func (d *dovecot) lines() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var text []string
	for _, line := range d.heard {
		if strings.HasPrefix(line, "CPID\t") {
			line = "CPID\t…"
		}
		text = append(text, line)
	}
	return strings.Join(text, "\n")
}

// Dovecot 2.4 says its version and waits for ours.
func TestDovecotThatWaits(t *testing.T) {
	d := &dovecot{does: func(v *visit) {
		v.say("VERSION\t1\t3")
		version, _ := v.hear()
		pid, _ := v.hear()
		if version != "VERSION\t1\t0" || !strings.HasPrefix(pid, "CPID\t") {
			return
		}
		v.say("MECH\tPLAIN\tplaintext", "SPID\t9", "CUID\t1", "COOKIE\t00", "DONE")
		line, _ := v.hear()
		v.say("OK\t" + strings.Split(line, "\t")[1] + "\tuser=bob")
	}}
	play(t, byDovecot(d), func(r *rig) {
		p, _ := r.connect()
		p.said("AUTH", p.ask("PLAIN", plainBob), okBob)
	})
}

// Each stream has a process id that no other has: Dovecot would end the second.
func TestProcessIDs(t *testing.T) {
	d := &dovecot{does: answers("FAIL\t<ID>")}
	play(t, byDovecot(d), func(r *rig) {
		for range 5 {
			p, _ := r.connect()
			p.ask("PLAIN", plainBob)
		}
		pids := map[string]bool{}
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, line := range d.heard {
			if pid, found := strings.CutPrefix(line, "CPID\t"); found {
				pids[pid] = true
			}
		}
		if len(pids) != 5 {
			t.Errorf("process ids %v, want five", pids)
		}
	})
}

// The mechanisms are Dovecot's as soon as it has named them, and smtpd is greeted before that.
func TestMechanismsOfDovecot(t *testing.T) {
	d := &dovecot{}
	play(t, byDovecot(d), func(r *rig) {
		p, greeting := r.connect()
		if strings.Count(greeting, "MECH") != 1 || !strings.Contains(greeting, "MECH\tPLAIN\tplaintext\n") {
			t.Errorf("before: %q", greeting)
		}
		p.said("nobody is there", p.ask("PLAIN", plainBob), closed)
		d.set(answers("OK\t<ID>\tuser=bob"))
		time.Sleep(2 * time.Second)
		p, greeting = r.connect()
		if !strings.Contains(greeting, "MECH\tSCRAM-SHA-256\tdictionary\tactive\tmutual-auth\n") {
			t.Errorf("afterwards: %q", greeting)
		}
		p.said("AUTH", p.ask("SCRAM-SHA-256", b64("n,,n=bob,r=x")), okBob)
		d.set(func(v *visit) {
			v.say("VERSION\t1\t2", "MECH\tGSSAPI", "DONE")
			v.hear()
		})
		p, _ = r.connect()
		p.said("no longer offered", p.ask("PLAIN", plainBob), closed)
		_, greeting = r.connect()
		if !strings.Contains(greeting, "MECH\tGSSAPI\nSPID") {
			t.Errorf("at last: %q", greeting)
		}
	})
}

// A Dovecot that takes a second for whatever it says is slow, and not lost.
func TestDovecotThatIsSlow(t *testing.T) {
	d := &dovecot{does: func(v *visit) {
		time.Sleep(time.Second)
		v.greet()
		line, ok := v.hear()
		if !ok {
			return
		}
		time.Sleep(time.Second)
		v.say("OK\t" + strings.Split(line, "\t")[1] + "\tuser=bob")
	}}
	play(t, byDovecot(d), func(r *rig) {
		p, _ := r.connect()
		p.said("slow", p.ask("PLAIN", plainBob), okBob)
		if got := d.fates(); got != "" {
			t.Errorf("Dovecot counts as lost: %q", got)
		}
		lost := d.does
		d.set(nil)
		p, _ = r.connect()
		p.said("nobody is there", p.ask("PLAIN", plainBob), closed)
		d.set(lost)
		time.Sleep(5 * time.Second)
		p, _ = r.connect()
		p.said("is back, and slow", p.ask("PLAIN", plainBob), okBob)
		if got := d.fates(); got != "down up" {
			t.Errorf("told %q", got)
		}
	})
}

// A Dovecot that hangs holds nobody up for longer than Postfix waits; once that is known, clients
// read 454 at once, until it answers again.
func TestDovecotThatHangs(t *testing.T) {
	hangs := func(v *visit) {
		for {
			if _, ok := v.hear(); !ok {
				return
			}
		}
	}
	d := &dovecot{does: func(v *visit) { v.greet(); v.hear(); v.hear() }}
	play(t, byDovecot(d), func(r *rig) {
		p, _ := r.connect()
		begun := time.Now()
		took := func(what string, want time.Duration) {
			t.Helper()
			if d := time.Since(begun); d != want {
				t.Errorf("%s: after %s, want %s", what, d, want)
			}
			begun = time.Now()
		}
		p.said("one request", p.ask("PLAIN", plainBob), closed)
		took("one request", answersWithin)
		if got := d.fates(); got != "" {
			t.Errorf("Dovecot, which greets others, counts as lost: %q", got)
		}
		d.set(hangs)
		p, _ = r.connect()
		p.said("hangs", p.ask("PLAIN", plainBob), closed)
		if d := time.Since(begun); d > answerTime {
			t.Errorf("after %s", d)
		}
		begun = time.Now()
		p, _ = r.connect()
		p.said("is known to hang", p.ask("PLAIN", plainBob), closed)
		took("is known to hang", 0)
		d.set(answers("OK\t<ID>\tuser=bob"))
		time.Sleep(3 * time.Second)
		p, _ = r.connect()
		p.said("is back", p.ask("PLAIN", plainBob), okBob)
		if got := d.fates(); got != "down up" {
			t.Errorf("told %s", got)
		}
	})
}

// A Dovecot that has been started again meanwhile is asked again, once; smtpd notices nothing.
func TestDovecotStartedAgain(t *testing.T) {
	var visits atomic.Int32
	d := &dovecot{does: func(v *visit) {
		visits.Add(1)
		v.greet()
		line, ok := v.hear()
		if ok {
			v.say("OK\t" + strings.Split(line, "\t")[1] + "\tuser=bob")
		}
	}}
	play(t, byDovecot(d), func(r *rig) {
		p, _ := r.connect()
		for range 3 {
			p.said("AUTH", p.ask("PLAIN", plainBob), okBob)
		}
		if visits.Load() != 3 || d.fates() != "" {
			t.Errorf("%d visits, %q", visits.Load(), d.fates())
		}
	})
}

// What is torn, or no answer at all, is 454 and never 535 or 235.
func TestDovecotThatLies(t *testing.T) {
	for name, does := range map[string]func(*visit){
		"nobody is there":            nil,
		"closes at once":             func(*visit) {},
		"rubbish":                    func(v *visit) { v.say("220 mail.example ESMTP") },
		"another version":            func(v *visit) { v.say("VERSION\t2\t0", "MECH\tPLAIN", "DONE") },
		"no version":                 func(v *visit) { v.say("MECH\tPLAIN", "DONE") },
		"no mechanism":               func(v *visit) { v.say("VERSION\t1\t2", "DONE") },
		"a mechanism that is none":   func(v *visit) { v.say("VERSION\t1\t2", "MECH\tPL AIN\n", "DONE") },
		"a handshake without an end": func(v *visit) { v.say("VERSION\t1\t2"); v.say(strings.Repeat("X\n", maxHandshake)) },
		"closes after the request":   func(v *visit) { v.greet(); v.hear() },
		"half an answer":             func(v *visit) { v.greet(); v.hear(); _, _ = v.conn.Write([]byte("OK\t1\tuser=bo")) },
	} {
		t.Run(name, func(t *testing.T) {
			d := &dovecot{does: does}
			play(t, byDovecot(d), func(r *rig) {
				p, _ := r.connect()
				p.said("AUTH", p.ask("PLAIN", plainBob), closed)
				if got := r.taken(&r.events); strings.Count(got, "deferred 454 bob mechanism PLAIN") != 1 {
					t.Errorf("events %q", got)
				}
				r.want("told", &r.told, "")
			})
		})
	}
}

// A client that leaves an exchange, which smtpd does not tell, is not answered by what was meant
// for it.
func TestLateAnswersOfDovecot(t *testing.T) {
	d := &dovecot{does: func(v *visit) {
		v.greet()
		first, _ := v.hear()
		v.say("CONT\t" + strings.Split(first, "\t")[1] + "\tUGFzc3dvcmQ6")
		second, _ := v.hear()
		v.say("OK\t"+strings.Split(first, "\t")[1]+"\tuser=alice", "FAIL\t"+strings.Split(second, "\t")[1])
		v.hear()
	}}
	play(t, byDovecot(d), func(r *rig) {
		p, _ := r.connect()
		p.said("alice", p.ask("PLAIN", ""), "CONT <ID> UGFzc3dvcmQ6")
		p.said("bob", p.ask("PLAIN", plainBob), noBob)
	})
}
