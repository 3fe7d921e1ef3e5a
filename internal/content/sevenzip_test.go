package content

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/content/source"

	"github.com/google/go-cmp/cmp"
)

// Archives of 7-Zip 26 with docs/secret offer.txt, docs/empty.txt, run me.exe and the directory
// docs/dir.exe: one with a packed header, one without.
const (
	sevenZipPacked = "N3q8ryccAATbIKD7rgAAAAAAAAAiAAAAAAAAAB/4xIMBAAxzZWNyZXQgb2ZmZXJ4AAAAgTMHrg/PBHGMB8hDf0Gx+v3dg6hQTcEomKfIgPcVGoNRRWSBuyUoVTjG1f+5dUrwRN9IGn9n2yaVjq7o5XRdOF9jBHjXSpDDD+9YR8CoZOEnig1YmnB29vOUBBMhi1AIkGhLjMhut9IzzdOa0H8xRgvqpSaN33xeBklkk9WnxwZPZTGpsAm7IQcvunC0lHy6jKKish61hnAAAAAXBhEBCYCdAAcLAQABIwMBAQVdABAAAAyBCgoBNeH6FgAA"
	sevenZipPlain  = "N3q8ryccAAQtMp/UEQAAAAAAAAAKAQAAAAAAADXh+hYBAAxzZWNyZXQgb2ZmZXJ4AAEEBgABCREABwsBAAEhIQEADA0ACA0CCQwKAcPUc4WDFtyMAAAFBQ4B4A8BIBkNAAAAAAAAAAAAAAAAABGAhQBkAG8AYwBzAAAAZABvAGMAcwAvAGQAaQByAC4AZQB4AGUAAABkAG8AYwBzAC8AZQBtAHAAdAB5AC4AdAB4AHQAAABkAG8AYwBzAC8AcwBlAGMAcgBlAHQAIABvAGYAZgBlAHIALgB0AHgAdAAAAHIAdQBuACAAbQBlAC4AZQB4AGUAAAAUKgEAjXLalmt73QGNctqWa3vdAY1y2pZre90BYM3Zlmt73QGNctqWa3vdARUWAQAQgO1BEIDtQSCApIEggKSBIICkgQAA"
)

// sevenZipOf makes an archive with that header and nothing else.
func sevenZipOf(header string) []byte {
	start := append([]byte(sevenZipMark), 0, 4, 0, 0, 0, 0)
	start = binary.LittleEndian.AppendUint64(start, 0)
	start = binary.LittleEndian.AppendUint64(start, uint64(len(header)))
	return append(append(start, 0, 0, 0, 0), header...)
}

func unbase64(t testing.TB, s string) []byte {
	t.Helper()
	octets, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return octets
}

func TestSevenZip(t *testing.T) {
	e := mustExaminer(t, Options{}, "!activation 1\n1 secret offer\n")
	const aes = "\x01\x04\x06\x00\x01\x09\x10\x00\x07\x0b\x01\x00\x01\x04\x06\xf1\x07\x01\x0c\x10\x00\x00\x05\x01\x11\x05\x00a\x00\x00\x00\x00\x00"
	names := "a.7z a.7z/docs/empty.txt a.7z/docs/secret offer.txt a.7z/run me.exe"
	many := "\x01\x05\xe0\xff\xff\xff\x11\x08\x00" + strings.Repeat("a\x00\x00\x00", 1)
	for _, c := range []struct {
		name      string
		octets    []byte
		parts     string
		encrypted bool
		limits    []Limit
	}{
		{"packed header", unbase64(t, sevenZipPacked), names, false, nil},
		{"plain header", unbase64(t, sevenZipPlain), names, false, nil},
		{"encrypted members", sevenZipOf(aes), "a.7z a.7z/a", true, nil},
		{"encrypted header", sevenZipOf("\x17" + aes[2:19] + "\x00"), "a.7z", true, nil},
		{"empty", sevenZipOf(""), "a.7z", false, nil},
		{"cut", unbase64(t, sevenZipPacked)[:200], "a.7z", false, []Limit{LimitUnreadable}},
		{"damaged", append(unbase64(t, sevenZipPacked)[:100], make([]byte, 140)...), "a.7z", false, []Limit{LimitUnreadable}},
		{"more files than names", sevenZipOf(many), "a.7z", false, []Limit{LimitUnreadable}},
		{"header of a gigabyte", append(append(sevenZipOf("")[:20], 0, 0, 0, 0x40, 0, 0, 0, 0), 0, 0, 0, 0), "a.7z", false, []Limit{LimitLarge}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := examine(t, e, attach("a.7z", "x/y", c.octets), 100)
			var got []string
			encrypted := false
			for _, p := range r.Parts {
				got = append(got, p.Name)
				encrypted = encrypted || p.Encrypted
				if p.Executable != strings.HasSuffix(p.Name, ".exe") {
					t.Errorf("%s: executable %v", p.Name, p.Executable)
				}
			}
			if strings.Join(got, " ") != c.parts || encrypted != c.encrypted || !slices.Equal(r.Limits, c.limits) {
				t.Errorf("parts %q, encrypted %v, limits %v", got, encrypted, r.Limits)
			}
			if want := strings.Contains(c.parts, "secret"); r.Outcomes[0].Fired != want {
				t.Errorf("the name fires: %v", !want)
			}
		})
	}
}

