package rbl

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// The same lists, the same zone data and random clients: a real postscreen and this package reach
// the same score. Postscreen asks the resolver in /etc/resolv.conf on port 53.
func TestAgainstPostscreen(t *testing.T) {
	testbed.Require(t, "postfix")
	testbed.Require(t, "dns")
	testbed.WithOwnResolver(t, func() { againstPostscreen(t) })
}

// randomSites is a value of postscreen_dnsbl_sites with filters, weights of both signs and zones
// named several times.
func randomSites(rnd *rand.Rand, zones []string) []string {
	octet := func(low int) string {
		a, b := low+rnd.IntN(6), low+6+rnd.IntN(6)
		switch rnd.IntN(4) {
		case 0:
			return strconv.Itoa(a)
		case 1:
			return fmt.Sprintf("[%d..%d]", a, b)
		case 2:
			return fmt.Sprintf("[%d;%d]", a, b)
		}
		return fmt.Sprintf("[%d;%d..%d]", low, a+1, b)
	}
	var sites []string
	for range 12 {
		site := zones[rnd.IntN(len(zones))]
		if rnd.IntN(3) > 0 {
			third := "0"
			if rnd.IntN(2) == 0 {
				third = "[0..1]"
			}
			site += "=127.0." + third + "." + octet(2)
		}
		if rnd.IntN(3) > 0 {
			site += fmt.Sprintf("*%d", rnd.IntN(6)-2)
		}
		sites = append(sites, site)
	}
	return sites
}

func againstPostscreen(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 0))
	zoneNames := []string{"a.test", "b.test", "c.test", "d.test", "e.test"}
	clients := make([]netip.Addr, 0, 100)
	for i := range 70 {
		clients = append(clients, netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}))
	}
	for i := range 30 {
		clients = append(clients, netip.MustParseAddr(fmt.Sprintf("2001:db8::%x:1", i)))
	}
	resolver := realListsOn(t, 53, randomZones(rnd, zoneNames, clients))
	sites := randomSites(rnd, zoneNames)
	port, log := postscreen(t, sites)

	lists := NewLists(resolver, ListsOptions{Tick: time.Hour})
	defer lists.Close()
	entries, err := Parse(Addresses, sites)
	if err != nil {
		t.Fatal(err)
	}
	set, err := lists.NewSet(entries, SetOptions{Complete: true})
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if err := set.Ready(background(t)); err != nil {
		t.Fatal(err)
	}
	askPostscreen(t, port, clients)
	ranks, late := ranksIn(t, log, len(clients))
	listed, compared := 0, 0
	for _, client := range clients {
		if late[client] {
			continue
		}
		compared++
		r := look(t, set, client.String())
		rank, refused := ranks[client]
		if r.Verdict == Unknown || (r.Verdict == Listed) != refused || refused && r.Score != rank {
			t.Errorf("seed %d, %s: %v with %d, postscreen %v with %d; %v", seed, client, r.Verdict, r.Score, refused, rank, r.Err())
		}
		if refused {
			listed++
		}
	}
	if listed < 10 || listed > len(clients)-10 {
		t.Logf("seed %d is a poor sample: %d listed", seed, listed)
	}
	if compared < len(clients)*3/4 {
		t.Errorf("only %d of %d clients could be compared", compared, len(clients))
	}
	t.Logf("%d clients agree, %d refused by both, sites %s", compared, listed, strings.Join(sites, ", "))
}

// randomZones gives each zone several data sets, so that a client may be listed with several codes,
// and the test entries.
func randomZones(rnd *rand.Rand, names []string, clients []netip.Addr) (zones [][3]string) {
	for _, name := range names {
		zones = append(zones, [3]string{"ip4set", name, ":127.0.0.2:test\n127.0.0.2\n"}, [3]string{"ip6trie", name, ":127.0.0.2:test\n0:0:0:0:0:ffff:7f00:2/128\n"})
		for range 3 {
			code := fmt.Sprintf(":127.0.%d.%d:random\n", rnd.IntN(2), 2+rnd.IntN(12))
			four, six := code, code
			for _, c := range clients {
				switch {
				case rnd.IntN(6) > 0:
				case c.Is4():
					four += c.String() + "\n"
				default:
					six += c.StringExpanded() + "/128\n"
				}
			}
			zones = append(zones, [3]string{"ip4set", name, four}, [3]string{"ip6trie", name, six})
		}
	}
	return zones
}

