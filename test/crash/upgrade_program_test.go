package crash

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// TestUpgradeProgram: what lies at the place of the program counts, not what the running one has
// been renamed to, and not the program that a symbolic link led to at the start.
func TestUpgradeProgram(t *testing.T) {
	built, dir := testbed.BuildMailweir(t), t.TempDir()
	place, control := filepath.Join(dir, "mailweir"), filepath.Join(dir, "control")
	first := filepath.Join(dir, "mailweir-1")
	for _, err := range []error{os.Link(built, first), os.Symlink(first, place)} {
		if err != nil {
			t.Skipf("the program cannot be put elsewhere: %v", err)
		}
	}
	s := testbed.StartService(t, testbed.MailweirConfig{Binary: place, Socket: filepath.Join(dir, "m"), Flags: []string{
		"--state=memory:", "--record=off", "--control=unix:" + control, "--http=off",
	}})
	for _, step := range []struct {
		name string
		does func() error
	}{
		{"another link", func() error { return os.Remove(place) }},
		{"renamed", func() error { return os.Rename(first, first+".old") }},
	} {
		if err := step.does(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(place, []byte("#!/bin/sh\necho this is the new one >&2; exit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := s.UpgradeBy(built, control); err == nil || !strings.Contains(out, "this is the new one") {
			t.Errorf("%s: %v, %s", step.name, err, out)
		}
	}
	if err := s.End(); err != nil {
		t.Errorf("%v\n%s", err, s.Log)
	}
}
