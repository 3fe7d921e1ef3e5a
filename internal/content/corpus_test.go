package content

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/content/fold"
	"mailweir/test/testbed"
)

// corpus unpacks a set of messages of the corpus that the variable names, one message a file.
func corpus(t testing.TB, set string) (dir string, names []string) {
	t.Helper()
	home := os.Getenv("MAILWEIR_CORPUS")
	if home == "" {
		testbed.Skip(t, "MAILWEIR_CORPUS is not set: real messages are not tried")
	}
	root := t.TempDir()
	if out, err := exec.Command("tar", "-xJf", filepath.Join(home, set+".tar.xz"), "-C", root).CombinedOutput(); err != nil {
		testbed.Skip(t, fmt.Sprintf("%s: %s: %s", set, err, out))
	}
	dir = filepath.Join(root, set)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, f.Name())
	}
	return dir, names
}

var corpusSets = []string{"easy_ham", "hard_ham", "spam"}

// extracted gives all text of bodies and attachments of a message, folded.
func extracted(t *testing.T, e *Examiner, msg string) string {
	t.Helper()
	var text []byte
	x := e.Begin(Text | Files)
	defer x.Close()
	for _, section := range []Sections{Body, Attachments} {
		x.sinks[section.index()] = &sink{folder: fold.NewWriter(func(p []byte) { text = append(text, p...) })}
	}
	feedMessage(x, msg, 65535)
	if _, err := x.Finish(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(string(text), "\x1e", "")), " ")
}

// TestAgainstPython holds the text that is matched against what Python's email package reads in the
// same message.
func TestAgainstPython(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		testbed.Skip(t, "no python3: extraction is not compared")
	}
	e := mustExaminer(t, Options{}, "!activation 1\n1 x\n")
	for _, set := range corpusSets {
		t.Run(set, func(t *testing.T) {
			dir, _ := corpus(t, set)
			out, err := exec.Command("python3", filepath.Join("testdata", "extract.py"), dir).Output()
			if err != nil {
				t.Fatal(err)
			}
			total, same := 0, 0
			lines := bufio.NewScanner(strings.NewReader(string(out)))
			lines.Buffer(nil, 64<<20)
			for lines.Scan() {
				var want struct {
					Name, Text string
					HTML       bool
				}
				if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
					t.Fatal(err)
				}
				total++
				got := extracted(t, e, mustRead(t, filepath.Join(dir, want.Name)))
				theirs := strings.Join(strings.Fields(string(fold.Text(want.Text))), " ")
				if want.HTML { // its order and breaks are held against Chromium
					got, theirs = characters(got), characters(theirs)
				}
				if got == theirs {
					same++
					continue
				}
				if reason := knownDifferences[want.Name]; reason == "" {
					at := 0
					for at < min(len(got), len(theirs)) && got[at] == theirs[at] {
						at++
					}
					t.Errorf("%s differs at %d of %d and %d octets", want.Name, at, len(got), len(theirs))
					if os.Getenv("MAILWEIR_SHOW") != "" && want.HTML {
						t.Logf("ours more %q, theirs more %q", surplus(got, theirs), surplus(theirs, got))
					} else if os.Getenv("MAILWEIR_SHOW") != "" {
						t.Logf("ours   …%.200q", got[max(at-60, 0):])
						t.Logf("theirs …%.200q", theirs[max(at-60, 0):])
					}
				}
			}
			t.Logf("%d messages, %d the same, %d different for a known reason", total, same, total-same)
		})
	}
}

