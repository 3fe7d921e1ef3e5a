package content

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReached: a limit is named with the file in which it was reached, and the files are bounded.
func TestReached(t *testing.T) {
	e := mustExaminer(t, Options{Limits: Limits{Parts: 100}}, "!activation 1\n1 gold\n")
	part := func(name, octets string) string {
		return "--b\nContent-Type: application/octet-stream; name=\"" + name + "\"\nContent-Transfer-Encoding: base64\n\n" + b64(octets) + "\n"
	}
	bad := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03 damaged"
	long := "--b\nContent-Type: text/html\n\n<p hidden>" + strings.Repeat("x", 100<<10) + "\n"
	for _, c := range []struct {
		name, parts string
		want        []string
	}{
		{"nothing", part("a.txt", "hello"), nil},
		{"the message itself", long, []string{"hidden"}},
		{"a file", part("a.gz", bad), []string{`unreadable in "a.gz/a"`}},
		{"a file in an archive", part("ä.zip", string(storedZip(t, "x/b.gz", bad))), []string{`unreadable in "\u00e4.zip/x/b.gz/b"`}},
		{"the same twice", part("a.gz", bad) + part("a.gz", bad), []string{`unreadable in "a.gz/a"`}},
		{"the message after a file", part("a.gz", bad) + long, []string{`unreadable in "a.gz/a"`, "hidden"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := examine(t, e, "Content-Type: multipart/mixed; boundary=b\n\n"+c.parts+"--b--\n", 1000)
			var got []string
			for _, at := range r.Reached {
				got = append(got, at.String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	var many strings.Builder
	for i := range 30 {
		many.WriteString(part(fmt.Sprintf("%d.gz", i), bad))
	}
	r := examine(t, e, "Content-Type: multipart/mixed; boundary=b\n\n"+many.String()+long+"--b--\n", 1000)
	if len(r.Reached) != maxReached+1 || r.Reached[maxReached].String() != "hidden" {
		t.Errorf("%v, want %d files and the message", r.Reached, maxReached)
	}
}
