package container_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// cache keeps the engine's images between runs; remove it to begin with nothing.
const cache = "/var/cache/mailweir-test/docker"

// patience is the longest that any one step may take: downloads are among them.
const patience = 5 * time.Minute

// engine is a Docker engine of the test's own. It has no bridge and leaves
// packet filter and forwarding of the machine alone, so containers use the
// host's network.
type engine struct {
	dir    string   // its socket and what it keeps while it runs
	env    []string // for every command that talks to it
	cmd    *exec.Cmd
	output *os.File
	ended  chan struct{} // closed when the engine has ended
}

// requireEngine skips the test, or fails it with CI=true, where a program or
// privilege is missing. Where the kernel keeps even root from making namespaces
// (within most containers), no engine can run, and it is skipped anyway.
func requireEngine(t *testing.T) {
	t.Helper()
	testbed.Peers(t)
	if os.Geteuid() == 0 && exec.Command("unshare", "--mount", "--uts", "true").Run() != nil {
		testbed.Skip(t, "no container can run here: root may not make namespaces")
	}
	missing := missingPrograms()
	if os.Geteuid() != 0 {
		missing = append(missing, "root")
	}
	if len(missing) == 0 {
		return
	}
	reason := fmt.Sprintf("missing: %s (run test/container/install.sh)", strings.Join(missing, ", "))
	testbed.Missing(t, reason)
}

func missingPrograms() []string {
	var missing []string
	for _, name := range []string{"dockerd", "docker", "mmdebstrap"} {
		if _, err := look(name); err != nil {
			missing = append(missing, name)
		}
	}
	if _, err := composeCommand(); err != nil {
		missing = append(missing, "docker-compose")
	}
	return missing
}

// look finds a program, first where the distribution puts it: a newer docker
// command elsewhere may refuse to talk to the distribution's engine.
func look(name string) (string, error) {
	for _, dir := range []string{"/usr/sbin", "/usr/bin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return exec.LookPath(name)
}

// composeCommand is the compose command: version 1 is a program, 2 a plugin.
func composeCommand() ([]string, error) {
	docker, err := look("docker")
	if err != nil {
		return nil, err
	}
	if exec.Command(docker, "compose", "version").Run() == nil {
		return []string{docker, "compose"}, nil
	}
	v1, err := look("docker-compose")
	return []string{v1}, err
}

// startEngine starts an engine on the cached images. One test run at a time has
// them; others wait.
func startEngine(t *testing.T) *engine {
	t.Helper()
	lockCache(t)
	dir := testbed.TempDir(t)
	program, err := look("dockerd")
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{dir: dir, ended: make(chan struct{})}
	e.env = append(os.Environ(),
		"DOCKER_HOST=unix://"+dir+"/s",
		"DOCKER_CONFIG="+dir, // nobody's credentials and contexts
		"DOCKER_BUILDKIT=0",  // BuildKit needs a client of the engine's own age
	)
	// In a mount namespace of its own, so that no mount outlives the engine.
	e.cmd = exec.Command("unshare", "--mount", "--propagation=private", program, "--data-root="+cache+"/data", "--exec-root="+dir+"/exec",
		"--host=unix://"+dir+"/s", "--pidfile="+dir+"/pid",
		"--containerd-namespace=mailweir-test", "--containerd-plugins-namespace=mailweir-test-plugins",
		"--iptables=false", "--ip6tables=false", "--ip-forward=false", "--bridge=none")
	if e.output, err = os.Create(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	e.cmd.Stdout, e.cmd.Stderr = e.output, e.output
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = e.cmd.Wait()
		close(e.ended)
	}()
	t.Cleanup(func() { e.stop(t) })
	if err := e.until(func() error { _, err := e.run(nil, "docker", "version"); return err }); err != nil {
		t.Fatalf("dockerd: %v\n%s", err, e.log())
	}
	return e
}

// lockCache holds the cache until the test's end.
func lockCache(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(cache, 0o711); err != nil {
		t.Fatal(err)
	}
	lock, err := os.OpenFile(cache+"/lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Close() })
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
}

// stop ends the engine and with it whatever still runs in it.
func (e *engine) stop(t *testing.T) {
	_ = e.cmd.Process.Signal(syscall.SIGTERM)
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	select {
	case <-e.ended:
	case <-deadline.C:
		_ = e.cmd.Process.Kill()
		<-e.ended
		t.Errorf("dockerd did not end within %v of SIGTERM", patience)
	}
	if t.Failed() {
		t.Logf("dockerd:\n%s", e.log())
	}
	_ = e.output.Close()
}

func (e *engine) log() string {
	text, err := os.ReadFile(e.output.Name())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// until asks again until ask succeeds, the engine ends, or patience does.
func (e *engine) until(ask func() error) error {
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-pace.C:
		case <-e.ended:
			return fmt.Errorf("the engine ended: %w", err)
		case <-deadline.C:
			return fmt.Errorf("not within %v: %w", patience, err)
		}
	}
}

// run runs a command that talks to the engine, with further variables, and
// returns what it printed.
func (e *engine) run(env []string, name string, args ...string) (string, error) {
	path, err := look(name)
	if err != nil {
		return "", err
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(append([]string(nil), e.env...), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(out))
	}
	return string(out), err
}

// must is run for a command whose failure ends the test.
func (e *engine) must(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	out, err := e.run(env, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
