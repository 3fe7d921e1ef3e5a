package filetype

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"
)

func TestExtension(t *testing.T) {
	for name, want := range map[string]string{
		"a.EXE": ".exe", "a.pdf .scr. ": ".scr", "a": "", "dir.d/a": "", ".profile": ".profile", "": "", "a.b.settingcontent-ms": ".settingcontent-ms",
	} {
		if got := Extension(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// TestGroups: no extension stands in two groups, and each has its source.
func TestGroups(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range groups {
		if g.source == "" || g.traits == 0 {
			t.Errorf("%s: without a source or a trait", g.list)
		}
		for _, ext := range strings.Fields(g.list) {
			if seen[ext] || Extension("a"+ext) != ext {
				t.Errorf("%s stands twice, or is no extension", ext)
			}
			seen[ext] = true
		}
	}
	for _, ext := range []string{".py", ".pyw", ".pl", ".html", ".mht", ".zip", ".pdf", ".docx", ".txt", ".cab", ""} {
		if ByExtension(ext) != 0 {
			t.Errorf("%q is said to run", ext)
		}
	}
	for mediaType, ext := range mediaTypes {
		if !seen[ext] || mediaType != strings.ToLower(mediaType) {
			t.Errorf("%s gives %s, which does not run", mediaType, ext)
		}
	}
}

// TestDoubtful: whatever is a top-level domain too ends the names of sites and addresses.
func TestDoubtful(t *testing.T) {
	for ext := range extensions {
		if _, icann := publicsuffix.PublicSuffix(ext[1:]); icann && !Doubtful(ext) {
			t.Errorf("%s is a top-level domain: the octets of such a file are to be looked at", ext)
		}
	}
	for ext := range doubtful {
		if ByExtension(ext) == 0 {
			t.Errorf("%s is doubtful, and nothing runs it", ext)
		}
	}
}

// TestShippedNames: contrib's list of names has all extensions that run and are nothing else, but
// links to pages and libraries, and Python's.
func TestShippedNames(t *testing.T) {
	def, err := os.ReadFile("../../../contrib/content/dangerous-files.def")
	if err != nil {
		t.Fatal(err)
	}
	_, pattern, found := strings.Cut(string(def), "\n1:1 regex ")
	pattern, _, _ = strings.Cut(pattern, "\n")
	names, err := regexp.Compile("(?m)" + pattern)
	if err != nil || !found {
		t.Fatal(err)
	}
	leftOut := set(`.url .webloc .dll .sys .ocx .drv .vxd`)
	for ext, traits := range extensions {
		want := traits&(Executable|Script) != 0 && !Doubtful(ext) && !leftOut[ext]
		if names.MatchString("a"+ext) != want {
			t.Errorf("%s: in the list %v, want %v", ext, !want, want)
		}
	}
	for name, want := range map[string]bool{"a.py": true, "a.pyw": true, "a.py.txt": false, "shop.com": false, "a.pdf": false} {
		if names.MatchString(name) != want {
			t.Errorf("%s: in the list %v, want %v", name, !want, want)
		}
	}
}

func TestMarks(t *testing.T) {
	at := func(size, offset int, mark string) string {
		b := make([]byte, size)
		copy(b[offset:], mark)
		return string(b)
	}
	const mib = 1 << 20
	for _, c := range []struct{ name, octets, want string }{
		{"iso", at(mib, 32769, "CD001"), ISO},
		{"iso that is cut", at(32774, 32769, "CD001"), ISO},
		{"iso after a boot record", at(mib, 34817, "CD001"), ISO},
		{"udf", at(mib, 32769, "BEA01") + at(mib, 0, ""), UDF},
		{"udf of 4,096 octets a sector", at(mib, 36865, "NSR03"), UDF},
		{"iso with udf", at(mib, 32769, "CD001")[:36865] + "NSR02" + at(mib, 0, ""), ISO},
		{"fixed virtual hard disk", at(mib, mib-512, "conectix"), VHD},
		{"virtual hard disk of an old version", at(mib, mib-511, "conectix"), VHD},
		{"disk image of macOS", at(mib, mib-512, "koly"), DMG},
		{"beside the place", at(mib, 32768, "CD001"), ""},
		{"not at the end", at(mib, mib-513, "conectix"), ""},
		{"koly earlier", at(mib, mib-600, "koly"), ""},
		{"short", "koly", ""},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, piece := range []int{1, 100, 511, 512, 4096, 1 << 21} {
				var m Marks
				for rest := []byte(c.octets); len(rest) > 0; {
					n := min(piece, len(rest))
					if len(rest) > 40_000 && piece == 1 { // the first octets of a file of zeros
						n = 30_000
						if bytes.IndexFunc(rest[:n], func(r rune) bool { return r != 0 }) >= 0 {
							n = 1
						}
					}
					_, _ = m.Write(rest[:n])
					rest = rest[n:]
				}
				if got := m.Real(); got != c.want {
					t.Errorf("in pieces of %d: %q, want %q", piece, got, c.want)
				}
			}
		})
	}
}
