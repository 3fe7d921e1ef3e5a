package rspamd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// A line with octets that no table of mailweir may have is left, whatever it would be without them.
func TestOddOctetsAreLeft(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"etc/rspamd/local.d/multimap.conf": "BAD { type = \"from\"; prefilter = true; action = \"reject\"; map = \"/etc/rspamd/bad.map\"; }\n" +
			"PAT { type = \"from\"; prefilter = true; action = \"reject\"; regexp = true; map = \"/etc/rspamd/pat.map\"; }\n" +
			"NET { type = \"ip\"; prefilter = true; action = \"reject\"; map = \"/etc/rspamd/net.map\"; }\n",
		"etc/rspamd/bad.map": "a\x00b@bad.example\n\xff\xfe@bad.example\ngood@bad.example\n",
		"etc/rspamd/pat.map": "/a\x00b/\n/\xff/i\n/^good@x\\.example$/\n",
		"etc/rspamd/net.map": "192.0.2.1\x00\n192.0.2.2\xff\n192.0.2.3\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := from(t, nil, root)
	left := 0
	for _, i := range r.Items {
		if strings.HasSuffix(i.File, ".map") && hasOddOctets(i.Text) {
			left++
			if i.Fate != "left" {
				t.Errorf("%+v", i)
			}
		}
	}
	good := 0
	for _, f := range r.Files {
		good += strings.Count(f.Text, "good") + strings.Count(f.Text, "192.0.2.3\t")
		if hasOddOctets(f.Text) || strings.Contains(f.Text, "ab@") || strings.Contains(f.Text, "192.0.2.1") {
			t.Errorf("%s: %q", f.Name, f.Text)
		}
	}
	if left != 6 || good != 3 {
		t.Errorf("%d are left, %d written\n%q", left, good, told(r, root))
	}
}

// hasOddOctets reports whether a text has octets that no line may have.
func hasOddOctets(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\ufffd")
}
