package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// Who may not read the configuration can do without it where that is of no use, and learns who may.
func TestClosedConfiguration(t *testing.T) {
	testbed.Require(t, "root")
	dir := t.TempDir()
	program := filepath.Join(dir, program)
	if data, err := os.ReadFile("/proc/self/exe"); err != nil || os.WriteFile(program, data, 0o755) != nil {
		t.Fatal(err)
	}
	conf := write(t, dir+"/etc/mailweir.conf", "hops-max = 30\n", 0o640)
	for _, err := range []error{os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755), os.Chown(conf, 0, 1)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	const who = "permission denied; root and group daemon may read it: run this as root, or as a member of that group"
	for _, tt := range []struct {
		args, group, out, errs string
		code                   int
	}{
		{"version", "65534", "mailweir dev ", "", 0},
		{"replies", "65534", "ID ", "note: --config: open " + conf + ": " + who, 0},
		{"help", "65534", "mailweir is a policy milter", "", 0},
		{"table query inline:{a=x} a", "65534", "x", "", 0},
		{"config", "65534", "", "--config: open " + conf + ": " + who, 78},
		{"check", "65534", "", "--config: open " + conf + ": " + who, 78},
		{"reload", "65534", "", "--config: open " + conf + ": " + who, 78},
		{"events", "65534", "", "--config: open " + conf + ": " + who, 78},
		{"why mw-aaaaaaaa", "65534", "", "--config: open " + conf + ": " + who, 78},
		{"reload --control=unix:/nonexistent/control", "65534", "", "note: --config: open " + conf + ": " + who, 69},
		{"config --config=" + conf, "65534", "", "--config: open " + conf + ": " + who, 78},
		{"replies --config=" + conf, "65534", "", "--config: open " + conf + ": " + who, 78},
		{"config --hops=monitor", "1", "FLAG ", "", 0},
	} {
		t.Run(tt.args, func(t *testing.T) {
			cmd := exec.Command("setpriv", append([]string{"--reuid=65534", "--regid=" + tt.group, "--clear-groups", program}, strings.Fields(tt.args)...)...)
			cmd.Env = []string{"WORK=" + dir, "PATH=/usr/bin:/bin"}
			cmd.Dir = "/"
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			_ = cmd.Run() // the code tells
			if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.HasPrefix(out.String(), tt.out) || !strings.HasPrefix(errs.String(), tt.errs) || (errs.Len() == 0) != (tt.errs == "") {
				t.Errorf("exit code %d, want %d\n%.400s\n%s", code, tt.code, out.String(), errs.String())
			}
		})
	}
}
