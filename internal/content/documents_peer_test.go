package content

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/content/fold"
	"mailweir/test/testbed"
)

// TestAgainstOtherReaders holds the text of documents that the libraries of Debian write against
// what they and other programs read in them: every three words that one of them finds in a line are
// found.
func TestAgainstOtherReaders(t *testing.T) {
	testbed.Require(t, "documents")
	dir := t.TempDir()
	out, err := exec.Command("/usr/bin/python3", filepath.Join("testdata", "documents.py"), dir, "1", "10").Output()
	if err != nil {
		t.Fatal(err)
	}
	e := mustExaminer(t, Options{}, "!activation 1\n1 x\n")
	read := map[string]string{}
	found := map[string]int{}
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var theirs struct{ Name, By, Text string }
		if err := json.Unmarshal(lines.Bytes(), &theirs); err != nil {
			t.Fatal(err)
		}
		ours, done := read[theirs.Name]
		if !done {
			ours = extracted(t, e, attach(theirs.Name, "application/octet-stream", []byte(mustRead(t, filepath.Join(dir, theirs.Name)))))
			read[theirs.Name] = ours
		}
		for _, line := range strings.Split(theirs.Text, "\n") {
			words := strings.Fields(string(fold.Text(line)))
			for i := range max(len(words)-2, 0) {
				phrase := strings.Join(words[i:i+3], " ")
				if !strings.Contains(ours, phrase) {
					t.Errorf("%s: %s reads %q", theirs.Name, theirs.By, phrase)
				}
				found[theirs.By]++
			}
		}
	}
	t.Logf("phrases by program: %v", found)
	for _, by := range []string{"docx2txt", "python-docx", "openpyxl", "odt2txt", "odfpy", "unrtf", "vobject"} {
		if found[by] < 100 {
			t.Errorf("%s reads %d phrases", by, found[by])
		}
	}
}
