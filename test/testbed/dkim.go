package testbed

import (
	_ "embed"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed dkim_peers.py
var dkimPeers string

// debianPython is Debian's own, which has Debian's modules.
const debianPython = "/usr/bin/python3"

// DKIMVerdict is what the others say of a message's first signature: "" where it is valid to them,
// else why it is not.
type DKIMVerdict struct{ OpenDKIM, Dkimpy string }

// VerifyDKIM has OpenDKIM (opendkim-testmsg) and dkimpy verify messages by name. They ask an
// unbound with the records of the configuration, in a network namespace of their own: OpenDKIM asks
// where resolv.conf says, always at port 53.
func VerifyDKIM(tb TB, config DNSConfig, messages map[string]string) map[string]DKIMVerdict {
	tb.Helper()
	Require(tb, "dkim")
	dir := TempDir(tb)
	script := filepath.Join(dir, "peers.py")
	writeFile(tb, script, []byte(dkimPeers), 0o644)
	for name, message := range messages {
		writeFile(tb, filepath.Join(dir, name+".eml"), []byte(message), 0o644)
	}
	var errors strings.Builder
	cmd := exec.Command("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", debianPython, script, dir, unboundConf(tb, dir, "127.0.0.1:53", "", config))
	cmd.Stderr = &errors
	out, err := cmd.Output()
	var verdicts map[string][2]string
	if err == nil {
		err = json.Unmarshal(out, &verdicts)
	}
	if err != nil {
		tb.Fatalf("testbed: the verifiers of DKIM: %v\n%s", err, &errors)
	}
	list := map[string]DKIMVerdict{}
	for name, v := range verdicts {
		list[name] = DKIMVerdict{v[0], v[1]}
	}
	return list
}

func needDKIM() error {
	return exec.Command(debianPython, "-c", "import dkim, nacl, dns.resolver").Run()
}
