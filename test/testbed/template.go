package testbed

import (
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// templates is where what a peer needs seconds to make lies ready for the next test.
const templates = "/var/cache/mailweir-test"

// copyOf puts into the directory dir, which does not exist yet, a copy of what make makes: the
// empty data directory of a database server. It is made once for a machine and a version of the
// server.
func copyOf(tb TB, name, program, dir string, make func(dir string) *exec.Cmd) {
	tb.Helper()
	version, err := exec.Command(program, "--version").Output()
	if err != nil {
		tb.Fatalf("%s --version: %v", program, err)
	}
	template := filepath.Join(templates, fmt.Sprintf("%s-%08x", name, crc32.ChecksumIEEE(version)))
	if _, err := os.Stat(template); err != nil {
		if err := makeTemplate(template, make); err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
	}
	if out, err := exec.Command("cp", "-a", template, dir).CombinedOutput(); err != nil {
		tb.Fatalf("cp %s: %v\n%s", template, err, out)
	}
}

// makeTemplate makes the template in a directory beside it, so that two tests may do so at once.
func makeTemplate(template string, make func(dir string) *exec.Cmd) error {
	if err := os.MkdirAll(templates, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(templates, "new")
	if err == nil {
		defer os.RemoveAll(work)
		err = os.Chmod(work, 0o777) // the server may run as another user
	}
	if err != nil {
		return err
	}
	data := filepath.Join(work, "data")
	cmd := make(data)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	err = os.Rename(data, template)
	if _, exists := os.Stat(template); exists == nil {
		return nil // another test's
	}
	return err
}
