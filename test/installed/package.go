package installed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"mailweir/test/testbed"
)

// packages is where the package of a commit lies for all test runs; those of other commits go after
// a day.
const packages = "/var/cache/mailweir-test/packages"

// Package returns a deb of this tree for this machine with that version, made as "make package"
// does. That of a commit without changes is made once.
func Package(tb testbed.TB, version string) string {
	tb.Helper()
	testbed.Require(tb, "machine")
	root := testbed.ModuleRoot(tb)
	name := fmt.Sprintf("mailweir_%s_%s.deb", version, runtime.GOARCH)
	commit := commitOf(root)
	if commit == "" {
		dir := testbed.TempDir(tb)
		buildPackage(tb, root, dir, version)
		return filepath.Join(dir, name)
	}
	dir := filepath.Join(packages, commit)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		tb.Fatalf("package: %v", err)
	}
	lock, err := os.OpenFile(filepath.Join(packages, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		tb.Fatalf("package: %v", err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		tb.Fatalf("package: %v", err)
	}
	removeOld(packages)
	made := filepath.Join(dir, name)
	if _, err := os.Stat(made); err != nil {
		work := testbed.TempDir(tb)
		buildPackage(tb, root, work, version)
		if out, err := exec.Command("mv", filepath.Join(work, name), made).CombinedOutput(); err != nil {
			tb.Fatalf("package: %v\n%s", err, out)
		}
	}
	return made
}

// commitOf names the commit of the tree, "" where the tree differs from it.
func commitOf(root string) string {
	status := exec.Command("git", "status", "--porcelain")
	head := exec.Command("git", "rev-parse", "HEAD")
	status.Dir, head.Dir = root, root
	changes, err := status.Output()
	if err != nil || len(changes) > 0 {
		return ""
	}
	commit, err := head.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(commit))
}

func removeOld(dir string) {
	old, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, name := range old {
		if info, err := os.Stat(name); err == nil && info.IsDir() && time.Since(info.ModTime()) > 24*time.Hour {
			_ = os.RemoveAll(name)
		}
	}
}

func buildPackage(tb testbed.TB, root, dir, version string) {
	tb.Helper()
	cmd := exec.Command(filepath.Join(root, "contrib/package/build"), dir, runtime.GOARCH, "deb")
	cmd.Env = append(os.Environ(), "VERSION="+version)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
}

// Install installs mailweir in the machine from its package, as a person does: by apt-get, without
// a network, as all that it depends on is there. It returns what apt-get printed.
func (m *Machine) Install(tb testbed.TB) string {
	tb.Helper()
	return m.InstallPackage(tb, Package(tb, "1.0"))
}

// InstallPackage does so with a package of the host, which may be newer than what is installed.
func (m *Machine) InstallPackage(tb testbed.TB, deb string) string {
	tb.Helper()
	inside := "/root/" + filepath.Base(deb)
	m.Copy(tb, deb, inside, 0o644)
	return m.Must(tb, "DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet "+inside+" 2>&1 </dev/null")
}
