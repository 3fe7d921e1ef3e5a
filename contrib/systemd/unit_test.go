// Package systemd_test has systemd read the units of this directory.
package systemd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// TestVerify checks the units with a program that exists in the place of mailweir.
func TestVerify(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		testbed.Skip(t, "no systemd-analyze (Debian: systemd)")
	}
	for _, c := range []struct {
		unit, start string
		with        []string // other units that it names
	}{
		{"mailweir.service", "serve", []string{"mailweir.socket"}},
		{"mailweir.socket", "", []string{"mailweir.service"}},
		{"mailweir-auth.service", "auth", []string{"mailweir-auth.socket"}},
		{"mailweir-auth.socket", "", []string{"mailweir-auth.service"}},
	} {
		t.Run(c.unit, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range append(c.with, c.unit) {
				unit, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				const program = "/usr/bin/mailweir"
				if name == c.unit && c.start != "" && !regexp.MustCompile(`(?m)^ExecStart=`+program+" "+c.start+`( |$)`).Match(unit) {
					t.Fatalf("the unit does not start %s %s", program, c.start)
				}
				text := strings.ReplaceAll(string(unit), program, "/bin/true")
				// The users of the package's sysusers.d need not exist here.
				text = regexp.MustCompile(`(?m)^((?:Socket)?(?:User|Group)=).*`).ReplaceAllString(text, "${1}daemon")
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			// Warnings, such as an unknown option, leave the exit status 0.
			cmd := exec.Command("systemd-analyze", "verify", "--man=no", filepath.Join(dir, c.unit))
			cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("systemd-analyze verify: %v\n%s", err, out)
			}
		})
	}
}
