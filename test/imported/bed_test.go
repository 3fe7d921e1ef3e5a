package imported

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// configuration is one of the five.
type configuration struct {
	name       string
	postscreen bool
	seed       uint64
	random     int // dialogs beside those of each value
	// peers starts what the old configuration asks, and says what its files must have instead of
	// what they have.
	peers func(t *testing.T, b *bed) (replace []string)
	// before starts what runs on the old host itself.
	before func(t *testing.T, b *bed, h *testbed.Host)
	// beside starts what mailweir goes on asking once Postfix asks nobody else, without what of it
	// was imported.
	beside func(t *testing.T, b *bed, h *testbed.Host, r *report)
	// table is a file of the old configuration, below /etc, of which the line entry becomes the
	// line instead.
	table, entry, instead string
}

// bed is the name server and the peers of a configuration.
type bed struct {
	configuration
	binary  string // mailweir
	pool    *pool
	dns     *testbed.DNS
	local   string   // the address that stands for 127.0.0.1
	logins  string   // socket of a Dovecot, "" for none
	lib     string   // directories for /var/lib of each host, "" for none
	replace []string // what stands for what, as of [strings.NewReplacer]
}

func newBed(t *testing.T, c configuration, binary string) *bed {
	t.Helper()
	b := &bed{configuration: c, binary: binary, local: testbed.OwnLoopback(t)}
	b.pool = readPool(t, b.testdata("mail"))
	b.dns = testbed.StartDNS(t, dnsConfig(t, b))
	if users := b.pool.users(); len(users) > 0 {
		b.logins = filepath.Join(testbed.TempDir(t), "auth")
		testbed.StartDovecot(t, b.logins, users...)
	}
	if c.peers != nil {
		b.replace = c.peers(t, b)
	}
	b.replace = append(b.replace, "127.0.0.1:", b.local+":")
	return b
}

func (b *bed) testdata(name string) string { return filepath.Join("testdata", b.name, name) }

