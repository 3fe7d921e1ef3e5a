package installed_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"mailweir/test/installed"
	"mailweir/test/testbed"
)

// server is what differs between the MTAs of this test.
type server struct {
	mta      string
	settings string // a command that prints how the MTA is set up
	filters  string // one that prints who is asked about mail
}

var servers = []server{
	{"postfix", "postconf -n; postconf -M; postconf -P", "postconf -h smtpd_milters"},
	{"sendmail", "cat /etc/mail/sendmail.mc; grep -v '^#' /etc/mail/sendmail.cf", "sed -n 's/^O InputMailFilters=//p' /etc/mail/sendmail.cf"},
}

const (
	listed   = "198.51.100.7" // a client that the administrator has listed; Debian's Sendmail refuses 192.0.2.0/24 itself
	unlisted = "203.0.113.200"
)

// TestHome is a server's whole life with mailweir: installed, attached, looked at, enforced,
// upgraded under load, detached and removed, by the commands that the documentation gives.
func TestHome(t *testing.T) {
	for _, s := range servers {
		t.Run(s.mta, func(t *testing.T) {
			t.Parallel() // both wait most of the time
			home(t, s)
		})
	}
}

func home(t *testing.T, s server) {
	older, newer := installed.Package(t, "1.0"), installed.Package(t, "1.1")
	m := installed.Boot(t, s.mta)
	// The list is the administrator's own, and there before mailweir is.
	m.Write(t, "/etc/mailweir/clients.cidr", listed+"  REJECT\n", 0o644)
	m.Write(t, "/etc/mailweir/conf.d/80-lists.conf", "client-block-list = cidr:/etc/mailweir/clients.cidr\n", 0o644)
	m.Copy(t, older, "/root/mailweir.deb", 0o644)
	m.Copy(t, newer, "/root/newer.deb", 0o644)
	before := m.Must(t, s.settings)

	c := counted{m: m, began: time.Now()}
	c.must(t, "apt-get install --yes --quiet /root/mailweir.deb </dev/null")
	c.must(t, "mailweir init --yes")
	if r := c.run(t, "mailweir doctor"); r.Exit != 0 {
		t.Errorf("doctor: %s", r)
	}
	if got := send(t, m, listed); got != "250" {
		t.Errorf("a listed client, all monitored, is answered %s", got)
	}
	m.AwaitJournal(t, "mailweir.service", "would_refuse")
	if r := c.run(t, "mailweir would"); !strings.Contains(r.Stdout, "client-block: would have") {
		t.Errorf("would: %s", r)
	}
	c.must(t, "mailweir enforce client-block")
	if got := send(t, m, listed); got[0] != '4' && got[0] != '5' {
		t.Errorf("a listed client, enforced, is answered %s", got)
	}
	t.Logf("%s: %d commands and %.1f s from nothing to a refused client", s.mta, c.commands, time.Since(c.began).Seconds())
	if got := send(t, m, unlisted); got != "250" {
		t.Errorf("a client that nobody has listed is answered %s", got)
	}

	t.Run("upgrade under load", func(t *testing.T) { upgrade(t, m) })
	t.Run("undo", func(t *testing.T) {
		m.Must(t, "mailweir init --undo")
		if after := m.Must(t, s.settings); after != before {
			t.Errorf("after init --undo the MTA is set up otherwise:\n%s\nbefore:\n%s", after, before)
		}
		if got := send(t, m, listed); got != "250" {
			t.Errorf("mailweir is detached, and a listed client is answered %s", got)
		}
	})
	t.Run("remove", func(t *testing.T) {
		m.Must(t, "mailweir init --yes")
		m.Must(t, "dpkg --remove mailweir")
		if got := strings.TrimSpace(m.Must(t, s.filters)); got != "" {
			t.Errorf("mailweir is removed, and the MTA asks %s", got)
		}
		if got := send(t, m, listed); got != "250" {
			t.Errorf("mailweir is removed, and a listed client is answered %s", got)
		}
	})
	t.Run("purge", func(t *testing.T) {
		m.Must(t, "rm /etc/mailweir/clients.cidr /etc/mailweir/conf.d/80-lists.conf") // not ours
		purged(t, m)
	})
}

// counted counts the commands that a person has typed.
type counted struct {
	m        *installed.Machine
	began    time.Time
	commands int
}

