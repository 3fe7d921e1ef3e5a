package content

import (
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/content/source"

	"github.com/google/go-cmp/cmp"
)

// TestXZ looks into files of testdata/xz, made by XZ Utils 5: a text with a secret offer, and the
// program of testdata/7z.
func TestXZ(t *testing.T) {
	const (
		text    = "plain text/plain e3a1ac8804afbac030894db57afe905f8a46e60ba24a0eedf7e1b3c63dd79786"
		program = " application/vnd.microsoft.portable-executable 933a232ac21a7efecd577809845bc19b2fa99de81f21034e79c8c4b3c7096b62"
	)
	for _, c := range []struct {
		name   string
		parts  string
		hits   int
		limits []Limit
		opts   Limits
		cut    int
	}{
		{name: "plain", parts: text, hits: 1},
		{name: "bcj", parts: "bcj" + program},
		{name: "blocks", parts: "blocks" + program},
		{name: "streams", parts: "streams application/vnd.microsoft.portable-executable 77dae74c9e19f6c47721a5ae9342797ad302ad67f8b5d3a5bc42378dcfb72faf"},
		{name: "tar", parts: "tar application/x-tar 2ca7a6ec8f4c3adce020815fdfd32abbdc4d28b682e3d91698c1e7d751c91b26\ntar/secret.txt text/plain e3a1ac8804afbac030894db57afe905f8a46e60ba24a0eedf7e1b3c63dd79786", hits: 1},
		{name: "zeros", parts: "zeros application/octet-stream", limits: []Limit{LimitRatio}},
		{name: "far", parts: "far application/octet-stream", limits: []Limit{LimitLarge}, opts: Limits{Ratio: 1 << 20}},
		{name: "plain", parts: "plain ", limits: []Limit{LimitUnreadable}, cut: 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			octets := mustRead(t, filepath.Join("testdata", "xz", c.name+".xz"))
			octets = octets[:len(octets)-c.cut]
			e := mustExaminer(t, Options{Limits: c.opts}, "!activation 1\n!scan attachments\n1 secret offer\n")
			r := examineFor(t, e, Text|Files|Sums, attach(c.name+".xz", "x/y", []byte(octets)), 100)
			var got []string
			for _, p := range r.Parts[1:] {
				one := strings.TrimPrefix(p.Name, c.name+".xz/") + " " + p.Real
				if c.limits == nil { // else it is not the file's
					one += " " + p.SHA256
				}
				got = append(got, one)
			}
			if diff := cmp.Diff(c.parts, strings.Join(got, "\n")); diff != "" {
				t.Error(diff)
			}
			if r.Outcomes[0].Score != c.hits {
				t.Errorf("%d hits, want %d", r.Outcomes[0].Score, c.hits)
			}
			if diff := cmp.Diff(c.limits, r.Limits); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzXZ(f *testing.F) {
	for _, name := range []string{"plain", "bcj", "blocks", "streams", "tar"} {
		f.Add([]byte(mustRead(f, filepath.Join("testdata", "xz", name+".xz"))))
	}
	e := mustExaminer(f, Options{Limits: Limits{Depth: 5, Parts: 50, Expanded: 4 << 20}}, "!activation 1\n1 secret offer\n")
	f.Fuzz(func(t *testing.T, octets []byte) {
		x := e.Begin(Text | Files)
		x.walk.xz(file{name: "a.xz"}, source.New(strings.NewReader(string(octets))))
		x.Close()
		if used := e.pool.budget.Used(); used > 0 {
			t.Errorf("%d octets not given back", used)
		}
	})
}