// postscreen starts a Postfix whose only door is postscreen, which believes what a proxy says of
// the client.
func postscreen(t *testing.T, sites []string) (port int, log string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ps") // short: Unix sockets have a limit
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	port = freePort(t)
	for _, sub := range []string{"etc", "queue", "data"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chown", "postfix", filepath.Join(dir, "data")).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	log = filepath.Join(dir, "maillog")
	write(t, dir, "etc/main.cf", fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/maillog
maillog_file_prefixes = %[1]s
myhostname = mx.test
inet_interfaces = 127.0.0.1
postscreen_upstream_proxy_protocol = haproxy
postscreen_access_list =
postscreen_cache_map =
postscreen_greet_wait = 2s
postscreen_client_connection_count_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
postscreen_dnsbl_action = drop
postscreen_dnsbl_threshold = 1
postscreen_dnsbl_sites = %[2]s
`, dir, strings.Join(sites, ",\n    ")))
	write(t, dir, "etc/master.cf", fmt.Sprintf(`127.0.0.1:%d inet n - n - 1 postscreen
smtpd pass - - n - - smtpd
dnsblog unix - - n - 0 dnsblog
postlog unix-dgram n - n - 1 postlogd
anvil unix - - n - 1 anvil
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
`, port))
	run := func(command string) {
		if out, err := exec.Command("/usr/sbin/postfix", "-c", filepath.Join(dir, "etc"), command).CombinedOutput(); err != nil {
			t.Fatalf("postfix %s: %v\n%s", command, err, out)
		}
	}
	run("start")
	t.Cleanup(func() {
		run("abort")
		if t.Failed() {
			b, _ := os.ReadFile(log)
			t.Logf("maillog:\n%s", b)
		}
	})
	return port, log
}

// askPostscreen lets every client connect, ten at a time because its dnsblog service can't take
// more at once, and waits for what each is told.
func askPostscreen(t *testing.T, port int, clients []netip.Addr) {
	var wg sync.WaitGroup
	turn := make(chan struct{}, 10)
	for i, client := range clients {
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), 10*time.Second)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(60 * time.Second))
			family, server := "TCP4", "127.0.0.1"
			if client.Is6() {
				family, server = "TCP6", "::1"
			}
			fmt.Fprintf(conn, "PROXY %s %s %s %d 25\r\n", family, client, server, 10_000+i)
			lines := bufio.NewScanner(conn)
			for lines.Scan() {
				if line := lines.Text(); !strings.HasPrefix(line, "220-") {
					return // "220 " or a refusal: postscreen has made up its mind
				}
			}
			t.Errorf("%s: no verdict: %v", client, lines.Err())
		})
	}
	wg.Wait()
}

var (
	rankLine = regexp.MustCompile(`DNSBL rank (-?\d+) for \[([0-9a-f.:]+)\]`)
	passLine = regexp.MustCompile(`PASS NEW \[([0-9a-f.:]+)\]`)
	hitLine  = regexp.MustCompile(`addr ([0-9a-f.:]+) listed by domain`)
)

// ranksIn are the scores of those that postscreen refused, from its log. Those are late of whom a
// list spoke after postscreen had made up its mind: it waits for all only while it has no reason to
// refuse.
func ranksIn(t *testing.T, log string, clients int) (ranks map[netip.Addr]int, late map[netip.Addr]bool) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	deadline := time.Now().Add(20 * time.Second)
	for { // the log is written by another process, a moment after the clients were answered
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "psc_dnsbl_request: connect") {
			t.Fatal("postscreen could not ask all its questions: the comparison says nothing")
		}
		ranks, late = map[netip.Addr]int{}, map[netip.Addr]bool{}
		passed := 0
		for line := range strings.Lines(string(b)) {
			if m := rankLine.FindStringSubmatch(line); m != nil {
				ranks[netip.MustParseAddr(m[2])], _ = strconv.Atoi(m[1])
			} else if m := hitLine.FindStringSubmatch(line); m != nil {
				client := netip.MustParseAddr(m[1])
				_, over := ranks[client]
				late[client] = late[client] || over
			} else if passLine.MatchString(line) {
				passed++
			}
		}
		if passed+len(ranks) >= clients {
			return ranks, late
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log tells of %d clients only", passed+len(ranks))
		}
		<-look.C
	}
}
