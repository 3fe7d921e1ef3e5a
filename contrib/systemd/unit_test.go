// Package systemd_test has systemd read the unit of this directory.
package systemd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// TestVerify checks the unit with a program that exists in the place of mailweir.
func TestVerify(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		testbed.Skip(t, "no systemd-analyze (Debian: systemd)")
	}
	unit, err := os.ReadFile("mailweir.service")
	if err != nil {
		t.Fatal(err)
	}
	const program = "/usr/local/bin/mailweir"
	if !strings.Contains(string(unit), "ExecStart="+program+" serve ") {
		t.Fatalf("the unit does not start %s", program)
	}
	name := filepath.Join(t.TempDir(), "mailweir.service")
	if err := os.WriteFile(name, []byte(strings.ReplaceAll(string(unit), program, "/bin/true")), 0o644); err != nil {
		t.Fatal(err)
	}
	// Warnings, such as an unknown option, leave the exit status 0.
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", name).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