// TestSevenZipMembers looks into archives of testdata/7z, made by 7-Zip 26 with the method that
// their name tells. They hold a zip with a secret offer, a program for which BCJ has much to do,
// and a text with a secret offer.
func TestSevenZipMembers(t *testing.T) {
	const (
		program = "run.exe application/vnd.microsoft.portable-executable 933a232ac21a7efecd577809845bc19b2fa99de81f21034e79c8c4b3c7096b62"
		text    = "secret.txt text/plain e3a1ac8804afbac030894db57afe905f8a46e60ba24a0eedf7e1b3c63dd79786"
		packed  = "inner.zip application/zip f39c6764c1e5f0ea0305565fe505b35ab4bafdb83d098f4554420d590c3f0425"
		nested  = "inner.zip/deep.htm text/html "
	)
	all := []string{packed, nested, program, text}
	e := mustExaminer(t, Options{}, "!activation 1\n!scan attachments\n1 secret offer\n")
	for _, c := range []struct {
		name   string
		parts  []string
		hits   int
		limits []Limit
		opts   Limits
	}{
		{name: "default", parts: all, hits: 2},
		{name: "lzma", parts: all, hits: 2},
		{name: "bzip2", parts: all, hits: 2},
		{name: "deflate", parts: all, hits: 2},
		{name: "copy", parts: all, hits: 2},
		{name: "bcj", parts: all, hits: 2},
		{name: "each", parts: all, hits: 2},
		{name: "ppmd", parts: []string{"secret.txt  "}, limits: []Limit{LimitUnreadable}},
		{name: "bcj2", parts: []string{"run.exe  "}, limits: []Limit{LimitUnreadable}},
		{name: "password", parts: []string{"secret.txt  encrypted"}},
		{name: "sealed"},
		{name: "zeros", parts: []string{"zeros.bin application/octet-stream "}, limits: []Limit{LimitRatio}},
		{name: "far", parts: []string{"far.bin application/octet-stream "}, limits: []Limit{LimitLarge}, opts: Limits{Ratio: 1 << 20}},
		{name: "default", parts: []string{packed, "inner.zip/deep.htm  ", "run.exe  ", "secret.txt  "}, limits: []Limit{LimitExpanded}, opts: Limits{Expanded: 200}},
		{name: "default", parts: []string{packed}, limits: []Limit{LimitParts}, opts: Limits{Parts: 2}},
		{name: "default", parts: all, hits: 1, limits: []Limit{LimitDepth}, opts: Limits{Depth: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			octets := mustRead(t, filepath.Join("testdata", "7z", c.name+".7z"))
			e := e
			if c.opts != (Limits{}) {
				e = mustExaminer(t, Options{Limits: c.opts}, "!activation 1\n!scan attachments\n1 secret offer\n")
			}
			r := examineFor(t, e, Text|Files|Sums, attach("a.7z", "x/y", []byte(octets)), 100)
			var got []string
			for _, p := range r.Parts[1:] {
				known := p.SHA256
				if p.Encrypted {
					known = "encrypted"
				}
				got = append(got, fmt.Sprint(strings.TrimPrefix(p.Name, "a.7z/"), " ", p.Real, " ", known))
			}
			if len(got) != len(c.parts) {
				t.Fatalf("parts %q", got)
			}
			for i, want := range c.parts {
				if got[i] != want && (!strings.HasSuffix(want, "text/html ") && len(c.limits) == 0 || !strings.HasPrefix(got[i], want)) {
					t.Errorf("part %q, want %q", got[i], want)
				}
			}
			if hits := r.Outcomes[0].Score; hits != c.hits {
				t.Errorf("%d hits, want %d", hits, c.hits)
			}
			if diff := cmp.Diff(c.limits, r.Limits); diff != "" {
				t.Error(diff)
			}
			if r.Parts[0].Encrypted != (c.name == "sealed") {
				t.Errorf("the archive is encrypted: %v", r.Parts[0].Encrypted)
			}
		})
	}
}

func FuzzSevenZip(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join("testdata", "7z", "*.7z"))
	for _, name := range files {
		if octets := mustRead(f, name); !strings.Contains(name, "far") && !strings.Contains(name, "zeros") { // those take seconds
			f.Add([]byte(octets))
		}
	}
	f.Add(unbase64(f, sevenZipPacked))
	f.Add(unbase64(f, sevenZipPlain))
	f.Add(sevenZipOf("\x01\x05\x01\x11\x05\x00a\x00\x00\x00\x00\x00"))
	e := mustExaminer(f, Options{Limits: Limits{Depth: 5, Parts: 50, Expanded: 4 << 20}}, "!activation 1\n1 secret offer\n")
	f.Fuzz(func(t *testing.T, octets []byte) {
		x := e.Begin(Text | Files)
		x.walk.sevenZip(file{name: "a.7z"}, source.New(strings.NewReader(string(octets))))
		x.Close()
		if used := e.pool.budget.Used(); used > 0 {
			t.Errorf("%d octets not given back", used)
		}
	})
}
