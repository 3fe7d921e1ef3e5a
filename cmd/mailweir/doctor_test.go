package main

import (
	"context"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailweir/internal/config"
	"mailweir/internal/dns/dnstest"
	"mailweir/internal/doctor"
	"mailweir/internal/mta"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
	"mailweir/test/testbed"
)

// gatheringOf is a report under these flags, on a host without a mail server.
func gatheringOf(t *testing.T, flags ...string) *gathering {
	t.Helper()
	given := config.Given{}
	for _, flag := range flags {
		name, value, _ := strings.Cut(strings.TrimPrefix(flag, "--"), "=")
		given[name] = append(given[name], value)
	}
	run := func(context.Context, string, ...string) (mta.Output, error) { return mta.Output{}, nil }
	return &gathering{settings: resolveAll(config.Origin{Given: given}), run: run, servers: doctor.Servers{Run: run, Sendmail: "/nowhere"}}
}

// silent takes connections and says nothing.
func silent(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(testbed.TempDir(t), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return path
}

// Whatever hangs, the report comes, and says what is missing.
func TestDoctorHangs(t *testing.T) {
	hangs := silent(t)
	g := gatheringOf(t, "--control=unix:"+hangs, "--virus-scanner=clamd:unix:"+hangs, "--state=memory:")
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	f := g.gather(ctx)
	report := doctor.Examine(f, nil)
	unfinished := map[string]bool{}
	for _, found := range report.Findings {
		if found.Level != doctor.OK {
			unfinished[found.Examination] = true
		}
	}
	for _, part := range []string{"daemon", "scanners", "backends"} {
		if !unfinished[part] && !slices.Contains(f.Late, part) {
			t.Errorf("%s hangs, and is not named: late are %q, findings %v", part, f.Late, report.Findings)
		}
	}
}

// A list says by its answers why it cannot be used, and a resolver that does not answer is unknown.
func TestDoctorLists(t *testing.T) {
	server := dnstest.New(t)
	has := func(entries ...string) dnstest.Behaviour {
		return func(key string, m *dnstest.Msg, _ bool) [][]byte {
			if slices.Contains(entries, key) {
				return dnstest.One(dnstest.Has(m, "60", "A 127.0.0.2"))
			}
			return dnstest.One(dnstest.NX(m))
		}
	}
	server.Set("good.test", has("2.0.0.127"))
	server.Set("dead.test", has("2.0.0.127", "1.0.0.127"))
	server.Set("shared.test", dnstest.Always("A 127.255.255.254"))
	server.Set("silent.test", dnstest.Silent)
	g := gatheringOf(t, "--dns="+server.Addr, "--rbl-zone=good.test", "--rbl-zone=dead.test", "--rbl-zone=shared.test", "--rbl-zone=silent.test")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	f := &doctor.Facts{}
	g.lists(ctx)(f)
	got := map[string]doctor.Asked{}
	for _, l := range f.Lists {
		got[l.Name] = l
	}
	for zone, want := range map[string]struct {
		fails bool
		cause string
	}{"good.test": {}, "dead.test": {true, ""}, "shared.test": {true, doctor.CauseRefused}, "silent.test": {true, doctor.CauseSilent}} {
		if l := got[zone]; l.Name == "" || (l.Err != nil) != want.fails || l.Cause != want.cause {
			t.Errorf("%s: %+v", zone, l)
		}
	}
	if len(f.Servers) != 1 {
		t.Errorf("servers %q", f.Servers)
	}
}

// Clients of the record count where they are from outside, and not where they are relays of ours.
func TestDoctorClients(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "record")
	store, err := files.Open(t.Context(), dir, files.Options{Clock: time.Now, Warn: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	var entries []record.Entry
	for i, client := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.2", "198.51.100.1", "203.0.113.1"} {
		direction := "inbound"
		if client == "203.0.113.1" {
			direction = "outbound"
		}
		at := time.Now().Add(-time.Duration(i) * time.Second)
		entries = append(entries, record.Entry{Message: &policy.Transaction{
			Version: 1, Begun: at, Ended: at, Session: "s", Number: i + 1, Service: policy.MX, Client: netip.MustParseAddr(client),
			Recipients: []policy.RecipientOutcome{{Recipient: "bob@example.org", Direction: direction}},
		}})
	}
	if err := store.Write(t.Context(), entries, nil); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	g := gatheringOf(t, "--record=file:"+dir, "--inbound-relays=inline:{198.51.100.1=x}")
	f := g.gather(t.Context())
	c := f.Clients.Value
	if c == nil {
		t.Fatalf("clients: %v", f.Clients.Err)
	}
	if c.Messages != 3 || c.Counts[netip.MustParseAddr("192.0.2.1")] != 2 || len(c.Counts) != 2 {
		t.Errorf("got %+v", c)
	}
}

// What stands in the flags is what doctor goes by.
func TestDoctorConfig(t *testing.T) {
	g := gatheringOf(t, "--rbl-zone=a.example", "--rhsbl-zone=b.example", "--spam-scanner=spamd:127.0.0.1:783", "--virus-scanner=clamd:tcp:127.0.0.1:1", "--virus-max-size=1MiB",
		"--size-max=2MiB", "--rcpt-limit-max=50", "--load-sessions=7", "--greylist=off", "--services=2525=mx,ORIGINATING=submission", "--state=memory:")
	g.preparePolicy()
	defer g.close()
	c := g.settings.doctorConfig(g.policy)
	if len(c.Wrong) > 0 {
		t.Fatal(c.Wrong)
	}
	switch {
	case !slices.Equal(c.Zones, []string{"a.example", "b.example"}), !slices.Equal(c.SpamScanners, []string{"spamd:127.0.0.1:783"}),
		c.SizeMax != 2<<20, c.ScanMax != 1<<20, c.RcptLimit != 50, c.Sessions != 7, c.Greylists, !c.EditsHeaders, !c.Refuses, !c.RcptLimitRefuses,
		c.Services["ORIGINATING"] != "submission", c.State != "memory:", c.Record != "off":
		t.Errorf("got %+v", c)
	}
	g = gatheringOf(t, "--mode=monitor", "--state=memory:")
	g.preparePolicy()
	defer g.close()
	if c := g.settings.doctorConfig(g.policy); c.Refuses || c.RcptLimitRefuses || c.EditsHeaders || !c.Greylists || c.SizeMax != 0 || c.ScanMax != 0 {
		t.Errorf("under --mode=monitor: %+v", c)
	}
	g = gatheringOf(t, "--hops-max=many", "--rbl-zone=x", "--state=memory:")
	g.preparePolicy()
	defer g.close()
	if c := g.settings.doctorConfig(g.policy); len(c.Wrong) != 2 {
		t.Errorf("wrong is %q", c.Wrong)
	}
}
