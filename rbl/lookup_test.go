package rbl

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// What a list may answer, on a block list and on an allow list: only a listing is a hit.
func TestAnswersOfOneList(t *testing.T) {
	tests := []struct {
		name     string
		b        behaviour
		state    State
		contains string // of the error
	}{
		{"listed", always("A 127.0.0.2", `TXT "why"`), Hit, ""},
		{"not listed", func(_ string, m *dns.Msg, _ bool) [][]byte { return one(nx(m)) }, Clear, ""},
		{"no data", always(), Clear, ""},
		{"parking address", always("A 192.0.2.80"), Errored, "outside 127.0.0.0/8"},
		{"parking address behind an alias", func(_ string, m *dns.Msg, _ bool) [][]byte {
			r := has(m, "300", "CNAME parked.example.")
			rr, _ := dns.NewRR("parked.example. 300 IN A 192.0.2.80")
			r.Answer = append(r.Answer, rr)
			return one(r)
		}, Errored, "outside 127.0.0.0/8"},
		{"typing error", always("A 127.255.255.252"), Errored, "typing error"},
		{"public resolver", always("A 127.255.255.254"), Errored, "public"},
		{"too many questions", always("A 127.255.255.255"), Errored, "too many questions"},
		{"error code beside a listing", always("A 127.0.0.2", "A 127.255.255.254"), Errored, "error code"},
		{"127.0.0.1", always("A 127.0.0.1"), Errored, "blocked resolver"},
		{"SERVFAIL", code4(dns.RcodeServerFailure), Errored, "server failure (SERVFAIL)"},
		{"REFUSED", code4(dns.RcodeRefused), Errored, "refused"},
		{"NOTIMP", code4(dns.RcodeNotImplemented), Errored, "server failure (NOTIMP)"},
		{"silence", silent, Errored, "no answer in time"},
		{"garbage", func(string, *dns.Msg, bool) [][]byte { return [][]byte{[]byte("garbage")} }, Errored, "malformed"},
		{"wrong id", func(_ string, m *dns.Msg, _ bool) [][]byte {
			r := has(m, "300", "A 127.0.0.2")
			r.Id++
			return one(r)
		}, Errored, "malformed"},
		{"other question", func(_ string, m *dns.Msg, _ bool) [][]byte {
			r := has(m, "300", "A 127.0.0.2")
			r.Question[0].Name = "x." + r.Question[0].Name
			return one(r)
		}, Errored, "malformed"},
		{"forged packet before the real one", func(_ string, m *dns.Msg, _ bool) [][]byte {
			forged := has(m, "300", "A 127.0.0.2")
			forged.Id++
			return append(one(forged), one(nx(m))...)
		}, Clear, ""},
		{"truncated, whole by TCP", func(_ string, m *dns.Msg, tcp bool) [][]byte {
			r := has(m, "300", "A 127.0.0.2")
			if !tcp {
				r.Truncated, r.Answer = true, nil
			}
			return one(r)
		}, Hit, ""},
		{"truncated, silent by TCP", func(_ string, m *dns.Msg, tcp bool) [][]byte {
			if tcp {
				return nil
			}
			r := has(m, "300", "A 127.0.0.2")
			r.Truncated = true
			return one(r)
		}, Errored, ""},
		{"record of another name", func(_ string, m *dns.Msg, _ bool) [][]byte {
			r := has(m, "300")
			rr, _ := dns.NewRR("other.example. 300 IN A 127.0.0.2")
			r.Answer = append(r.Answer, rr)
			return one(r)
		}, Clear, ""},
		{"lame server", func(_ string, m *dns.Msg, _ bool) [][]byte {
			r := rcode(m, dns.RcodeSuccess)
			r.RecursionAvailable = false
			return one(r)
		}, Errored, "does not recurse"},
	}
	b := newBench(t)
	for _, tt := range tests {
		for _, weight := range []int{1, -1} {
			for _, client := range []string{"192.0.2.99", "2001:db8::99"} {
				t.Run(fmt.Sprint(tt.name, " weight ", weight, " ", client), func(t *testing.T) {
					zone := fmt.Sprintf("l%d.example", b.clock.Now().Unix())
					b.clock.advance(time.Second)
					b.liar.set(zone, except(tt.b))
					s := b.set(t, SetOptions{Complete: true}, fmt.Sprintf("%s*%d", zone, weight))
					r := look(t, s, client)
					l := r.Lists[0]
					if l.State != tt.state {
						t.Fatalf("state %v, want %v; error %v", l.State, tt.state, l.Err)
					}
					wantVerdict, wantScore := NotListed, 0
					switch {
					case tt.state == Hit && weight == 1:
						wantVerdict, wantScore = Listed, 1
					case tt.state == Hit:
						wantScore = -1
					case tt.state == Errored && weight == 1:
						wantVerdict = Unknown
					}
					if r.Verdict != wantVerdict || r.Score != wantScore {
						t.Errorf("verdict %v, score %d, want %v, %d", r.Verdict, r.Score, wantVerdict, wantScore)
					}
					if (l.Err != nil) != (tt.state == Errored) || l.Err != nil && !strings.Contains(l.Err.Error(), tt.contains) {
						t.Errorf("error %v, want one with %q", l.Err, tt.contains)
					}
				})
			}
		}
	}
}