// host is one with the old configuration, as it stood on the old host but for the peers' addresses.
func (b *bed) host(t *testing.T) *testbed.Host {
	t.Helper()
	h := testbed.NewHost(t, b.testdata("etc"))
	if b.lib != "" {
		if out, err := exec.Command("cp", "-a", b.lib+"/.", h.Lib("")).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	swap := strings.NewReplacer(b.replace...)
	for _, name := range b.files(t) {
		b.edit(t, h, name, swap.Replace)
	}
	write(t, h.Etc("resolv.conf"), "nameserver "+strings.TrimSuffix(b.dns.Address, ":53")+"\noptions timeout:10 attempts:2\n")
	own, err := os.ReadFile(b.testdata("mailweir.conf"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, h.Etc("mailweir/mailweir.conf"), string(own)+"dns = "+b.dns.Address+"\nstate = file:"+h.Dir+"/state\n")
	b.postmap(t, h)
	if err := os.Mkdir(h.Dir+"/state", 0o700); err != nil {
		t.Fatal(err)
	}
	return h
}

// files are those of the old configuration, below /etc.
func (b *bed) files(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.Walk(b.testdata("etc"), func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			name, _ := filepath.Rel(b.testdata("etc"), path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// edit changes the text of a file of the host.
func (b *bed) edit(t *testing.T, h *testbed.Host, name string, change func(string) string) {
	t.Helper()
	text, err := os.ReadFile(h.Etc(name))
	if err != nil {
		t.Fatal(err)
	}
	write(t, h.Etc(name), change(string(text)))
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run runs a command on the host.
func run(t *testing.T, h *testbed.Host, argv ...string) string {
	t.Helper()
	cmd := h.Command(argv...)
	var errors strings.Builder
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s%s", argv, err, out, &errors)
	}
	return string(out)
}

var hashed = regexp.MustCompile(`\bhash:(/[^\s,}]+)`)

// postmap makes the databases of the host's tables, as somebody did once.
func (b *bed) postmap(t *testing.T, h *testbed.Host) {
	t.Helper()
	var tables, aliases []string
	set := run(t, h, "postconf", "-x")
	for _, m := range hashed.FindAllStringSubmatch(set+run(t, h, "postconf", "-P"), -1) {
		table := m[0]
		if _, err := os.Stat(h.Etc(strings.TrimPrefix(m[1], "/etc/"))); err != nil || slices.Contains(tables, table) {
			continue
		}
		if filepath.Base(m[1]) == "aliases" {
			aliases = append(aliases, table)
			continue
		}
		tables = append(tables, table)
	}
	if len(tables) > 0 {
		run(t, h, append([]string{"postmap"}, tables...)...)
	}
	if len(aliases) > 0 {
		run(t, h, append([]string{"postalias"}, aliases...)...)
	}
}

// report is what "mailweir import --json" prints.
type report struct {
	Items []item
	Gone  []item
	Files []struct {
		Path, What, Why string
		Lines           int
	}
	Checks  []string
	Notes   []string
	Doubles []struct{ Argv []string }
	Written bool
}

type item struct {
	Fate, File   string
	Line         int
	Text, Reason string
	New          bool
}

func (i item) place() string {
	if i.Line == 0 {
		return i.File
	}
	return fmt.Sprintf("%s:%d", i.File, i.Line)
}

// importing runs "mailweir import" with no word of what is where.
func (b *bed) importing(t *testing.T, h *testbed.Host) *report {
	t.Helper()
	var r report
	out := run(t, h, b.binary, "import", "--yes", "--all", "--json")
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return &r
}

// postfix starts the Postfix of a host, with what a test cannot do without changed.
func (b *bed) postfix(t *testing.T, h *testbed.Host, settings ...string) *side {
	t.Helper()
	s := &side{Host: h, postscreen: b.postscreen, last: b.pool.values["recipient"][0].text}
	b.edit(t, h, "postfix/main.cf", lastOfEach)
	b.edit(t, h, "postfix/master.cf", func(text string) string {
		text = strings.ReplaceAll(text, "smtpd_tls_security_level=encrypt", "smtpd_tls_security_level=none")
		if b.logins != "" {
			text = strings.ReplaceAll(text, "smtpd_tls_auth_only=yes", "smtpd_tls_auth_only=no")
		}
		return listening.ReplaceAllStringFunc(text, func(service string) string {
			port := listening.FindStringSubmatch(service)[1]
			return h.Address + ":" + strings.NewReplacer("smtp", "25", "submission", "587").Replace(port) + " inet "
		})
	})
	run(t, h, "postconf", "-F", "*/*/chroot=n")
	run(t, h, append([]string{
		"postconf", "-e",
		"inet_interfaces=127.0.0.1", "inet_protocols=all", "smtpd_authorized_xclient_hosts=0.0.0.0/0, [::]/0", "smtpd_peername_lookup=no",
		"maillog_file=" + h.Log(), "maillog_file_prefixes=" + h.Dir,
		"transport_maps=", "default_transport=discard:", "local_transport=discard:", "virtual_transport=discard:", "relay_transport=discard:",
		"smtpd_tls_security_level=none", "smtpd_error_sleep_time=0", "smtpd_soft_error_limit=1100", "smtpd_hard_error_limit=1100",
		"smtpd_client_connection_count_limit=0", "smtpd_client_connection_rate_limit=0", "in_flow_delay=0",
		"postscreen_upstream_proxy_protocol=haproxy", "postscreen_greet_wait=3s",
	}, settings...)...)
	if b.postscreen {
		b.dnsblog(t, h)
	}
	ports := []string{"25"}
	if b.logins != "" {
		run(t, h, "postconf", "-e", "smtpd_sasl_type=dovecot", "smtpd_sasl_path="+b.logins, "smtpd_tls_auth_only=no")
		ports = append(ports, "587")
	}
	h.StartPostfix(t, ports...)
	return s
}

// listening is the beginning of a service of master.cf that listens at a port.
var listening = regexp.MustCompile(`(?m)^(?:[\d.]+:)?(\w+)\s+inet\s+`)

// lastOfEach leaves of each parameter the last setting, which counts: every daemon would warn of
// the others when it starts, and postlogd, who logs to himself, would wait for ever once others had
// filled his socket.
func lastOfEach(text string) string {
	var settings []string // each with its continuation lines and the comments among them
	for line := range strings.Lines(text) {
		if continues := line[0] == ' ' || line[0] == '\t' || line[0] == '#' || line[0] == '\n'; continues && len(settings) > 0 {
			settings[len(settings)-1] += line
			continue
		}
		settings = append(settings, line)
	}
	last := map[string]int{}
	name := func(s string) string {
		name, _, _ := strings.Cut(s, "=")
		return strings.TrimSpace(name)
	}
	for i, s := range settings {
		last[name(s)] = i
	}
	var b strings.Builder
	for i, s := range settings {
		if last[name(s)] == i {
			b.WriteString(s)
		}
	}
	return b.String()
}

// needed are the programs that the tests start.
func needed(t *testing.T) {
	t.Helper()
	for _, component := range []string{"postfix", "dns", "dovecot", "mariadb", "ldap", "rspamd", "postgrey"} {
		testbed.Require(t, component)
	}
}
