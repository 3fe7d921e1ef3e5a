// Package package_test makes the packages and looks into them.
package package_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// TestPackages makes every package as "make package" does.
func TestPackages(t *testing.T) {
	testbed.Require(t, "packages")
	out := t.TempDir()
	build(t, out)
	deb := func(arch string) string { return filepath.Join(out, "mailweir_1.0+2.gabc_"+arch+".deb") }
	rpm := func(arch string) string { return filepath.Join(out, "mailweir-1.0+2.gabc-1."+arch+".rpm") }

	t.Run("another build is the same", func(t *testing.T) {
		again := t.TempDir()
		build(t, again, "amd64")
		for _, name := range []string{deb("amd64"), rpm("x86_64")} {
			one, two := read(t, name), read(t, filepath.Join(again, filepath.Base(name)))
			if !bytes.Equal(one, two) {
				t.Errorf("two builds of %s differ", filepath.Base(name))
			}
		}
	})
	t.Run("lintian", func(t *testing.T) {
		said, err := exec.Command("lintian", "--allow-root", "--fail-on=error,warning", deb("amd64")).CombinedOutput()
		if err != nil || len(said) > 0 {
			t.Errorf("%v\n%s", err, said)
		}
	})
	t.Run("scripts of the rpm", func(t *testing.T) {
		scripts := run(t, exec.Command("rpm", "-qp", "--scripts", rpm("x86_64")))
		for _, want := range []string{"preinstall scriptlet", "postinstall scriptlet", "preuninstall scriptlet", "postuninstall scriptlet"} {
			if !strings.Contains(scripts, want) {
				t.Errorf("no %s:\n%s", want, scripts)
			}
		}
		// rpm gives numbers; the words are dpkg's.
		if regexp.MustCompile(`configure|abort-|purge\)`).MatchString(scripts) {
			t.Errorf("scripts of the deb in the rpm:\n%s", scripts)
		}
	})
	t.Run("the rpm installs", func(t *testing.T) {
		root := t.TempDir()
		run(t, exec.Command("rpm", "--root", root, "--nodeps", "--noscripts", "--nodigest", "-i", rpm("x86_64")))
		for _, name := range []string{"usr/bin/mailweir", "etc/mailweir/mailweir.conf", "usr/lib/systemd/system/mailweir.socket", "usr/share/man/man8/mailweir.8.gz"} {
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Error(err)
			}
		}
		run(t, exec.Command(filepath.Join(root, "usr/bin/mailweir"), "version"))
	})
	t.Run("arm64 runs", func(t *testing.T) {
		root := t.TempDir()
		run(t, exec.Command("dpkg", "-x", deb("arm64"), root))
		program := filepath.Join(root, "usr/bin/mailweir")
		if got := run(t, exec.Command("qemu-aarch64-static", program, "version")); !strings.Contains(got, "1.0+2.gabc") || !strings.Contains(got, "linux/arm64") {
			t.Errorf("version: %s", got)
		}
		got := run(t, exec.Command("qemu-aarch64-static", program, "check", "--config="+filepath.Join(root, "etc/mailweir/mailweir.conf"),
			"--listen=inet:127.0.0.1:8424", "--state=memory:", "--record=off"))
		if !strings.Contains(got, "valid") {
			t.Errorf("check: %s", got)
		}
	})
}

func build(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("./build", args...)
	cmd.Env = append(os.Environ(), "VERSION=1.0+2.gabc", "SOURCE_DATE_EPOCH=1700000000")
	run(t, cmd)
}

func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
