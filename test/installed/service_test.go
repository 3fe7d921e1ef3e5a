package installed_test

import (
	"regexp"
	"strings"
	"testing"

	"mailweir/test/installed"
)

// TestService installs the package, starts what it brings, and takes it away.
func TestService(t *testing.T) {
	t.Parallel()
	m := installed.Boot(t, "postfix")
	const set = "postconf -n; systemctl list-unit-files --state=enabled --no-legend"
	before := m.Must(t, set)
	m.Install(t)
	if after := m.Must(t, set); after != before {
		t.Errorf("installing has attached or enabled something:\n%s\nbefore:\n%s", after, before)
	}
	if m.Sh(t, "systemctl is-active mailweir.socket || systemctl is-active mailweir.service").Exit == 0 {
		t.Error("installing has started something")
	}
	owners := m.Must(t, "stat -c '%a %U:%G' /etc/mailweir /etc/mailweir/conf.d /etc/mailweir/mailweir.conf")
	if want := "755 root:mailweir\n755 root:mailweir\n640 root:mailweir\n"; owners != want {
		t.Errorf("what is below /etc/mailweir has %s; want %s", owners, want)
	}

	m.Must(t, "systemctl start mailweir.socket mailweir.service") // waits for READY=1
	m.AwaitJournal(t, "mailweir.service", `listen="unix:/run/mailweir/mailweir.sock"`)
	if got := m.Must(t, "mailweir backends status"); got == "" {
		t.Error("a command does not reach the service")
	}
	t.Run("reload", func(t *testing.T) { reload(t, m) })
	t.Run("watchdog", func(t *testing.T) { watchdog(t, m) })
	t.Run("auth", func(t *testing.T) { auth(t, m) })
	t.Run("refused upgrade", func(t *testing.T) { refusedUpgrade(t, m) })
	t.Run("remove and purge", func(t *testing.T) { purge(t, m) })
}

// reload fails with the place of a mistake, and the service goes on as it was.
func reload(t *testing.T, m *installed.Machine) {
	m.Must(t, "systemctl reload mailweir")
	m.Write(t, "/etc/mailweir/conf.d/90-mistake.conf", "\nhops-max = many\n", 0o644)
	if r := m.Run(t, "systemctl", "reload", "mailweir"); r.Exit == 0 {
		t.Error("a reload with a mistake succeeds")
	}
	m.AwaitJournal(t, "mailweir.service", "/etc/mailweir/conf.d/90-mistake.conf:2:")
	if got := m.Must(t, "systemctl is-active mailweir.service"); got != "active\n" {
		t.Errorf("after a failed reload the service is %s", got)
	}
	m.Must(t, "rm /etc/mailweir/conf.d/90-mistake.conf; systemctl reload mailweir")
}

// watchdog ends a process that has stopped moving, and starts another. It leaves one that a busy
// machine keeps waiting for a second alone.
func watchdog(t *testing.T, m *installed.Machine) {
	m.Write(t, "/run/systemd/system/mailweir.service.d/test.conf", "[Service]\nWatchdogSec=5s\n", 0o644)
	m.Must(t, "systemctl daemon-reload; systemctl restart mailweir; kill -STOP $(systemctl show -P MainPID mailweir)")
	m.AwaitJournal(t, "mailweir.service", "Watchdog timeout")
	m.AwaitJournal(t, "mailweir.service", "Scheduled restart job")
	m.Must(t, "rm -r /run/systemd/system/mailweir.service.d; systemctl daemon-reload; systemctl restart mailweir")
}

// auth starts mailweir auth with a password file, and Postfix can ask it.
func auth(t *testing.T, m *installed.Machine) {
	m.Write(t, "/etc/mailweir/auth.conf", "auth-passwords = /etc/mailweir-auth/passwords\n", 0o644)
	m.Must(t, "install -d -o mailweir-auth -m 700 /etc/mailweir-auth && echo secret | mailweir auth passwd alice --config=/etc/mailweir/auth.conf --config-dir= && chown mailweir-auth /etc/mailweir-auth/passwords")
	m.Must(t, "systemctl start mailweir-auth.socket mailweir-auth.service")
	m.Must(t, "postconf -e smtpd_sasl_type=dovecot smtpd_sasl_path=private/mailweir-auth smtpd_sasl_auth_enable=yes smtpd_tls_auth_only=no; postfix reload")
	c := m.Talk(t, unlisted)
	for _, say := range []struct{ command, want string }{
		{"EHLO client.example", "250"},
		{"AUTH PLAIN AGFsaWNlAHdyb25n", "535"}, // NUL alice NUL wrong
		{"AUTH PLAIN AGFsaWNlAHNlY3JldA==", "235"},
	} {
		if reply, err := c.Ask(say.command); err != nil || reply.Code() != say.want {
			t.Fatalf("%s: %q, %v\n%s", say.command, reply, err, m.Journal(t, "mailweir-auth.service"))
		}
	}
}

// refusedUpgrade installs a version that refuses the configuration: apt says where the mistake is,
// the old process goes on, and once it is mended dpkg finishes what it began.
func refusedUpgrade(t *testing.T, m *installed.Machine) {
	const pid = "systemctl show -P MainPID mailweir"
	before := m.Must(t, pid)
	m.Write(t, "/etc/mailweir/conf.d/90-mistake.conf", "hops-max = many\n", 0o644)
	m.Copy(t, installed.Package(t, "1.1"), "/root/newer.deb", 0o644)
	r := m.Sh(t, "DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet /root/newer.deb 2>&1 </dev/null")
	if r.Exit == 0 || !strings.Contains(r.Stdout, "/etc/mailweir/conf.d/90-mistake.conf:1: ") || !strings.Contains(r.Stdout, "the old one goes on") {
		t.Errorf("an upgrade with a mistake in the configuration: %s", r)
	}
	if after := m.Must(t, pid); after != before {
		t.Errorf("the service was process %sand is %s", before, after)
	}
	m.Must(t, "rm /etc/mailweir/conf.d/90-mistake.conf; dpkg --configure --pending")
	m.AwaitJournal(t, "mailweir.service", "version=1.1")
	if got := m.Must(t, "systemctl is-active mailweir.service"); got != "active\n" {
		t.Errorf("after the upgrade the service is %s", got)
	}
}

// purge leaves nothing of ours but the users, as Debian does.
func purge(t *testing.T, m *installed.Machine) {
	m.Must(t, "dpkg --remove mailweir")
	if m.Sh(t, "systemctl is-active mailweir.socket || systemctl is-active mailweir.service").Exit == 0 {
		t.Error("a removed mailweir still runs")
	}
	if got := m.Must(t, "cat /etc/mailweir/mailweir.conf; ls /var/lib/mailweir"); !strings.Contains(got, "state.db") {
		t.Errorf("removing has taken the configuration or the state: %s", got)
	}
	m.Must(t, "rm -r /etc/mailweir-auth /etc/mailweir/auth.conf") // not the package's
	purged(t, m)
}

// purged purges mailweir and sees that nothing of ours is left.
func purged(t *testing.T, m *installed.Machine) {
	m.Must(t, "dpkg --purge mailweir")
	left := m.Must(t, "find / -xdev -name '*mailweir*' -not -path '/root/*' -not -path '/proc/*'; systemctl list-units --all --no-legend 'mailweir*'")
	left = regexp.MustCompile(`(?m)^/(tmp/|run/systemd|var/lib/dpkg/info|var/log/).*\n`).ReplaceAllString(left, "")
	if left != "" {
		t.Errorf("purging leaves:\n%s", left)
	}
}
