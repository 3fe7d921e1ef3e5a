package testbed

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// isolatedEnv tells the test binary that it runs in namespaces of its own.
const isolatedEnv = "TESTBED_ISOLATED"

// WithOwnResolver runs a test in namespaces of its own for network, mounts and processes, which end
// with it: there all programs ask the resolver 127.0.0.1:53 that the test starts, as Postfix asks
// the one of /etc/resolv.conf and no other. The test binary runs itself again for it; lines of its
// output that have the word "agree" in them are logged.
func WithOwnResolver(tb TB, within func()) {
	tb.Helper()
	if os.Getenv(isolatedEnv) != "" {
		within()
		return
	}
	for _, program := range []string{"unshare", "ip", "mount"} {
		if _, err := exec.LookPath(program); err != nil {
			Missing(tb, program+" is not installed")
		}
	}
	resolvConf := filepath.Join(TempDir(tb), "resolv.conf")
	writeFile(tb, resolvConf, []byte("nameserver 127.0.0.1\noptions timeout:2 attempts:3\n"), 0o644)
	// Without root a user namespace would do for us, but Postfix needs several users.
	isolated := []string{"--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"}
	if err := exec.Command("unshare", append(isolated, "true")...).Run(); err != nil {
		Missing(tb, "namespaces cannot be made: "+err.Error())
	}
	script := `ip link set lo up && mount --bind "$1" /etc/resolv.conf && exec "$2" -test.run "^$3\$" -test.v`
	cmd := exec.Command("unshare", append(isolated, "sh", "-c", script, "sh", resolvConf, os.Args[0], tb.Name())...)
	cmd.Env = append(os.Environ(), isolatedEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Errorf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "agree") {
			tb.Logf("%s", strings.TrimSpace(line))
		}
	}
}
