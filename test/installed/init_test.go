package installed_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailweir/test/installed"
)

// shape is all that an undo must give back.
const shape = "postconf -n; cat /etc/postfix/master.cf; systemctl list-unit-files --state=enabled --no-legend; ls /etc/systemd/system/ /etc/mailweir /etc/mailweir/conf.d"

// TestInit attaches mailweir to a Postfix as Debian installs it, whose smtpd runs in a chroot, and
// takes it away again.
func TestInit(t *testing.T) {
	t.Parallel()
	m := installed.Boot(t, "postfix")
	m.Install(t)
	before := m.Must(t, shape)
	out := m.Must(t, "mailweir init --dry-run </dev/null")
	if !strings.Contains(out, "+smtpd_milters = { unix:mailweir/mailweir.sock,") || m.Must(t, shape) != before {
		t.Errorf("a dry run:\n%s", out)
	}
	if r := m.Sh(t, "mailweir init </dev/null"); r.Exit != 1 || !strings.Contains(r.Stderr, "no terminal") || m.Must(t, shape) != before {
		t.Errorf("without a terminal: %s", r)
	}
	out = m.Must(t, "mailweir init --yes </dev/null")
	if !strings.Contains(out, "postfix answers: 250 2.1.5 Ok; mailweir was asked.") {
		t.Error(out)
	}
	if got := m.Must(t, "stat -c '%a %U' /var/spool/postfix/mailweir/mailweir.sock; systemctl is-enabled mailweir.socket mailweir.service"); got != "660 postfix\nenabled\nenabled\n" {
		t.Errorf("the socket is %s", got)
	}
	if out := m.Must(t, "mailweir init --yes </dev/null"); !strings.Contains(out, "Nothing has changed") {
		t.Errorf("a second run:\n%s", out)
	}
	m.Must(t, "systemctl disable --now mailweir.service mailweir.socket 2>&1")
	if out := m.Must(t, "mailweir init --yes </dev/null && systemctl is-active mailweir.service"); strings.Contains(out, "Nothing has changed") {
		t.Errorf("after it was stopped:\n%s", out)
	}
	t.Run("broken reload", func(t *testing.T) { brokenReload(t, m) })
	refused(t, m)
	t.Run("new domain", func(t *testing.T) { newDomain(t, m) })
	t.Run("killed", func(t *testing.T) { killed(t, m) })
	m.Must(t, "mailweir init --undo </dev/null")
	if after := m.Must(t, shape); after != before {
		t.Errorf("the undo leaves a difference:\n%s", cmp.Diff(before, after))
	}
	if m.Sh(t, "systemctl is-active mailweir.socket || systemctl is-active mailweir.service || ls /var/spool/postfix/mailweir").Exit == 0 {
		t.Error("something is left")
	}
	m.Must(t, "mailweir init --undo </dev/null")
	t.Run("broken socket", func(t *testing.T) { brokenSocket(t, m, before) })
	t.Run("by hand", func(t *testing.T) { byHand(t, m) })
}

// refused sees that the daemon knows what init found: a listed client would be refused.
func refused(t *testing.T, m *installed.Machine) {
	t.Helper()
	m.Write(t, "/etc/mailweir/conf.d/70-local.conf", "client-block-list = inline:{198.51.100.7=REJECT}\n", 0o644)
	m.Must(t, "systemctl reload mailweir")
	c := m.Talk(t, "198.51.100.7")
	for _, command := range []string{"EHLO client.example", "MAIL FROM:<a@b.example>", "RCPT TO:<root@mx.test.example>"} {
		if reply, err := c.Ask(command); err != nil || reply.Code() != "250" {
			t.Fatalf("%s: %q, %v", command, reply, err)
		}
	}
	m.AwaitJournal(t, "mailweir.service", "would_refuse")
	m.Must(t, "rm /etc/mailweir/conf.d/70-local.conf; systemctl reload mailweir")
}

// newDomain is what init is run again for.
func newDomain(t *testing.T, m *installed.Machine) {
	before := strings.TrimSpace(m.Must(t, "postconf -h mydestination"))
	m.Must(t, "postconf -e 'mydestination=mx.test.example, localhost, new.example'; postfix reload 2>&1")
	out := m.Must(t, "mailweir init --yes </dev/null")
	if !strings.Contains(out, "+new.example") || strings.Contains(out, "/etc/postfix/main.cf") {
		t.Error(out)
	}
	if got := m.Must(t, "cat /etc/mailweir/local-domains"); !strings.Contains(got, "\nnew.example\n") {
		t.Error(got)
	}
	m.Must(t, "postconf -e 'mydestination = "+before+"'; postfix reload 2>&1; mailweir init --yes </dev/null")
}

// brokenReload: what the running mailweir would refuse is not even tried on it.
func brokenReload(t *testing.T, m *installed.Machine) {
	pid := m.Must(t, "systemctl show -P MainPID mailweir")
	m.Write(t, "/etc/mailweir/conf.d/70-local.conf", "\nhops-max = many\n", 0o644)
	r := m.Sh(t, "mailweir init --yes </dev/null")
	if r.Exit != 78 || !strings.Contains(r.Stderr, "/etc/mailweir/conf.d/70-local.conf:2:") || m.Must(t, "systemctl show -P MainPID mailweir") != pid {
		t.Error(r)
	}
	m.Must(t, "rm /etc/mailweir/conf.d/70-local.conf")
}

