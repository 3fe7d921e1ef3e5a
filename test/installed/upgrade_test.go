package installed_test

import (
	"strings"
	"testing"

	"mailweir/test/installed"
)

// TestServiceUpgrade has systemd follow the service to another process, which it watches over from
// then on; a mistake in the configuration leaves the old one in its place.
func TestServiceUpgrade(t *testing.T) {
	m := installed.Boot(t, "postfix")
	m.Install(t)
	m.Write(t, "/run/systemd/system/mailweir.service.d/test.conf", "[Service]\nWatchdogSec=6s\n", 0o644)
	m.Must(t, "systemctl daemon-reload; systemctl start mailweir.socket mailweir.service; mailweir tempblock add 192.0.2.1")
	show := func(property string) string {
		t.Helper()
		return strings.TrimSpace(m.Must(t, "systemctl show -P "+property+" mailweir"))
	}
	first := show("MainPID")
	if out := m.Must(t, "mailweir upgrade"); !strings.Contains(out, " serves now (process ") {
		t.Errorf("upgrade says %s", out)
	}
	second := show("MainPID")
	if state := show("ActiveState"); second == first || state != "active" {
		t.Errorf("after the upgrade the main process is %s, before it was %s; %s", second, first, state)
	}
	m.AwaitJournal(t, "mailweir.service", "the connections of the old process have ended, and so does it")

	m.Write(t, "/etc/mailweir/conf.d/90-mistake.conf", "\nhops-max = many\n", 0o644)
	if r := m.Run(t, "mailweir", "upgrade"); r.Exit != 78 || !strings.Contains(r.Stderr, "/etc/mailweir/conf.d/90-mistake.conf:2: ") {
		t.Errorf("with a mistake in the configuration: %s", r)
	}
	m.Must(t, "rm /etc/mailweir/conf.d/90-mistake.conf")

	// Longer than WatchdogSec: the new process feeds the watchdog, and nobody else does.
	fed := show("WatchdogTimestampMonotonic")
	m.Must(t, `for i in $(seq 100); do [ "$(systemctl show -P WatchdogTimestampMonotonic mailweir)" = "`+fed+`" ] || exit 0; sleep 0.1; done; exit 1`)
	if got := show("MainPID") + " " + show("NRestarts"); got != second+" 0" {
		t.Errorf("main process and restarts: %s, want %s 0", got, second)
	}

	m.Must(t, "kill -KILL "+second)
	m.AwaitJournal(t, "mailweir.service", "Scheduled restart job")
	m.Must(t, `for i in $(seq 100); do [ "$(systemctl is-active mailweir)" = active ] && exit 0; sleep 0.1; done; exit 1`)
	if list := m.Must(t, "mailweir tempblock list"); !strings.Contains(list, "192.0.2.1") {
		t.Errorf("after all that the entry is gone: %s", list)
	}
	backup := m.Must(t, "mailweir state backup /root/state; stat -c '%a %U' /root/state")
	if !strings.Contains(backup, "600 root") {
		t.Errorf("the backup: %s", backup)
	}
	m.Must(t, "systemctl stop mailweir.socket mailweir.service; mailweir state restore /root/state; systemctl start mailweir; mailweir tempblock list | grep 192.0.2.1")
}
