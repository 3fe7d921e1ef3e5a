package rbl

import (
	"context"
	"strings"
	"testing"
	"time"

	"mailweir/internal/dns/dnstest"
)

// Names are asked as they are, except of lists that know registered domains only.
func TestDomainLists(t *testing.T) {
	b := newBench(t)
	b.liar.Set("dbl.example", honest(map[string][]string{"mail.sender.co.uk": {"A 127.0.1.2"}, "xn--bcher-kva.example": {"A 127.0.1.2"}}))
	b.liar.Set("multi.surbl.org", honest(map[string][]string{
		"surbl-org-permanent-test-point.com": {"A 127.0.0.254"}, "sender.co.uk": {"A 127.0.0.72"}, "blocked.example": {"A 127.0.0.1"},
	}))
	s := b.setOf(t, Domains, SetOptions{Threshold: 2, Complete: true}, "dbl.example", "multi.surbl.org")
	tests := []struct {
		domain  string
		verdict Verdict
		score   int
		hits    string
	}{
		{"mail.sender.co.uk", Listed, 2, "dbl.example multi.surbl.org"},
		{"Mail.Sender.CO.UK.", Listed, 2, "dbl.example multi.surbl.org"},
		{"other.sender.co.uk", NotListed, 1, "multi.surbl.org"},
		{"bücher.example", NotListed, 1, "dbl.example"},
		{"blocked.example", NotListed, 0, ""}, // an error of one list of weight 1 cannot reach 2
		{"co.uk", NotListed, 0, ""},
		{"[192.0.2.1]", NotListed, 0, ""},
		{"192.0.2.1", NotListed, 0, ""},
		{"localhost", NotListed, 0, ""},
		{"", NotListed, 0, ""},
	}
	for _, tt := range tests {
		r := lookFor(s, tt.domain, 10*time.Second)
		if r.Verdict != tt.verdict || r.Score != tt.score || strings.Join(r.Hits(), " ") != tt.hits {
			t.Errorf("%q: %v %d %v", tt.domain, r.Verdict, r.Score, r.Hits())
		}
	}
	all := s.LookupDomains(background(t), "new.sender.co.uk", "localhost", "bücher.example")
	if len(all) != 3 || all[0].Score != 1 || all[1].Score != 0 || all[2].Subject != "xn--bcher-kva.example" {
		t.Errorf("%+v", all)
	}
	if none := s.LookupDomains(background(t)); len(none) != 0 {
		t.Errorf("%+v", none)
	}
	for _, q := range []string{"A 192.0.2.1.dbl.example", "A localhost.dbl.example", "A [192.0.2.1].dbl.example", "A co.uk.multi.surbl.org", "A mail.sender.co.uk.multi.surbl.org"} {
		if b.liar.Count(q) != 0 {
			t.Errorf("asked %s", q)
		}
	}
	if meaning := lookFor(s, "mail.sender.co.uk", 10*time.Second).Lists[1].Codes[0].Meaning; meaning != "PH: phishing, ABUSE: spam" {
		t.Errorf("meaning %q", meaning)
	}
}

// A name so long that no name below the zone could be asked is not asked about.
func TestLongDomain(t *testing.T) {
	b := newBench(t)
	b.liar.Set("dbl.example", dnstest.Always("A 127.0.0.2"))
	s := b.setOf(t, Domains, SetOptions{NoSelfTest: []string{"dbl.example"}}, "dbl.example")
	label := strings.Repeat("a", 60)
	long := strings.Join([]string{label, label, label, label, "com"}, ".")
	if r := lookFor(s, long, 10*time.Second); r.Verdict != NotListed || r.Lists[0].State != NotAsked {
		t.Errorf("%v %v", r.Verdict, r.Lists[0].State)
	}
}

