package testbed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Zone is a data set of rbldnsd. A zone may have several of different types.
type Zone struct {
	Name string // "bl.example"
	Type string // data set type of rbldnsd: ip4set, ip6trie, dnset, generic …; or ZoneFile
	Data string // its lines
}

// ZoneFile is the type of a zone whose data are a zone file (RFC 1035 section 5), complete with its
// SOA. Unbound has it itself, so what rbldnsd does not know, such as aliases, works as in any DNS.
const ZoneFile = "zonefile"

// DNSConfig says what the name servers know.
type DNSConfig struct {
	Zones []Zone
	// Records are further records as unbound's local-data takes them:
	// `example.net. 60 IN TXT "v=spf1 -all"`.
	Records []string
	// Address is where unbound listens; "" is a free port of loopback.
	Address string
}

// DNS is an rbldnsd behind an unbound.
type DNS struct {
	Address  string // of unbound, to be asked
	Rbldnsd  *Process
	Resolver *Process
}

// StartDNS starts rbldnsd with the zones and unbound in front of it. All other
// names are refused, so no test asks the network.
func StartDNS(tb TB, config DNSConfig) *DNS {
	tb.Helper()
	Require(tb, "dns")
	dir := TempDir(tb)
	zones, resolver := FreeAddress(tb), config.Address
	if resolver == "" {
		resolver = FreeAddress(tb)
	}
	d := &DNS{Address: resolver}

	lists := slices.DeleteFunc(slices.Clone(config.Zones), func(z Zone) bool { return z.Type == ZoneFile })
	args := []string{"-n", "-f", "-r", dir, "-b", strings.Replace(zones, ":", "/", 1), "-u", "nobody", "-q"}
	for i, z := range lists {
		name := fmt.Sprintf("zone%d", i)
		// Without an SOA rbldnsd's negative answers could not be cached.
		soa := "$SOA 60 ns.test.example hostmaster.test.example 1 60 60 60 60\n"
		writeFile(tb, filepath.Join(dir, name), []byte(soa+z.Data), 0o644)
		args = append(args, z.Name+":"+z.Type+":"+name)
	}
	if len(lists) > 0 {
		d.Rbldnsd = start(tb, exec.Command("rbldnsd", args...)).nagged()
		d.wait(tb, d.Rbldnsd, zones, lists[0].Name)
	}
	d.Resolver = start(tb, exec.Command("unbound", "-d", "-p", "-c", unboundConf(tb, dir, resolver, zones, config)))
	d.wait(tb, d.Resolver, resolver, "ready.test.example")
	return d
}

// unboundConf writes the configuration of an unbound at an address, with rbldnsd at another, and
// returns its name.
func unboundConf(tb TB, dir, address, zones string, config DNSConfig) string {
	tb.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, `server:
	interface: %s
	port: %s
	directory: %q
	username: ""
	chroot: ""
	use-syslog: no
	logfile: ""
	do-daemonize: no
	num-threads: 1
	do-ip6: no
	do-not-query-localhost: no
	module-config: "iterator"
	local-zone: "." refuse
	local-data: "ready.test.example. 60 IN A 127.0.0.1"
`, strings.TrimSuffix(address, ":"+Port(address)), Port(address), dir)
	for _, record := range config.Records {
		fmt.Fprintf(&b, "\tlocal-zone: %q static\n\tlocal-data: '%s'\n", strings.Fields(record)[0], record)
	}
	for _, name := range zoneNames(config.Zones) {
		fmt.Fprintf(&b, "\tlocal-zone: %q transparent\n", name)
	}
	stubs := map[string]bool{}
	for i, z := range config.Zones {
		if z.Type == ZoneFile {
			name := filepath.Join(dir, fmt.Sprintf("zonefile%d", i))
			writeFile(tb, name, []byte(z.Data), 0o644)
			fmt.Fprintf(&b, "auth-zone:\n\tname: %q\n\tzonefile: %q\n\tfor-downstream: no\n", z.Name, name)
		} else if !stubs[z.Name] {
			stubs[z.Name] = true
			fmt.Fprintf(&b, "stub-zone:\n\tname: %q\n\tstub-addr: %s\n", z.Name, strings.Replace(zones, ":", "@", 1))
		}
	}
	b.WriteString("remote-control:\n\tcontrol-enable: no\n")
	conf := filepath.Join(dir, "unbound.conf")
	writeFile(tb, conf, []byte(b.String()), 0o644)
	return conf
}

// zoneNames lists each name once.
func zoneNames(zones []Zone) []string {
	var names []string
	for _, z := range zones {
		if !contains(names, z.Name) {
			names = append(names, z.Name)
		}
	}
	return names
}

// wait asks a server for a name until it gives any answer.
func (d *DNS) wait(tb TB, p *Process, address, name string) {
	tb.Helper()
	if err := untilOr(p.done, func() error { return askDNS(address, name) }); err != nil {
		tb.Fatalf("%s: %v\n%s", p.cmd, err, p.Log)
	}
}

// askDNS sends one query for an A record and reads the answer with its id.
func askDNS(address, name string) error {
	conn, err := net.Dial("udp4", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	// A lost datagram is asked again soon; a refused one fails at once.
	if err := conn.SetDeadline(time.Now().Add(250 * time.Millisecond)); err != nil {
		return err
	}
	const id = 0x4d57
	query := binary.BigEndian.AppendUint16(nil, id)
	query = append(query, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0) // RD, one question
	for _, label := range strings.Split(name, ".") {
		query = append(append(query, byte(len(label))), label...)
	}
	query = append(query, 0, 0, 1, 0, 1) // root, A, IN
	if _, err := conn.Write(query); err != nil {
		return err
	}
	answer := make([]byte, 512)
	n, err := conn.Read(answer)
	if err != nil {
		return err
	}
	if n < 12 || binary.BigEndian.Uint16(answer) != id {
		return errors.New("not an answer to the question")
	}
	return nil
}