// knownDifferences names the messages of the corpus that are read otherwise on purpose.
var knownDifferences = map[string]string{
	"00189.c69e4af5bfa5a1bcb403eefe112e5e45": becauseUuencode,
	"00229.0870e13cd0b783d3d0b32826fa06bef3": becauseMixed,
	"00245.f129d5e7df2eebd03948bb4f33fa7107": becauseMixed,
	"00072.d519a73b92f487519c2bc5ba45f5eb2c": becauseLegacy,
	"00116.29e39a0064e2714681726ac28ff3fdef": becauseLegacy,
	"00136.faa39d8e816c70f23b4bb8758d8a74f0": becauseLegacy,
	"00243.c6e70273fe1cf9e56e26bb6bbeef415d": becauseLegacy,
	"00263.13fc73e09ae15e0023bdb13d0a010f2d": becauseLegacy,
	"00320.20dcbb5b047b8e2f212ee78267ee27ad": becauseLegacy,
	"00323.9e36bf05304c99f2133a4c03c49533a9": becauseLegacy,
	"00324.6f320a8c6b5f8e4bc47d475b3d4e86ef": becauseLegacy,
	"00481.5c95b526e965fa325044123c4ce29c1f": becauseLegacy,
	"00321.22ec127de780c31da00ae5e1c1aa32e4": becauseMeta,
	"00322.7d39d31fb7aad32c15dff84c14019b8c": becauseMeta,
	"00500.85b72f09f6778a085dc8b6821965a76f": becauseMeta,
	"00260.c75ce8b8d8bfc55723426979d260bf61": becauseBase64,
	"00307.7ed50c6d80c6e37c8cc1b132f4a19e4d": becauseBase64,
	"00313.fab744bfd5a128fca39b69df9811c086": becauseBase64,
	"00219.eaf6c0ff67706c784f67f5c1225028a1": becauseSniffed,
	"00271.85110ef4815c81ccea879857b0b062ed": becauseSniffed,
	"00366.f0bfcc3c84da11ae1154c6c593362f69": becauseTwice,
	"00479.a2cd6780001042d8203b05a6ab0f34ac": becauseUnfinished,
	"01436.dc449ba377210e77d84647619e49c872": becauseReport,
	"01542.ed72bf2cd81ccd4c076533fb0af004e5": becauseReport,
	"00005.34bcaad58ad5f598f5d6af8cfa0c0465": becauseQuoted,
	"00063.0acbc484a73f0e0b727e06c100d8df7b": becauseEnriched,
	"00896.73f4eb6d676530f00ca391dd522034ac": becauseFlowed,
}

const (
	becauseUuencode   = "a uuencoded archive in the text: we read it as a file, for Python it is text"
	becauseMixed      = "UTF-8 and windows-1252 in one text: we decide for each character, Python for the text"
	becauseLegacy     = "undeclared octets of another charset: no one can read them; we decide for each character, Python for the text"
	becauseMeta       = "the charset stands in the HTML's meta element, which Python does not read"
	becauseBase64     = "faulty base64, which Python leaves as it is and mail readers decode"
	becauseSniffed    = "HTML sent as application/octet-stream: we read it as HTML, and all of it is script"
	becauseTwice      = "an attribute that stands twice: the first counts, as in browsers"
	becauseUnfinished = "a tag that never ends: browsers drop it, Python's parser gives it as text"
	becauseReport     = "the fields of a delivery report: for Python they are parts without text"
	becauseEnriched   = "text/enriched: Python gives it with its markup"
	becauseFlowed     = "format=flowed: we join the lines of a paragraph"
	becauseQuoted     = "an equals sign without digits in quoted-printable: for us it is a letter each time"
)

// characters gives those of a text in order of their numbers, without white space.
func characters(s string) string {
	list := []rune(strings.Join(strings.Fields(s), ""))
	slices.Sort(list)
	return string(list)
}

// surplus is what a has more than b, of characters in order.
func surplus(a, b string) string {
	var more []rune
	rest := []rune(b)
	for _, r := range a {
		for len(rest) > 0 && rest[0] < r {
			rest = rest[1:]
		}
		if len(rest) > 0 && rest[0] == r {
			rest = rest[1:]
			continue
		}
		more = append(more, r)
	}
	return string(more)
}