// Every entry of a zone counts by its own filter, all with one question.
func TestSeveralFiltersOneQuestion(t *testing.T) {
	b := newBench(t)
	b.liar.set("bl.example", honest(map[string][]string{
		"99.2.0.192": {"A 127.0.0.4", "A 127.0.0.10"}, "98.2.0.192": {"A 127.0.0.10"}, "97.2.0.192": {"A 127.0.0.77"},
	}))
	s := b.set(t, SetOptions{Threshold: 5}, "bl.example=127.0.0.[2..4]*4, bl.example=127.0.0.[10;11]*2 bl.example=127.0.0.10*-1")
	for client, want := range map[string]Result{
		"192.0.2.99": {Verdict: Listed, Score: 5}, "192.0.2.98": {Score: 1}, "192.0.2.97": {}, "192.0.2.96": {},
	} {
		r := look(t, s, client)
		if r.Verdict != want.Verdict || r.Score != want.Score {
			t.Errorf("%s: %v with %d, want %v with %d", client, r.Verdict, r.Score, want.Verdict, want.Score)
		}
	}
	if n := b.liar.count("A 99.2.0.192.bl.example"); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	if r := look(t, s, "192.0.2.97"); r.Lists[0].State != Uncounted {
		t.Errorf("a code without a filter: %v", r.Lists[0].State)
	}
}

// A v4-mapped client is the IPv4 client.
func TestMappedClient(t *testing.T) {
	b := newBench(t)
	b.liar.set("bl.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2"}}))
	s := b.set(t, SetOptions{}, "bl.example")
	if r := look(t, s, "::ffff:192.0.2.99"); r.Verdict != Listed || r.Subject != "192.0.2.99" {
		t.Errorf("%v %s", r.Verdict, r.Subject)
	}
}

func TestReversedNames(t *testing.T) {
	for ip, want := range map[string]string{
		"192.0.2.99":                "99.2.0.192",
		"2001:db8:1:2:3:4:567:89ab": "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2",
	} {
		if got := testKey(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: %s, want %s", ip, got, want)
		}
	}
}

// The answer is given as soon as no silent list can change it, and questions that nobody needs any more are not waited for.
func TestEarlyDecision(t *testing.T) {
	tests := []struct {
		name    string
		specs   []string
		verdict Verdict
		early   bool
	}{
		{"block list silent, already over", []string{"hit.example*2", "silent.example"}, Listed, true},
		{"block list silent, cannot reach", []string{"clear.example*9", "silent.example"}, NotListed, true},
		{"block list silent, could reach", []string{"hit.example", "silent.example"}, Unknown, false},
		{"allow list silent, could save", []string{"hit.example*2", "silent.example*-1"}, Unknown, false},
		{"allow list silent, cannot save", []string{"hit.example*4", "silent.example*-2"}, Listed, true},
		{"allow list silent, nothing to save", []string{"clear.example*2", "silent.example*-1"}, NotListed, true},
		{"all have spoken", []string{"hit.example*2", "clear.example*-5"}, Listed, true},
		{"monitored list silent", []string{"hit.example*2", "monitored.example*9"}, Listed, true},
	}
	b := newBench(t)
	b.liar.set("hit.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2"}}))
	b.liar.set("clear.example", honest(nil))
	b.liar.set("silent.example", except(silent))
	b.liar.set("monitored.example", except(silent))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opt := SetOptions{Threshold: 2}
			if strings.Contains(strings.Join(tt.specs, " "), "monitored") {
				opt.Monitor = []string{"monitored.example"}
			}
			s := b.set(t, opt, tt.specs...)
			deadline := 300 * time.Millisecond
			if tt.early {
				deadline = time.Minute // more than the resolver would wait: the test's own deadline tells
			}
			r := lookFor(s, "192.0.2.99", deadline)
			if r.Verdict != tt.verdict {
				t.Fatalf("%v, want %v: %+v", r.Verdict, tt.verdict, r.Lists)
			}
			if last := r.Lists[len(r.Lists)-1]; tt.early && last.State == Errored {
				t.Errorf("waited for %s: %v", last.Zone, last.Err)
			}
		})
	}
}

// Everything outside is printable and can be replayed to the same result.
func TestReplay(t *testing.T) {
	b := newBench(t)
	b.liar.set("bl.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2", `TXT "see [why] \"here\""`}}))
	b.liar.set("zen.spamhaus.org", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.4", "A 127.0.0.10"}}))
	b.liar.set("bad.example", except(always("A 127.255.255.254")))
	s := b.set(t, SetOptions{Threshold: 3, Complete: true}, "bl.example*5", "zen.spamhaus.org", "bad.example")
	first := look(t, s, "192.0.2.99")
	recorded := map[string]Answer{}
	var lines []string
	for _, e := range first.Exchanges {
		if e.Question.Name != "99.2.0.192.zen.spamhaus.org" || e.Question.Type != TXT { // asked if it hit before the heavier list
			lines = append(lines, e.String())
		}
		a, err := ParseAnswer(e.Answer.String())
		if err != nil {
			t.Fatal(err)
		}
		recorded[e.Question.String()] = a
	}
	want := []string{
		`A 99.2.0.192.bl.example → 127.0.0.2`,
		`TXT 99.2.0.192.bl.example → "see [why] \"here\""`,
		`A 99.2.0.192.zen.spamhaus.org → 127.0.0.4 127.0.0.10`,
		`A 99.2.0.192.bad.example → 127.255.255.254`,
	}
	if d := cmp.Diff(want, lines); d != "" {
		t.Error(d)
	}
	again := s.Replay("192.0.2.99", func(q Question) (Answer, bool) { a, ok := recorded[q.String()]; return a, ok })
	if again.Verdict != Listed || again.Score != first.Score || again.Reason != first.Reason || again.Reason != `see (why) "here"` {
		t.Errorf("replayed: %v %d %q, first: %v %d %q", again.Verdict, again.Score, again.Reason, first.Verdict, first.Score, first.Reason)
	}
}
