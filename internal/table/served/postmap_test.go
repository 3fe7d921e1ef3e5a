package served

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"mailweir/internal/table/remote"
	"mailweir/test/testbed"
)

// TestAsPostfix has Postfix ask the same server the same keys: what it finds, does not find, and
// takes for an error is the same.
func TestAsPostfix(t *testing.T) {
	testbed.Require(t, "postmap")
	config := t.TempDir()
	if err := os.WriteFile(filepath.Join(config, "main.cf"), []byte("compatibility_level = 3.6\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := rapid.Custom(func(t *rapid.T) string {
		return strings.TrimRight(rapid.StringMatching(`[a-z%+=ü ]{1,6}(@[a-z.]{1,6})?`).Draw(t, "key"), " ") + "x"
	})
	value := rapid.StringMatching(`[ -~äß]{0,12}`)
	for _, c := range []struct {
		kind  remote.Kind
		spec  func(address string) string
		reply *rapid.Generator[string]
	}{
		{Socketmap(), func(a string) string { return "inet:" + a + ":users" }, rapid.Custom(func(t *rapid.T) string {
			status := rapid.SampledFrom([]string{"OK ", "OK ", "OK x", "NOTFOUND ", "NOTFOUND", "TEMP ", "TIMEOUT ", "PERM ", "ok ", "NO ", ""}).Draw(t, "status")
			return netstring(status + value.Draw(t, "value"))
		})},
		{TCP(), func(a string) string { return a }, rapid.Custom(func(t *rapid.T) string {
			code := rapid.SampledFrom([]string{"200 ", "200 ", "200 x", "2xx ", "500 ", "500\t", "400 ", "300 ", "500", ""}).Draw(t, "code")
			text := value.Draw(t, "value")
			if rapid.Bool().Draw(t, "quoted") {
				text = quote(text)
			}
			return code + text + "\n"
		})},
	} {
		t.Run(c.kind.Name, func(t *testing.T) {
			t.Parallel()
			var cases sync.WaitGroup
			room := make(chan struct{}, 12) // postmap sleeps for a second when it dies
			for i := range 100 {
				reply, key := c.reply.Example(i), key.Example(i)
				p := serve(t, "tcp", "127.0.0.1:0", func(string) string { return reply })
				room <- struct{}{}
				cases.Go(func() {
					defer func() { <-room }()
					want := postmap(t, config, c.kind.Name+":"+c.spec(p.Addr().String()), key)
					got := outcome(find(t, open(t, c.kind, c.spec(p.Addr().String())), key))
					if strings.HasPrefix(got, "lost: ") || strings.HasPrefix(got, "answered: ") {
						got = "error"
					}
					if got != want {
						t.Errorf("%q for %q: %s, Postfix %s", reply, key, got, want)
					}
					if questions, _ := p.asked(); len(questions) != 2 || questions[0] != questions[1] {
						t.Errorf("asked %q", questions)
					}
				})
			}
			cases.Wait()
		})
	}
}

// postmap is what Postfix makes of an answer.
func postmap(t *testing.T, config, spec, key string) string {
	cmd := exec.Command("postmap", "-c", config, "-q", key, spec)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	switch {
	case strings.Contains(complaint.String(), "empty string result is not allowed"), err != nil && complaint.Len() > 0:
		return "error"
	case err == nil:
		return "found " + strings.TrimSuffix(out.String(), "\n")
	case cmd.ProcessState.ExitCode() != 1:
		t.Errorf("%v: %v", cmd, err)
	}
	return "not found"
}
