package rbl

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailweir/internal/dns"
	"mailweir/internal/dns/dnstest"
)

// What a list may answer, on a block list and on an allow list: only a listing is a hit.
func TestAnswersOfOneList(t *testing.T) {
	tests := []struct {
		name     string
		b        dnstest.Behaviour
		state    State
		contains string // of the error
	}{
		{"listed", dnstest.Always("A 127.0.0.2", `TXT "why"`), Hit, ""},
		{"not listed", func(_ string, m *dnstest.Msg, _ bool) [][]byte { return dnstest.One(dnstest.NX(m)) }, Clear, ""},
		{"no data", dnstest.Always(), Clear, ""},
		{"parking address", dnstest.Always("A 192.0.2.80"), Errored, "outside 127.0.0.0/8"},
		{"parking address behind an alias", func(_ string, m *dnstest.Msg, _ bool) [][]byte {
			r := dnstest.Has(m, "300", "CNAME parked.example.")
			dnstest.Add(r, "parked.example. 300 IN A 192.0.2.80")
			return dnstest.One(r)
		}, Errored, "outside 127.0.0.0/8"},
		{"typing error", dnstest.Always("A 127.255.255.252"), Errored, "typing error"},
		{"public resolver", dnstest.Always("A 127.255.255.254"), Errored, "public"},
		{"too many questions", dnstest.Always("A 127.255.255.255"), Errored, "too many questions"},
		{"error code beside a listing", dnstest.Always("A 127.0.0.2", "A 127.255.255.254"), Errored, "error code"},
		{"127.0.0.1", dnstest.Always("A 127.0.0.1"), Errored, "blocked resolver"},
		{"SERVFAIL", dnstest.Code(dnstest.ServerFailure), Errored, "server failure (SERVFAIL)"},
		{"REFUSED", dnstest.Code(dnstest.Refused), Errored, "refused"},
		{"NOTIMP", dnstest.Code(dnstest.NotImplemented), Errored, "server failure (NOTIMP)"},
		{"silence", dnstest.Silent, Errored, "no answer in time"},
		{"garbage", func(string, *dnstest.Msg, bool) [][]byte { return [][]byte{[]byte("garbage")} }, Errored, "malformed"},
		{"wrong id", func(_ string, m *dnstest.Msg, _ bool) [][]byte {
			r := dnstest.Has(m, "300", "A 127.0.0.2")
			r.Id++
			return dnstest.One(r)
		}, Errored, "malformed"},
		{"other question", func(_ string, m *dnstest.Msg, _ bool) [][]byte {
			r := dnstest.Has(m, "300", "A 127.0.0.2")
			r.Question[0].Name = "x." + r.Question[0].Name
			return dnstest.One(r)
		}, Errored, "malformed"},
		{"forged packet before the real one", func(_ string, m *dnstest.Msg, _ bool) [][]byte {
			forged := dnstest.Has(m, "300", "A 127.0.0.2")
			forged.Id++
			return append(dnstest.One(forged), dnstest.One(dnstest.NX(m))...)
		}, Clear, ""},
		{"truncated, whole by TCP", func(_ string, m *dnstest.Msg, tcp bool) [][]byte {
			r := dnstest.Has(m, "300", "A 127.0.0.2")
			if !tcp {
				r.Truncated, r.Answer = true, nil
			}
			return dnstest.One(r)
		}, Hit, ""},
		{"truncated, dnstest.Silent by TCP", func(_ string, m *dnstest.Msg, tcp bool) [][]byte {
			if tcp {
				return nil
			}
			r := dnstest.Has(m, "300", "A 127.0.0.2")
			r.Truncated = true
			return dnstest.One(r)
		}, Errored, ""},
		{"record of another name", func(_ string, m *dnstest.Msg, _ bool) [][]byte {
			r := dnstest.Has(m, "300")
			dnstest.Add(r, "other.example. 300 IN A 127.0.0.2")
			return dnstest.One(r)
		}, Clear, ""},
		{"lame server", func(_ string, m *dnstest.Msg, _ bool) [][]byte {
			r := dnstest.Rcode(m, dnstest.Success)
			r.RecursionAvailable = false
			return dnstest.One(r)
		}, Errored, "does not recurse"},
	}
	patient, hasty := newBench(t), hastyBench(t)
	for _, tt := range tests {
		b := patient
		if tt.state == Errored && (tt.contains == "no answer in time" || tt.contains == "malformed") { // nothing that counts comes
			b = hasty
		}
		for _, weight := range []int{1, -1} {
			for _, client := range []string{"192.0.2.99", "2001:db8::99"} {
				t.Run(fmt.Sprint(tt.name, " weight ", weight, " ", client), func(t *testing.T) {
					zone := fmt.Sprintf("l%d.example", b.clock.Now().Unix())
					b.clock.Advance(time.Second)
					b.liar.Set(zone, except(tt.b))
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
	b.liar.Set("bl.example", honest(map[string][]string{
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
	if n := b.liar.Count("A 99.2.0.192.bl.example"); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	if r := look(t, s, "192.0.2.97"); r.Lists[0].State != Uncounted {
		t.Errorf("a code without a filter: %v", r.Lists[0].State)
	}
}

// A v4-mapped client is the IPv4 client.
func TestMappedClient(t *testing.T) {
	b := newBench(t)
	b.liar.Set("bl.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2"}}))
	s := b.set(t, SetOptions{}, "bl.example")
	if r := look(t, s, "::ffff:192.0.2.99"); r.Verdict != Listed || r.Subject != "192.0.2.99" {
		t.Errorf("%v %s", r.Verdict, r.Subject)
	}
}

// The answer is given as soon as no dnstest.Silent list can change it, and questions that nobody
// needs any more are not waited for.
func TestEarlyDecision(t *testing.T) {
	tests := []struct {
		name    string
		specs   []string
		verdict Verdict
		early   bool
	}{
		{"block list dnstest.Silent, already over", []string{"hit.example*2", "silent.example"}, Listed, true},
		{"block list dnstest.Silent, cannot reach", []string{"clear.example*9", "silent.example"}, NotListed, true},
		{"block list dnstest.Silent, could reach", []string{"hit.example", "silent.example"}, Unknown, false},
		{"allow list dnstest.Silent, could save", []string{"hit.example*2", "silent.example*-1"}, Unknown, false},
		{"allow list dnstest.Silent, cannot save", []string{"hit.example*4", "silent.example*-2"}, Listed, true},
		{"allow list dnstest.Silent, nothing to save", []string{"clear.example*2", "silent.example*-1"}, NotListed, true},
		{"all have spoken", []string{"hit.example*2", "clear.example*-5"}, Listed, true},
		{"monitored list silent", []string{"hit.example*2", "monitored.example*9"}, Listed, true},
	}
	b := newBench(t)
	b.liar.Set("hit.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2"}}))
	b.liar.Set("clear.example", honest(nil))
	b.liar.Set("silent.example", except(dnstest.Silent))
	b.liar.Set("monitored.example", except(dnstest.Silent))
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
	b.liar.Set("bl.example", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2", `TXT "see [why] \"here\""`}}))
	b.liar.Set("zen.spamhaus.org", honest(map[string][]string{"99.2.0.192": {"A 127.0.0.4", "A 127.0.0.10"}}))
	b.liar.Set("bad.example", except(dnstest.Always("A 127.255.255.254")))
	s := b.set(t, SetOptions{Threshold: 3, Complete: true}, "bl.example*5", "zen.spamhaus.org", "bad.example")
	first := look(t, s, "192.0.2.99")
	recorded := map[string]dns.Answer{}
	var lines []string
	for _, e := range first.Exchanges {
		if e.Question.Name != "99.2.0.192.zen.spamhaus.org" || e.Question.Type != dns.TXT { // asked if it hit before the heavier list
			lines = append(lines, e.String())
		}
		a, err := dns.ParseAnswer(e.Answer.String())
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
	again := s.Replay("192.0.2.99", func(q dns.Question) (dns.Answer, bool) { a, ok := recorded[q.String()]; return a, ok })
	if again.Verdict != Listed || again.Score != first.Score || again.Reason != first.Reason || again.Reason != `see (why) "here"` {
		t.Errorf("replayed: %v %d %q, first: %v %d %q", again.Verdict, again.Score, again.Reason, first.Verdict, first.Score, first.Reason)
	}
}
