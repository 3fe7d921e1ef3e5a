package dnslists_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"mailweir/internal/dns"
	"mailweir/internal/importing"
	"mailweir/internal/importing/dnslists"
	"mailweir/internal/mta/postfix"
	"mailweir/rbl"
)

// old is a configuration of Postfix that a test makes: the sites of postscreen with their
// threshold, and restriction lists.
type old struct {
	sites     []string
	threshold int
	lists     map[string][]string // of words, by the parameter
}

// order is the one in which smtpd comes to its lists.
var order = []string{"smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_recipient_restrictions"}

func (o old) postfix() *postfix.Postfix {
	p := &postfix.Postfix{Parameters: map[string]string{
		"postscreen_dnsbl_sites": strings.Join(o.sites, ", "), "postscreen_dnsbl_threshold": strconv.Itoa(o.threshold), "postscreen_dnsbl_action": "drop",
	}, Set: map[string]string{}, Services: []*postfix.Service{{Name: "smtpd", Type: "pass", Command: "smtpd"}}}
	if len(o.sites) > 0 {
		p.Services = append(p.Services, &postfix.Service{Name: "smtp", Type: "inet", Command: "postscreen"})
	}
	for name, words := range o.lists {
		p.Parameters[name] = strings.Join(words, ", ")
	}
	return p
}

// answers has the addresses that each zone answers about a client.
type answers map[string][]string

// refuses decides as Postfix documents it in postconf(5): the sum of the sites' weights, each once
// however many addresses match; then the restriction lists, in each of which the first that says
// something ends it.
func (o old) refuses(a answers) bool {
	score := 0
	for _, site := range o.sites {
		site, weight, weighted := strings.Cut(site, "*")
		n := 1
		if weighted {
			n, _ = strconv.Atoi(weight)
		}
		if a.match(site) {
			score += n
		}
	}
	if len(o.sites) > 0 && score >= o.threshold {
		return true
	}
	for _, list := range order {
		if o.ends(list, a) {
			return true
		}
	}
	return false
}

func (o old) ends(list string, a answers) (refused bool) {
	words := o.lists[list]
	for i := 0; i < len(words); i++ {
		switch words[i] {
		case "warn_if_reject":
			i += 2
		case "reject_rbl_client":
			if i++; a.match(words[i]) {
				return true
			}
		case "permit_dnswl_client":
			if i++; a.match(words[i]) {
				return false
			}
		}
	}
	return false
}

// match is Postfix's matching of ZONE[=d.d.d.d], written by itself.
func (a answers) match(site string) bool {
	zone, filter, filtered := strings.Cut(site, "=")
	for _, address := range a[zone] {
		if !filtered || octetsMatch(filter, address) {
			return true
		}
	}
	return false
}

func octetsMatch(filter, address string) bool {
	// A dot within brackets is part of a range.
	patterns := strings.Split(strings.ReplaceAll(filter, "..", "-"), ".")
	octets := strings.Split(address, ".")
	for i, octet := range octets {
		n, _ := strconv.Atoi(octet)
		matched := false
		for _, member := range strings.Split(strings.Trim(patterns[i], "[]"), ";") {
			low, high, isRange := strings.Cut(member, "-")
			if !isRange {
				high = low
			}
			from, _ := strconv.Atoi(low)
			to, _ := strconv.Atoi(high)
			matched = matched || from <= n && n <= to
		}
		if !matched {
			return false
		}
	}
	return true
}

// imported are mailweir's lists as import writes them.
type imported struct {
	zones     []string
	monitored []string
	threshold int
	// wider says that a list permits against more than in Postfix, and that the report says so.
	wider bool
}

func importOld(t testing.TB, p *postfix.Postfix, given map[string][]string) (imported, *importing.Result) {
	t.Helper()
	r, err := dnslists.Source().Read(context.Background(), &importing.Input{
		Postfix: p, Dir: "/etc/mailweir/imported", Given: func(flag string) []string { return given[flag] },
	})
	if err != nil {
		t.Fatal(err)
	}
	m := imported{threshold: 1}
	for _, f := range r.Flags {
		switch f.Name {
		case "rbl-zone":
			m.zones = append(m.zones, f.Value)
		case "rbl-monitor-zone":
			m.monitored = append(m.monitored, f.Value)
		case "rbl-threshold":
			m.threshold, _ = strconv.Atoi(f.Value)
		}
	}
	for _, i := range r.Items {
		m.wider = m.wider || i.Fate == importing.Changed && strings.Contains(i.Reason, "it counts against")
	}
	return m, r
}