// A monitored list has no say and is not waited for. It is still counted when it answers late, and
// is in the complete result, which is then the one that is remembered.
func TestMonitoredList(t *testing.T) {
	b := newBench(t)
	release := make(chan struct{})
	b.liar.Set("slow.example", except(func(_ string, m *dnstest.Msg, _ bool) [][]byte {
		select {
		case <-release:
		case <-b.liar.Stop:
		}
		return dnstest.One(dnstest.Has(m, "300", "A 127.0.0.2"))
	}))
	s := b.set(t, SetOptions{Monitor: []string{"slow.example"}}, "slow.example")
	r := lookFor(s, "192.0.2.99", time.Minute)
	if r.Verdict != NotListed || r.Lists[0].State != NotAsked {
		t.Fatalf("%v %v", r.Verdict, r.Lists[0].State)
	}
	gone, cancel := context.WithCancel(background(t))
	cancel()
	if r.Complete(gone) != r {
		t.Error("a wait that was ended is not the result as it stands")
	}
	close(release)
	full := r.Complete(background(t))
	if full.Verdict != NotListed || full.Score != 0 || full.Would != 1 || full.Lists[0].State != Hit || len(full.Exchanges) != 1 {
		t.Errorf("complete: %+v", full)
	}
	if st := b.lists.Status()[0]; st.Hits != 1 || st.Alone != 1 {
		t.Errorf("%+v", st)
	}
	if again := lookFor(s, "192.0.2.99", time.Minute); again != full {
		t.Errorf("remembered: %+v", again)
	}

	b.liar.Set("fast.example", honest(map[string][]string{"98.2.0.192": {"A 127.0.0.2"}}))
	b.liar.Set("slow.example", honest(map[string][]string{"98.2.0.192": {"A 127.0.0.2"}}))
	s = b.set(t, SetOptions{Threshold: 3, Monitor: []string{"slow.example"}, Complete: true}, "slow.example*5", "fast.example")
	r = lookFor(s, "192.0.2.98", time.Minute)
	if r.Verdict != NotListed || r.Score != 1 || r.Would != 6 || strings.Join(r.Hits(), " ") != "slow.example fast.example" {
		t.Errorf("%v %d %d %v", r.Verdict, r.Score, r.Would, r.Hits())
	}
}

// Of several hits the reply names the one with the greatest weight, the first of equals.
func TestReplyNamesHeaviest(t *testing.T) {
	b := newBench(t)
	for zone, text := range map[string]string{"a.example": "A", "b.example": "B", "c.example": "C"} {
		b.liar.Set(zone, honest(map[string][]string{"99.2.0.192": {"A 127.0.0.2", `TXT "` + text + `"`}}))
	}
	s := b.set(t, SetOptions{Complete: true}, "a.example", "b.example*2", "c.example*2")
	if r := look(t, s, "192.0.2.99"); r.Zone != "b.example" || r.Reason != "B" || r.Score != 5 {
		t.Errorf("%s %q %d", r.Zone, r.Reason, r.Score)
	}
	if n := b.liar.Count("TXT 98.2.0.192.b.example"); n != 0 {
		t.Error("TXT asked without a hit")
	}
}

// A text that does not come costs nothing but its waiting: the verdict stands and the list's name
// is said.
func TestTextNeverComes(t *testing.T) {
	b := newBench(t)
	b.liar.Set("bl.example", except(func(_ string, m *dnstest.Msg, _ bool) [][]byte {
		if dnstest.Asks(m, "TXT") {
			return nil
		}
		return dnstest.One(dnstest.Has(m, "300", "A 127.0.0.2"))
	}))
	s := b.set(t, SetOptions{}, "bl.example")
	if r := lookFor(s, "192.0.2.99", 2*time.Second); r.Verdict != Listed || r.Reason != "bl.example" {
		t.Errorf("%v %q", r.Verdict, r.Reason)
	}
	if st := b.lists.Status()[0]; st.Errors != 0 {
		t.Errorf("%d errors", st.Errors)
	}
}

func TestSetOptions(t *testing.T) {
	b := newBench(t)
	entries, err := Parse(Addresses, []string{"bl.example"})
	if err != nil {
		t.Fatal(err)
	}
	domains, err := Parse(Domains, []string{"dbl.example"})
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]func() error{
		"threshold -1": func() error { _, err := b.lists.NewSet(entries, SetOptions{Threshold: -1}); return err },
		"list other.example is not configured": func() error {
			_, err := b.lists.NewSet(entries, SetOptions{Monitor: []string{"other.example"}})
			return err
		},
		"list odd.example is not configured": func() error {
			_, err := b.lists.NewSet(entries, SetOptions{NoSelfTest: []string{"odd.example"}})
			return err
		},
		"need a set each": func() error { _, err := b.lists.NewSet(append(entries, domains...), SetOptions{}); return err },
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want an error with %q", err, name)
		}
	}
	if st := b.lists.Status(); len(st) != 0 {
		t.Errorf("lists of sets that were refused: %+v", st)
	}
}
