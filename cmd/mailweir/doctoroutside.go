package main

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"strings"
	"sync"
	"time"

	"mailweir/internal/config"
	"mailweir/internal/dns"
	"mailweir/internal/doctor"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/rbl"
)

// listWithin is how long a DNS list may take for its test entries.
const listWithin = 10 * time.Second

// lists asks each DNS list for its test entries, through the resolver that mail is asked about by.
func (g *gathering) lists(ctx context.Context) func(*doctor.Facts) {
	zones := map[rbl.Kind][]string{rbl.Addresses: given(g.settings, "rbl-zone"), rbl.Domains: given(g.settings, "rhsbl-zone")}
	if len(zones[rbl.Addresses])+len(zones[rbl.Domains]) == 0 {
		return nil
	}
	servers, err := dnsServers(*g.settings.daemon.dns)
	if err != nil {
		return nil // the configuration is wrong, which has an examination of its own
	}
	resolver, err := dns.NewResolver(dns.ResolverOptions{Servers: servers})
	if err != nil {
		return nil
	}
	defer resolver.Close()
	lists := rbl.NewLists(resolver, rbl.ListsOptions{})
	defer lists.Close()
	ctx, cancel := context.WithTimeout(ctx, listWithin)
	defer cancel()
	keys, _ := readKeys(g.settings) // one that is missing fails its list
	var mu sync.Mutex
	var found []doctor.Asked
	var asking sync.WaitGroup
	for kind, specs := range zones {
		for _, spec := range specs {
			asking.Go(func() {
				one := testList(ctx, resolver, lists, kind, spec, keys)
				mu.Lock()
				defer mu.Unlock()
				found = append(found, one)
			})
		}
	}
	asking.Wait()
	return func(f *doctor.Facts) { f.Lists, f.Servers = found, servers }
}

func testList(ctx context.Context, resolver *dns.Resolver, lists *rbl.Lists, kind rbl.Kind, spec string, keys map[string]rbl.Secret) doctor.Asked {
	one := doctor.Asked{Name: spec}
	entries, err := rbl.Parse(kind, []string{spec})
	if err != nil || len(entries) != 1 {
		one.Err = errors.Join(err, errors.New("it is no zone"))
		return one
	}
	one.Name = entries[0].Zone
	set, err := lists.NewSet(entries, rbl.SetOptions{Threshold: 1, Keys: keys})
	if err != nil {
		one.Err = err
		return one
	}
	defer set.Close()
	if one.Err = set.Test(ctx, one.Name); one.Err != nil && !strings.HasPrefix(one.Name, "{") {
		one.Cause = causeOf(resolver.AskFresh(ctx, dns.Question{Name: testEntry(kind) + "." + one.Name, Type: dns.A}))
	}
	return one
}

// testEntry is what every list must have (RFC 5782 section 5).
func testEntry(kind rbl.Kind) string {
	if kind == rbl.Domains {
		return "test"
	}
	return "2.0.0.127"
}

// refusing is where the answers of lists are that they give to who may not ask.
var refusing = netip.MustParsePrefix("127.255.255.0/24")

// causeOf tells a list that does not want to answer from one that cannot be asked.
func causeOf(a dns.Answer) string {
	if a.Status == dns.Failed {
		return doctor.CauseSilent
	}
	for _, addr := range a.Addrs {
		if refusing.Contains(addr.Unmap()) {
			return doctor.CauseRefused
		}
	}
	return ""
}

// newestMessages is how many messages of the record are looked at.
const newestMessages = 1000

// clients counts who sends most of the mail from outside, in the record.
func (g *gathering) clients(ctx context.Context) func(*doctor.Facts) {
	spec := recordSpec(g.settings.daemon)
	if spec == noRecord || g.settings.daemon.record.validate() != nil {
		return func(f *doctor.Facts) { f.Clients = doctor.Fact[doctor.Clients]{} }
	}
	clients, err := g.countClients(ctx, spec)
	if err != nil {
		return func(f *doctor.Facts) {
			f.Clients = doctor.NotKnown[doctor.Clients](errors.New(config.Masked(err.Error())))
		}
	}
	return func(f *doctor.Facts) { f.Clients = doctor.Known(*clients) }
}

func (g *gathering) countClients(ctx context.Context, spec string) (*doctor.Clients, error) {
	clients := &doctor.Clients{Counts: make(map[netip.Addr]int)}
	store, err := opening{g.settings.daemon.record, func(string) {}, nil, true}.store(ctx, spec)
	if errors.Is(err, fs.ErrNotExist) {
		return clients, nil // nothing has come yet
	}
	if err != nil {
		return nil, err
	}
	defer store.Close()
	page, err := store.Search(ctx, record.Query{Kind: record.Messages, Limit: newestMessages})
	if err != nil {
		return nil, err
	}
	p, err := g.policy()
	for _, e := range page.Entries {
		m := e.Message
		if m == nil || !m.Client.IsValid() || m.Login != "" || m.Service != policy.MX || !fromOutside(m) {
			continue
		}
		if err == nil {
			if relay, _ := p.Settings.InboundRelays.Client(ctx, m.Client, m.ClientName); relay.Member() {
				continue
			}
		}
		clients.Messages++
		clients.Counts[m.Client]++
	}
	return clients, nil
}

// fromOutside reports whether a message came from a client that is not trusted.
func fromOutside(m *policy.Transaction) bool {
	for _, r := range m.Recipients {
		if r.Direction == "inbound" || r.Direction == "relay" {
			return true
		}
	}
	return false
}
