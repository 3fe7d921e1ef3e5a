package dns

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/internal/dns/dnstest"
)

// The next server is asked when one is dnstest.Silent, refuses or cannot be reached, and the one
// that answered is asked first from then on.
func TestSeveralServers(t *testing.T) {
	for name, bad := range map[string]dnstest.Behaviour{"silent": dnstest.Silent, "refuses": dnstest.Code(dnstest.Refused), "fails": dnstest.Code(dnstest.ServerFailure), "": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // a server that says nothing is waited for
			good := dnstest.New(t)
			good.Set("example", dnstest.Always("A 127.0.0.2"))
			first := "127.0.0.1:1"
			if bad != nil {
				l := dnstest.New(t)
				l.Set("example", bad)
				first = l.Addr
			}
			r := newTestResolver(t, ResolverOptions{AttemptTimeout: 2 * time.Second, QuestionTimeout: 8 * time.Second}, first, good.Addr)
			if a := r.Ask(background(t), NewQuestion(A, "a.example")); a.Status != Found {
				t.Fatal(a)
			}
			before := r.Stats().Packets
			if a := r.Ask(background(t), NewQuestion(A, "b.example")); a.Status != Found {
				t.Fatal(a)
			}
			if n := r.Stats().Packets - before; n != 1 {
				t.Errorf("%d packets for the second question", n)
			}
		})
	}
}

// The answer to a question that has been put again meanwhile still counts: a server that is always
// slow is heard.
func TestLateAnswerCounts(t *testing.T) {
	l := dnstest.New(t)
	again := make(chan struct{}, 10)
	first := true
	var mu sync.Mutex
	l.Set("example", func(key string, m *dnstest.Msg, tcp bool) [][]byte {
		mu.Lock()
		mine := first
		first = false
		mu.Unlock()
		if !mine {
			again <- struct{}{}
			return nil
		}
		select {
		case <-again:
		case <-l.Stop:
		}
		return dnstest.Always("A 127.0.0.2")(key, m, tcp)
	})
	r := newTestResolver(t, ResolverOptions{AttemptTimeout: 20 * time.Millisecond, QuestionTimeout: time.Minute}, l.Addr)
	if a := r.Ask(background(t), NewQuestion(A, "a.example")); a.Status != Found {
		t.Error(a)
	}
	if n := r.Stats().Packets; n < 2 {
		t.Errorf("%d packets", n)
	}
}

func TestIPv6Server(t *testing.T) {
	l := dnstest.NewIPv6(t)
	l.Set("example", dnstest.Always("A 127.0.0.2"))
	r := newTestResolver(t, ResolverOptions{}, l.Addr)
	if a := r.Ask(background(t), NewQuestion(A, "a.example")); a.Status != Found {
		t.Error(a)
	}
}

// Servers that do not know EDNS0 or do not echo the case of names are found out and spared.
func TestOldServers(t *testing.T) {
	noEDNS := func(_ string, m *dnstest.Msg, _ bool) [][]byte {
		if m.IsEdns0() != nil {
			return dnstest.One(dnstest.Rcode(m, dnstest.FormatError))
		}
		return dnstest.One(dnstest.Has(m, "300", "A 127.0.0.2"))
	}
	lower := func(_ string, m *dnstest.Msg, _ bool) [][]byte {
		r := dnstest.Has(m, "300", "A 127.0.0.2")
		r.Question[0].Name = strings.ToLower(r.Question[0].Name)
		return dnstest.One(r)
	}
	for name, b := range map[string]dnstest.Behaviour{"no EDNS0": noEDNS, "lower case": lower} {
		t.Run(name, func(t *testing.T) {
			l := dnstest.New(t)
			l.Set("example", b)
			r := newTestResolver(t, ResolverOptions{}, l.Addr)
			for i := range 10 {
				q := NewQuestion(A, fmt.Sprintf("abcdefghijklmnopqrstuvwxyz-%d.example", i))
				if a := r.Ask(background(t), q); a.Status != Found {
					t.Fatal(a)
				}
			}
			before := r.Stats().Packets
			r.Ask(background(t), NewQuestion(A, "abcdefghijklmnopqrstuvwxyz.example"))
			if n := r.Stats().Packets - before; n != 1 {
				t.Errorf("still %d packets a question", n)
			}
		})
	}
}

