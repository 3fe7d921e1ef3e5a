package installed_test

import (
	"strings"
	"testing"

	"mailweir/test/installed"
)

// notInOrder are the lines of a report that are neither ok nor its last.
func notInOrder(report string) string {
	var left []string
	lines := strings.Split(strings.TrimSpace(report), "\n")
	for _, line := range lines[:len(lines)-1] {
		if !strings.HasPrefix(line, "ok ") {
			left = append(left, line)
		}
	}
	return strings.Join(left, "\n")
}

// The same with Sendmail, whose own files say who asks.
func TestDoctorSendmail(t *testing.T) {
	t.Parallel()
	m := installed.Boot(t, "sendmail")
	m.Install(t)
	if before := m.Sh(t, "mailweir doctor"); before.Exit != 2 || !strings.Contains(before.Stdout, "fault   sendmail-attached: Sendmail has no filter for mailweir; mailweir init\n") {
		t.Errorf("before init: %+v", before)
	}
	m.Must(t, "mailweir init --yes")
	if after := m.Sh(t, "mailweir doctor"); after.Exit != 0 || notInOrder(after.Stdout) != "" {
		t.Errorf("after init: %+v", after)
	}
	m.Must(t, "sed -i 's/^O InputMailFilters=.*/O InputMailFilters=/' /etc/mail/sendmail.cf")
	if dropped := m.Sh(t, "mailweir doctor"); dropped.Exit != 2 || !strings.Contains(dropped.Stdout, "fault   sendmail-attached: InputMailFilters lacks mailweir: ") {
		t.Errorf("dropped: %+v", dropped)
	}
	m.Must(t, "touch /etc/mail/sendmail.mc")
	if newer := m.Sh(t, "mailweir doctor"); !strings.Contains(newer.Stdout, "remark  sendmail: /etc/mail/sendmail.mc is newer than /etc/mail/sendmail.cf: its changes are not in use; sendmailconfig\n") {
		t.Errorf("newer: %+v", newer)
	}
}

// After init nothing is left to be mended; what goes wrong later doctor finds, and its command
// mends.
func TestDoctor(t *testing.T) {
	t.Parallel()
	m := installed.Boot(t, "postfix")
	m.Install(t)
	before := m.Sh(t, "mailweir doctor")
	if before.Exit != 2 || !strings.Contains(before.Stdout, "fault   service: mailweir.service is inactive (dead); mailweir init\n") ||
		!strings.Contains(before.Stdout, "fault   attached: no service of Postfix asks mailweir; mailweir init\n") {
		t.Errorf("before init: %+v", before)
	}
	m.Must(t, "mailweir init --yes")
	if after := m.Sh(t, "mailweir doctor"); after.Exit != 0 || notInOrder(after.Stdout) != "" {
		t.Fatalf("after init: %+v", after)
	}

	// Without rights it says what it could not see, and finds nothing that is not so.
	anybody := m.Sh(t, "setpriv --reuid=nobody --clear-groups mailweir doctor")
	for line := range strings.SplitSeq(notInOrder(anybody.Stdout), "\n") {
		if !strings.HasPrefix(line, "unknown ") || !strings.HasSuffix(line, "; sudo mailweir doctor") {
			t.Errorf("as nobody: %s", line)
		}
	}
	if anybody.Exit != 0 {
		t.Errorf("as nobody: exit %d", anybody.Exit)
	}

	const socket = "/var/spool/postfix/mailweir/mailweir.sock"
	for _, wrong := range []struct{ name, plant, want, repair string }{
		{"not enabled", "systemctl disable -q mailweir.service", "remark  service: mailweir.service runs, and does not start with the host (disabled); ", ""},
		{"stopped", "systemctl stop mailweir.socket mailweir.service", "fault   service: mailweir.service is inactive (dead); ", ""},
		{"another program", "cp /usr/bin/mailweir /usr/bin/mailweir.new && mv /usr/bin/mailweir.new /usr/bin/mailweir", "remark  version: version 1.0 runs, and the program on disk is another one; ", ""},
		{"not loaded", "echo 'hops-max = 29' >/etc/mailweir/conf.d/70-own.conf", "remark  loaded: changed on disk and not loaded: --hops-max; ", ""},
		{"a closed file", "touch /etc/mailweir/own && chmod 600 /etc/mailweir/own && echo 'client-block-list = cidr:/etc/mailweir/own' >/etc/mailweir/conf.d/70-own.conf", "fault   files: ", "chmod 644 /etc/mailweir/own && mailweir reload"},
		{"a closed socket", "chmod 600 " + socket + " && chown root " + socket, "fault   socket smtp/inet: smtpd does not reach mailweir at " + socket + ": the user postfix may not", "systemctl restart mailweir.socket mailweir.service"},
		{"no longer asked", "postconf -X smtpd_milters", "fault   attached: no service of Postfix asks mailweir; ", "mailweir init --yes"},
	} {
		m.Must(t, wrong.plant)
		report := m.Sh(t, "mailweir doctor")
		_, line, found := strings.Cut("\n"+report.Stdout, "\n"+wrong.want)
		if !found {
			t.Fatalf("%s: %+v", wrong.name, report)
		}
		line, _, _ = strings.Cut(line, "\n")
		if wrong.repair == "" {
			wrong.repair = line
		}
		m.Must(t, wrong.repair)
		if after := m.Sh(t, "mailweir doctor"); after.Exit != 0 || notInOrder(after.Stdout) != "" {
			t.Fatalf("%s, after %s: %+v", wrong.name, wrong.repair, after)
		}
	}
}
