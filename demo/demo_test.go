package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// TestDemo runs the demo as make demo does, until it is interrupted.
func TestDemo(t *testing.T) {
	testbed.Require(t, "postfix")
	program := testbed.BuildGo(t, workingDirectory(t))
	for _, c := range []struct {
		name string
		args []string
	}{
		{"once", []string{"-once"}},
		{"interrupted", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := testbed.TempDir(t)
			output := runDemo(t, files, program, c.args...)
			for _, l := range letters() {
				if !strings.Contains(output, l.title) {
					t.Errorf("the demo does not show %q", l.title)
				}
			}
			if want := "=== Delivered: 2 messages ==="; !strings.Contains(output, want) {
				t.Errorf("the demo does not print %q", want)
			}
			if left, err := os.ReadDir(files); err != nil || len(left) > 0 {
				t.Errorf("left in the temporary directory: %v, %v", left, err)
			}
			if t.Failed() {
				t.Log(output)
			}
		})
	}
}

func workingDirectory(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// runDemo runs the demo to its end, and interrupts it when it invites to do so.
func runDemo(t *testing.T, files, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = filepath.Dir(workingDirectory(t))
	cmd.Env = append(os.Environ(), "TMPDIR="+files)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(4*testbed.Patience, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	var output strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		output.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "The demo stays up") {
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the demo: %v\n%s", err, &complaints)
	}
	return output.String()
}
