package rbl

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailweir/internal/dns"
	"mailweir/test/testbed"
)

// The meaning of lists is held against a real rbldnsd behind a real unbound.

// daemon starts a program and ends it, by its own process, with the test.
func daemon(t testing.TB, program string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", program, out.String())
		}
	})
}

// freePort is a port for both protocols that is nobody else's until the test ends.
func freePort(t testing.TB) int {
	t.Helper()
	port, err := strconv.Atoi(testbed.Port(testbed.FreeAddress(t)))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func write(t testing.TB, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

const zoneHead = "$SOA 300 ns.example hostmaster.example 1 3600 600 86400 300\n$TTL 300\n"

// realLists starts rbldnsd with the zone files (by data set, zone and text) and unbound before it,
// and waits until both answer. Zones are "set zone", several sets of one zone add up.
func realLists(t testing.TB, zones [][3]string) *dns.Resolver {
	t.Helper()
	return realListsOn(t, freePort(t), zones)
}

// realListsOn is realLists with unbound on a port of the caller's choice.
func realListsOn(t testing.TB, unboundPort int, zones [][3]string) *dns.Resolver {
	t.Helper()
	testbed.Require(t, "dns")
	dir := t.TempDir()
	for d := dir; strings.HasPrefix(d, os.TempDir()+"/"); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil { // rbldnsd reads as nobody
			t.Fatal(err)
		}
	}
	rbldnsdPort := freePort(t)
	args := []string{"-n", "-f", "-r", dir, "-b", fmt.Sprintf("127.0.0.1/%d", rbldnsdPort), "-u", "nobody", "-q"}
	stubs := map[string]bool{}
	for i, z := range zones {
		file := fmt.Sprintf("zone%d", i)
		write(t, dir, file, zoneHead+z[2])
		args = append(args, z[1]+":"+z[0]+":"+file)
		stubs[z[1]] = true
	}
	daemon(t, "rbldnsd", args...)
	conf := fmt.Sprintf(`server:
  interface: 127.0.0.1
  port: %d
  chroot: ""
  directory: %q
  pidfile: ""
  username: ""
  use-syslog: no
  do-daemonize: no
  do-not-query-localhost: no
  module-config: "iterator"
  access-control: 127.0.0.0/8 allow
  local-zone: "." refuse
  num-threads: 1
remote-control:
  control-enable: no
`, unboundPort, dir)
	for zone := range stubs {
		conf += fmt.Sprintf("server:\n  local-zone: %q transparent\nstub-zone:\n  name: %q\n  stub-addr: 127.0.0.1@%d\n", zone, zone, rbldnsdPort)
	}
	write(t, dir, "unbound.conf", conf)
	daemon(t, "unbound", "-d", "-c", filepath.Join(dir, "unbound.conf"))
	r := newTestResolver(t, dns.ResolverOptions{AttemptTimeout: 200 * time.Millisecond}, fmt.Sprintf("127.0.0.1:%d", unboundPort))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for zone := range stubs {
		for {
			a := r.AskFresh(ctx, dns.NewQuestion(dns.A, "2.0.0.127."+zone))
			if a.Status != dns.Failed {
				break
			}
			if ctx.Err() != nil {
				t.Fatalf("%s does not answer: %s", zone, a)
			}
		}
	}
	return r
}

func TestRealLists(t *testing.T) {
	r := realLists(t, [][3]string{
		{"ip4set", "bl.example", ":127.0.0.2:Listed, see https://bl.example/?ip=$\n127.0.0.2\n192.0.2.99\n198.51.100.0/24\n"},
		{"ip6trie", "bl.example", ":127.0.0.2:Listed, see https://bl.example/?ip=$\n0:0:0:0:0:ffff:7f00:2/128\n2001:db8:99::/48\n"},
		{"ip4set", "zen.spamhaus.org", ":127.0.0.2:SBL\n127.0.0.2\n192.0.2.99\n192.0.2.98\n"},
		{"ip4set", "zen.spamhaus.org", ":127.0.0.10:PBL\n127.0.0.2\n192.0.2.98\n192.0.2.97\n"},
		{"ip4set", "zen.spamhaus.org", ":127.0.0.77:new\n192.0.2.96\n192.0.2.98\n"},
		{"ip4set", "zen.spamhaus.org", ":127.255.255.254:open resolver\n192.0.2.95\n"},
		{"ip4set", "list.dnswl.org", ":127.0.5.2:ISP\n192.0.2.99\n"},
		{"ip4set", "list.dnswl.org", ":127.0.10.0:test\n127.0.0.2\n"},
		{"ip4set", "world.example", ":127.0.0.2:everyone\n0.0.0.0/1\n128.0.0.0/1\n"},
		{"dnset", "dbl.example", ":127.0.1.2:Domain of spammers\ntest\n.spam.example\n"},
	})
	changes := &changeLog{}
	lists := NewLists(r, ListsOptions{OnChange: changes.add, Tick: time.Hour})
	defer lists.Close()
	make := func(kind Kind, opt SetOptions, specs ...string) *Set {
		entries, err := Parse(kind, specs)
		if err != nil {
			t.Fatal(err)
		}
		s, err := lists.NewSet(entries, opt)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		if err := s.Ready(background(t)); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := make(Addresses, SetOptions{Threshold: 2, Complete: true},
		"bl.example", "zen.spamhaus.org=127.0.0.[2..9]*2", "zen.spamhaus.org=127.0.0.[10;11]", "list.dnswl.org*-2", "world.example*9")
	tests := []struct {
		client  string
		verdict Verdict
		score   int
		states  string
	}{
		{"192.0.2.99", NotListed, 1, "hit, hit, hit, suspended"},
		{"192.0.2.98", Listed, 3, "not listed, hit, not listed, suspended"},
		{"192.0.2.97", NotListed, 1, "not listed, hit, not listed, suspended"},
		{"192.0.2.96", Unknown, 0, "not listed, error, not listed, suspended"},
		{"192.0.2.95", Unknown, 0, "not listed, error, not listed, suspended"},
		{"192.0.2.94", NotListed, 0, "not listed, not listed, not listed, suspended"},
		{"198.51.100.7", NotListed, 1, "hit, not listed, not listed, suspended"},
		{"2001:db8:99::1", NotListed, 1, "hit, not listed, not listed, suspended"},
		{"2001:db8:98::1", NotListed, 0, "not listed, not listed, not listed, suspended"},
		{"::ffff:192.0.2.98", Listed, 3, "not listed, hit, not listed, suspended"},
	}
	for _, tt := range tests {
		res := look(t, s, tt.client)
		var states []string
		for _, l := range res.Lists {
			states = append(states, l.State.String())
		}
		if d := cmp.Diff(tt.states, strings.Join(states, ", ")); d != "" || res.Verdict != tt.verdict || res.Score != tt.score {
			t.Errorf("%s: %v %d: %s %v", tt.client, res.Verdict, res.Score, d, res.Err())
		}
	}
	if res := look(t, make(Addresses, SetOptions{}, "bl.example"), "198.51.100.7"); res.Reason != "Listed, see https://bl.example/?ip=198.51.100.7" {
		t.Errorf("reason %q", res.Reason)
	}
	if got := changes.take(); got != "world.example self-test begins: it lists 1.0.0.127, which no list may: it answers 127.0.0.2" {
		t.Errorf("changes: %s", got)
	}
	d := make(Domains, SetOptions{}, "dbl.example")
	for domain, want := range map[string]Verdict{"spam.example": Listed, "mail.spam.example": Listed, "good.example": NotListed} {
		if res := lookFor(d, domain, 10*time.Second); res.Verdict != want {
			t.Errorf("%s: %v", domain, res.Verdict)
		}
	}
}