func (c *counted) run(t *testing.T, command string) installed.Result {
	t.Helper()
	c.commands++
	began := time.Now()
	r := c.m.Sh(t, command)
	t.Logf("%5.1f s  %s", time.Since(began).Seconds(), command)
	return r
}

func (c *counted) must(t *testing.T, command string) {
	t.Helper()
	if r := c.run(t, command); r.Exit != 0 {
		t.Fatalf("%s: %s", command, r)
	}
}

// send has a client of that address send a message to a person there, and returns the code of the
// first reply that is not the usual one, or that of the last.
func send(t *testing.T, m *installed.Machine, from string) string {
	t.Helper()
	c, err := m.Dial("127.0.0.1:25", from)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	reply, err := deliver(c)
	if err != nil {
		t.Fatal(err)
	}
	return reply.Code()
}

func deliver(c *testbed.Client) (testbed.Reply, error) {
	reply, err := c.ReadReply()
	for _, command := range []string{
		"EHLO client.example", "MAIL FROM:<alice@client.example>", "RCPT TO:<root@mx.test.example>", "DATA",
		"From: <alice@client.example>\r\nSubject: hello\r\n\r\nhello\r\n.",
	} {
		if err != nil || reply.Code() > "4" {
			return reply, err
		}
		reply, err = c.Ask(command)
	}
	return reply, err
}

// upgrade installs another version while mail comes in. Nobody is turned away and nobody is asked
// what to do with a configuration file.
func upgrade(t *testing.T, m *installed.Machine) {
	conf := m.Read(t, "/etc/mailweir/mailweir.conf")
	began := m.Must(t, "date +%s")
	l := startLoad(m)
	m.Must(t, "sleep 1; "+`DEBIAN_FRONTEND=readline dpkg --install /root/newer.deb >/root/said 2>&1 </dev/null; echo $? >/root/exit; sleep 1`)
	accepted, others := l.stop()
	said := m.Read(t, "/root/said")
	if exit := m.Read(t, "/root/exit"); exit != "0\n" || strings.Contains(said, "Configuration file") {
		t.Errorf("dpkg --install ends with %s%s", exit, said)
	}
	if len(others) > 0 || accepted == 0 {
		t.Errorf("%d messages were accepted during the upgrade; others were answered %q", accepted, others)
	}
	t.Logf("%d messages were accepted during the upgrade, none refused or deferred", accepted)
	// An MTA that accepts mail while nobody answers would hide a gap; it complains all the same.
	if complaints := m.Must(t, "journalctl --no-pager --since=@"+strings.TrimSpace(began)+" | grep -iE 'warning: milter|milter.*(error|timeout|to error state)' || true"); complaints != "" {
		t.Errorf("the MTA complains:\n%s", complaints)
	}
	if now := m.Read(t, "/etc/mailweir/mailweir.conf"); now != conf {
		t.Errorf("the upgrade has changed mailweir.conf:\n%s", now)
	}
	m.AwaitJournal(t, "mailweir.service", "version=1.1")
	if got := m.Must(t, "systemctl is-active mailweir.service"); got != "active\n" {
		t.Errorf("after the upgrade the service is %s", got)
	}
	if got := send(t, m, listed); got == "250" {
		t.Error("after the upgrade a listed client passes")
	}
}

// load is mail that comes in all the time, in several connections at once.
type load struct {
	enough   chan struct{}
	clients  sync.WaitGroup
	mu       sync.Mutex
	accepted int
	others   []string
}

func startLoad(m *installed.Machine) *load {
	l := &load{enough: make(chan struct{})}
	for i := range 6 {
		l.clients.Go(func() { l.send(m, fmt.Sprintf("203.0.113.%d", i+1)) })
	}
	return l
}

// send sends one message after another until it is enough.
func (l *load) send(m *installed.Machine, from string) {
	for {
		select {
		case <-l.enough:
			return
		default:
		}
		reply, err := l.one(m, from)
		l.mu.Lock()
		switch {
		case err != nil:
			l.others = append(l.others, err.Error())
		case reply.Code() != "250":
			l.others = append(l.others, strings.Join(reply, " "))
		default:
			l.accepted++
		}
		l.mu.Unlock()
	}
}

func (l *load) one(m *installed.Machine, from string) (testbed.Reply, error) {
	c, err := m.Dial("127.0.0.1:25", from)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return deliver(c)
}

func (l *load) stop() (accepted int, others []string) {
	close(l.enough)
	l.clients.Wait()
	return l.accepted, l.others
}