// killed: whatever a run has done when it is killed, the next one takes back and does again.
func killed(t *testing.T, m *installed.Machine) {
	m.Must(t, "mailweir init --undo </dev/null")
	clean := m.Must(t, "cat /etc/postfix/main.cf /etc/postfix/master.cf")
	for _, after := range []string{"0.3", "0.8"} {
		m.Sh(t, "timeout -s KILL "+after+" mailweir init --yes </dev/null >/dev/null")
		if m.Sh(t, "test -e /var/lib/mailweir-init/journal.json").Exit == 0 {
			m.Must(t, "mailweir init --undo </dev/null")
		}
		if got := m.Must(t, "cat /etc/postfix/main.cf /etc/postfix/master.cf"); got != clean {
			t.Errorf("killed after %s s and undone:\n%s", after, got)
		}
	}
	m.Must(t, "mailweir init --yes </dev/null")
}

// brokenSocket: smtpd's user may not connect. Nothing is attached, and port 25 answers.
func brokenSocket(t *testing.T, m *installed.Machine, before string) {
	m.Write(t, "/etc/systemd/system/mailweir.socket.d/90-broken.conf", "[Socket]\nSocketMode=0600\nSocketUser=root\n", 0o644)
	r := m.Sh(t, "mailweir init --yes </dev/null")
	if r.Exit != 1 || !strings.Contains(r.Stderr, "as user postfix") || !strings.Contains(r.Stderr, "not attached; all files are as they were") {
		t.Error(r)
	}
	m.Must(t, "rm -r /etc/systemd/system/mailweir.socket.d; systemctl daemon-reload")
	m.Must(t, "mount --bind /etc/postfix /etc/postfix; mount -o remount,ro,bind /etc/postfix")
	if r := m.Sh(t, "mailweir init --yes </dev/null"); r.Exit != 1 || !strings.Contains(r.Stderr, "read-only file system") {
		t.Error(r)
	}
	m.Must(t, "umount /etc/postfix")
	if m.Sh(t, "ls /var/spool/postfix/mailweir").Exit == 0 {
		t.Error("the directory of the socket is left")
	}
	if after := m.Must(t, shape); after != before {
		t.Errorf("the failure leaves a difference:\n%s", cmp.Diff(before, after))
	}
	c := m.Talk(t, "198.51.100.7")
	if reply, err := c.Ask("EHLO client.example"); err != nil || reply.Code() != "250" {
		t.Errorf("%q, %v", reply, err)
	}
}

// byHand: where an administrator has attached mailweir before init, an undo gives back a mailweir
// that runs, and it cannot be removed: either would leave Postfix with a filter that is gone.
func byHand(t *testing.T, m *installed.Machine) {
	m.Must(t, "systemctl enable --now mailweir.socket mailweir.service 2>&1; postconf -F smtp/inet/chroot=n")
	m.Must(t, "postconf -e 'smtpd_milters = { unix:/run/mailweir/mailweir.sock, default_action=tempfail }'; systemctl restart postfix")
	m.Must(t, "mailweir init --yes </dev/null")
	r := m.Sh(t, "mailweir init --undo </dev/null")
	if r.Exit != 1 || !strings.Contains(r.Stderr, "postconf -c /etc/postfix -e 'smtpd_milters = '") {
		t.Error(r)
	}
	if got := m.Sh(t, "systemctl is-active mailweir.socket mailweir.service; systemctl is-enabled mailweir.socket mailweir.service"); got.Stdout != "active\nactive\nenabled\nenabled\n" {
		t.Errorf("the undo leaves %s", got)
	}
	if r := m.Sh(t, "dpkg --remove mailweir"); r.Exit == 0 || m.Sh(t, "systemctl is-active mailweir.service").Exit != 0 {
		t.Errorf("it was removed while Postfix asks it: %s", r)
	}
	m.Must(t, "postconf -c /etc/postfix -e 'smtpd_milters = '; postfix -c /etc/postfix reload 2>&1; dpkg --remove mailweir")
}

// TestInitSendmail does the same with Debian's Sendmail.
func TestInitSendmail(t *testing.T) {
	t.Parallel()
	m := installed.Boot(t, "sendmail")
	m.Install(t)
	const files = "cat /etc/mail/sendmail.mc /etc/mail/sendmail.cf"
	before := m.Must(t, files)
	out := m.Must(t, "mailweir init --yes </dev/null")
	if !strings.Contains(out, "+mx.test.example\n") {
		t.Errorf("the host's own name is not local:\n%s", out)
	}
	if !strings.Contains(out, "sendmail answers: ") || !strings.Contains(out, "; mailweir was asked.") {
		t.Error(out)
	}
	if out := m.Must(t, "mailweir init --yes </dev/null"); !strings.Contains(out, "Nothing has changed") {
		t.Errorf("a second run:\n%s", out)
	}
	refused(t, m)
	m.Must(t, "mailweir init --undo </dev/null")
	if m.Must(t, files) != before {
		t.Error("the files are not what they were")
	}
	c := m.Talk(t, "198.51.100.7")
	if reply, err := c.Ask("EHLO client.example"); err != nil || reply.Code() != "250" {
		t.Errorf("%q, %v", reply, err)
	}
}
