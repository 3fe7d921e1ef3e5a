package why_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/policy"
	"mailweir/internal/record/why"
)

// wrapped is base64 in lines of so many octets.
func wrapped(text string, width int) string {
	all := base64.StdEncoding.EncodeToString([]byte(text))
	var b strings.Builder
	for len(all) > width {
		b.WriteString(all[:width] + "\r\n")
		all = all[width:]
	}
	return b.String() + all + "\r\n"
}

func TestFindIDs(t *testing.T) {
	bounce := "Diagnostic-Code: smtp; 550 5.7.1 Blocked [mw-0a1b2c3d]\r\n"
	for name, c := range map[string]struct {
		text string
		want string
	}{
		"none":                     {"a bounce without one", ""},
		"in a reply":               {bounce, "mw-0a1b2c3d"},
		"in a line of the log":     {`msg=refused event=mw-0a1b2c3d check=hops`, "mw-0a1b2c3d"},
		"in JSON":                  {`{"event":"mw-0a1b2c3d"}`, "mw-0a1b2c3d"},
		"in capital letters":       {"[MW-0A1B2C3D]", "mw-0a1b2c3d"},
		"twice is once":            {bounce + bounce, "mw-0a1b2c3d"},
		"several, in their order":  {"mw-zzzzzzzz mw-00000000", "mw-zzzzzzzz mw-00000000"},
		"a soft break within":      {"=5Bmw-0a1=\r\nb2c3d=5D", "mw-0a1b2c3d"},
		"a soft break, LF alone":   {"[mw-=\n0a1b2c3d]", "mw-0a1b2c3d"},
		"a soft break, quoted":     {"> [mw-0a1b=\r\n> 2c3d]", "mw-0a1b2c3d"},
		"an encoded hyphen":        {"mw=2D0a1b2c3d", "mw-0a1b2c3d"},
		"base64":                   {wrapped("550 5.7.1 Blocked ["+"mw-0a1b2c3d]", 76), "mw-0a1b2c3d"},
		"base64, broken within":    {wrapped("550 5.7.1 Blocked [mw-0a1b2c3d]", 28), "mw-0a1b2c3d"},
		"base64 between two parts": {"--b\r\n\r\n" + wrapped(bounce, 60) + "--b--\r\n", "mw-0a1b2c3d"},
		"a bounce in a bounce":     {wrapped("Content-Transfer-Encoding: base64\r\n\r\n"+wrapped(bounce, 76), 76), "mw-0a1b2c3d"},
		"a part behind another":    {wrapped(strings.Repeat("x", 100), 76) + wrapped(bounce, 76), "mw-0a1b2c3d"},
		"a host is none":           {"Received: from mw-frontend.example.org", ""},
		"longer words are none":    {"mw-0a1b2c3d4 xmw-0a1b2c3d", ""},
		"shorter ones neither":     {"mw-0a1b2c3", ""},
	} {
		if got := strings.Join(why.FindIDs([]byte(c.text)), " "); got != c.want {
			t.Errorf("%s: found %q, want %q", name, got, c.want)
		}
	}
}

func TestReadID(t *testing.T) {
	for text, want := range map[string]string{
		"mw-0a1b2c3d": "mw-0a1b2c3d", "[MW-0A1B2C3D]": "mw-0a1b2c3d", "mw-oaIb2c3d.": "mw-0a1b2c3d", "0a1b2c3d": "", "mw-0a1b2c3": "", "mw-0a1b2c3du": "", "": "",
	} {
		if got, ok := why.ReadID(text); ok != (want != "") || ok && got != want {
			t.Errorf("%q is %q, %t", text, got, ok)
		}
	}
}

// FuzzFindIDs puts an id into a text in each form that a bounce gives it, and finds it again.
func FuzzFindIDs(f *testing.F) {
	f.Add([]byte("550 5.7.1 Blocked "), []byte(" more"), 7)
	f.Add([]byte("="), []byte("=\n"), 1)
	f.Add([]byte("AAAA\n"), []byte("AAAA\n"), 61)
	f.Fuzz(func(t *testing.T, before, after []byte, width int) {
		found := why.FindIDs(append(append([]byte(nil), before...), after...))
		for _, id := range found {
			if read, ok := why.ReadID(id); !ok || read != id {
				t.Fatalf("found %q, which is no id", id)
			}
		}
		id := "mw-" + policy.NewID()
		text := fmt.Sprintf("%s [%s] %s", before, id, after)
		width = 4 + 4*(((width%19)+19)%19)
		for _, form := range []string{text, "\n" + wrapped(text, width) + "\n"} {
			if !slices.Contains(why.FindIDs([]byte(form)), id) {
				t.Fatalf("%s not found in %q", id, form)
			}
		}
	})
}