// set makes mailweir's set of lists.
func (m imported) set(t testing.TB, lists *rbl.Lists) *rbl.Set {
	t.Helper()
	entries, err := rbl.Parse(rbl.Addresses, m.zones)
	if err != nil {
		t.Fatal(err)
	}
	set, err := lists.NewSet(entries, rbl.SetOptions{Threshold: m.threshold, Monitor: m.monitored, Complete: true})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// newLists are lists whose tests nobody answers: what is replayed needs none.
func newLists(t testing.TB) *rbl.Lists {
	t.Helper()
	resolver, err := dns.NewResolver(dns.ResolverOptions{Servers: []string{"127.0.0.1:9"}, AttemptTimeout: time.Millisecond, QuestionTimeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(resolver.Close)
	lists := rbl.NewLists(resolver, rbl.ListsOptions{Tick: time.Hour})
	t.Cleanup(lists.Close)
	return lists
}

const client = "192.0.2.1"

// listed judges a client about whom the zones answer so.
func listed(set *rbl.Set, a answers) bool {
	return set.Replay(client, func(q dns.Question) (dns.Answer, bool) {
		for zone, addresses := range a {
			if !strings.HasSuffix(q.String(), "."+zone) && !strings.Contains(q.String(), "."+zone+" ") {
				continue
			}
			answer := dns.Answer{Status: dns.Found}
			for _, address := range addresses {
				answer.Addrs = append(answer.Addrs, netip.MustParseAddr(address))
			}
			return answer, true
		}
		return dns.Answer{Status: dns.NoName}, true
	}).Verdict == rbl.Listed
}

var zones = []string{"a.test", "b.test", "c.test", "d.test", "e.test", "f.test"}

func randomAnswers(rnd *rand.Rand) answers {
	a := answers{}
	for _, zone := range zones {
		if rnd.IntN(3) > 0 {
			continue
		}
		for range 1 + rnd.IntN(2) {
			a[zone] = append(a[zone], fmt.Sprintf("127.0.%d.%d", rnd.IntN(2), 2+rnd.IntN(10)))
		}
	}
	return a
}

func randomSite(rnd *rand.Rand) string {
	zone := zones[rnd.IntN(len(zones))]
	low := 2 + rnd.IntN(5)
	switch rnd.IntN(4) {
	case 0:
		return zone
	case 1:
		return fmt.Sprintf("%s=127.0.0.%d", zone, low)
	case 2:
		return fmt.Sprintf("%s=127.0.[0..1].[%d..%d]", zone, low, low+3)
	}
	return fmt.Sprintf("%s=127.0.[0;1].[%d;%d..%d]", zone, low, low+1, low+4)
}

func randomOld(rnd *rand.Rand) old {
	o := old{threshold: 1 + rnd.IntN(4), lists: map[string][]string{}}
	if rnd.IntN(3) > 0 {
		for range 1 + rnd.IntN(5) {
			o.sites = append(o.sites, fmt.Sprintf("%s*%d", randomSite(rnd), rnd.IntN(6)-2))
		}
	}
	for _, list := range order {
		if rnd.IntN(2) == 0 {
			continue
		}
		for range 1 + rnd.IntN(4) {
			word := "reject_rbl_client"
			if rnd.IntN(3) == 0 {
				word = "permit_dnswl_client"
			}
			o.lists[list] = append(o.lists[list], "permit_mynetworks", word, randomSite(rnd))
		}
	}
	return o
}

// Whatever stands in Postfix and whatever the lists answer, both decide the same. Where the report
// says that a list permits against more than in Postfix, mailweir refuses nothing else.
func TestSameAsPostfix(t *testing.T) {
	lists := newLists(t)
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 0))
	compared, refused, wider := 0, 0, 0
	for range 60 {
		o := randomOld(rnd)
		m, _ := importOld(t, o.postfix(), nil)
		if len(m.zones) == 0 {
			continue
		}
		set := m.set(t, lists)
		for range 50 {
			a := randomAnswers(rnd)
			was, is := o.refuses(a), listed(set, a)
			if is && !was || was && !is && !m.wider {
				t.Errorf("seed %d: Postfix refuses: %t, mailweir: %t\n%+v\n%+v\n%v", seed, was, is, o, m, a)
			}
			compared++
			if is {
				refused++
			}
			if was != is {
				wider++
			}
		}
		set.Close()
		if t.Failed() {
			return
		}
	}
	if compared < 1000 || refused < compared/20 {
		t.Errorf("seed %d is a poor sample: %d compared, %d refused", seed, compared, refused)
	}
	t.Logf("%d decisions, %d refusals by both, %d where mailweir lets in what its report announces", compared, refused, wider)
}
