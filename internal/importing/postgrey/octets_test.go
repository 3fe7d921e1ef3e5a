package postgrey

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A line with octets that no table of mailweir may have is left, whatever it would be without them.
func TestOddOctetsAreLeft(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "etc/postgrey")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"whitelist_clients":    "a\x00b.example\n\xff.example\n/\xff/\n/\x00/\n192.0.2.1\x00\ngood.example\n",
		"whitelist_recipients": "a\x00b@ours.example\n\xff\xfe@ours.example\n/\x00/\n/\xff/\nx@our\x00s.example\ngood@ours.example\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := told(from(t, nil, root, "/etc/postgrey/whitelist_clients", "/etc/postgrey/whitelist_recipients"), root)
	if n := strings.Count(got, "left "); n != 10 {
		t.Errorf("%d lines are left, want 10", n)
	}
	for _, want := range []string{"\ngood.example\tOK\n", "\ngood@ours.example\tOK\n"} {
		if !strings.Contains(got, "--"+want) {
			t.Errorf("a table is not %q", want)
		}
	}
	if t.Failed() {
		t.Logf("%q", got)
	}
}