// Names go out in random case, unless that is off.
func TestRandomCase(t *testing.T) {
	for _, fixed := range []bool{false, true} {
		l := dnstest.New(t)
		seen := make(chan string, 1)
		l.Set("example", func(_ string, m *dnstest.Msg, _ bool) [][]byte {
			seen <- m.Question[0].Name
			return dnstest.One(dnstest.NX(m))
		})
		r := newTestResolver(t, ResolverOptions{FixedCase: fixed}, l.Addr)
		name := "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz.example"
		r.Ask(background(t), NewQuestion(A, name))
		if got := <-seen; (got == name+".") != fixed || !strings.EqualFold(got, name+".") {
			t.Errorf("fixed %v: asked for %s", fixed, got)
		}
	}
}

func TestServers(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1":                    "127.0.0.1:53",
		"127.0.0.1:5353, ::1 [::1]:54": "127.0.0.1:5353 [::1]:53 [::1]:54",
		"[2001:db8::1]":                "[2001:db8::1]:53",
		"":                             "error: no DNS server given: write at least one address",
		"ns.example":                   `error: DNS server "ns.example": write an address, with a port if it is not 53: 127.0.0.1, 127.0.0.1:5353 or [::1]:53`,
		"127.0.0.1:0":                  `error: DNS server "127.0.0.1:0": write an address, with a port if it is not 53: 127.0.0.1, 127.0.0.1:5353 or [::1]:53`,
	} {
		servers, err := ParseServers(in)
		got := strings.Join(servers, " ")
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	for content, want := range map[string]string{
		"# c\nnameserver 192.0.2.1\nsearch x\nnameserver 2001:db8::1 \n": "192.0.2.1:53 [2001:db8::1]:53",
		"search example\n":           "127.0.0.1:53",
		"options x\nnameserver ns\n": `error: FILE:2: nameserver "ns" is not an address`,
	} {
		file := filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		servers, err := SystemServers(file)
		got := strings.Join(servers, " ")
		if err != nil {
			got = "error: " + strings.ReplaceAll(err.Error(), file, "FILE")
		}
		if got != want {
			t.Errorf("%q: %s, want %s", content, got, want)
		}
	}
	if _, err := NewResolver(ResolverOptions{Servers: []string{"ns.example:53"}}); err == nil {
		t.Error("a server by name was accepted")
	}
	if _, err := NewResolver(ResolverOptions{}); err == nil {
		t.Error("no server was accepted")
	}
}

// An answer in the wrong case may be forged: what TCP says counts.
func TestWrongCaseIsNotBelieved(t *testing.T) {
	l := dnstest.New(t)
	l.Set("example", func(_ string, m *dnstest.Msg, tcp bool) [][]byte {
		if tcp {
			return dnstest.One(dnstest.NX(m))
		}
		r := dnstest.Has(m, "300", "A 127.0.0.2")
		r.Question[0].Name = strings.ToLower(r.Question[0].Name)
		return dnstest.One(r)
	})
	r := newTestResolver(t, ResolverOptions{}, l.Addr)
	if a := r.Ask(background(t), NewQuestion(A, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz.example")); a.Status != NoName {
		t.Error(a)
	}
}

// Silence of one server does not hide what another said.
func TestMostTellingFailure(t *testing.T) {
	t.Parallel() // all of the time is waited for
	refuses, quiet := dnstest.New(t), dnstest.New(t)
	quiet.Set("example", dnstest.Silent)
	r := newTestResolver(t, ResolverOptions{AttemptTimeout: 50 * time.Millisecond, QuestionTimeout: 2 * time.Second}, refuses.Addr, quiet.Addr)
	a := r.Ask(background(t), NewQuestion(A, "a.example"))
	if refuses.Questions() > 0 && (a.Err == nil || a.Err.Failure != Refused || a.Err.Server != refuses.Addr) {
		t.Error(a)
	}
}
