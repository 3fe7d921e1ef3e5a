package installed_test

import (
	"strings"
	"testing"

	"mailweir/test/installed"
)

// olderUnit is what contrib had before there was a package: its user exists while it runs.
const olderUnit = `[Service]
ExecStart=/usr/bin/mailweir serve --config= --listen=inet:127.0.0.1:8424 --state=file:/var/lib/mailweir
DynamicUser=yes
StateDirectory=mailweir
RuntimeDirectory=mailweir
`

// TestOlderUnit sees that nothing is lost where the package follows a unit of that kind, and that
// installing says what hides its own.
func TestOlderUnit(t *testing.T) {
	t.Parallel()
	m := installed.Boot(t, "postfix")
	m.Install(t)
	m.Write(t, "/etc/systemd/system/mailweir.service", olderUnit, 0o644)
	m.Must(t, "systemctl daemon-reload; systemctl start mailweir.service")
	m.AwaitJournal(t, "mailweir.service", "mailweir is ready")
	m.Must(t, "systemctl stop mailweir.service; test -L /var/lib/mailweir")
	m.Must(t, "mailweir account off --outbound=bob --note=kept")
	if said := m.Must(t, "dpkg-reconfigure mailweir 2>&1"); !strings.Contains(said, "/etc/systemd/system/mailweir.service hides") {
		t.Errorf("nothing is said of the unit that hides the package's: %s", said)
	}

	m.Must(t, "rm /etc/systemd/system/mailweir.service; systemctl daemon-reload; systemd-tmpfiles --create; systemctl start mailweir.service")
	if got := m.Must(t, "stat -c '%F %U' /var/lib/mailweir /var/lib/mailweir/state.db"); got != "directory mailweir\nregular file mailweir\n" {
		t.Errorf("the state belongs to %s", got)
	}
	if got := m.Must(t, "mailweir account list"); !strings.Contains(got, "kept") {
		t.Errorf("what was entered before is lost: %s", got)
	}
}
