package content

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// Archives of 7-Zip 26 with docs/secret offer.txt, docs/empty.txt, run me.exe and the directory docs/dir.exe: one with a packed header, one without.
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
		{"packed header", unbase64(t, sevenZipPacked), names, false, []Limit{LimitUnreadable}},
		{"plain header", unbase64(t, sevenZipPlain), names, false, []Limit{LimitUnreadable}},
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

func FuzzSevenZip(f *testing.F) {
	f.Add(unbase64(f, sevenZipPacked))
	f.Add(unbase64(f, sevenZipPlain))
	f.Add(sevenZipOf("\x01\x05\x01\x11\x05\x00a\x00\x00\x00\x00\x00"))
	e := mustExaminer(f, Options{}, "!activation 1\n1 secret offer\n")
	f.Fuzz(func(t *testing.T, octets []byte) {
		x := e.Begin(Text | Files)
		defer x.Close()
		x.walk.sevenZip(file{name: "a.7z"}, newSource(strings.NewReader(string(octets))))
		if used := e.pool.budget.Used(); used > 1<<20 {
			t.Errorf("%d octets not given back", used)
		}
	})
}
