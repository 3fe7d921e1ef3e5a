package checks

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/policytest"
	"mailweir/test/testbed"
)

// realMail unpacks a set of real messages; the test is skipped where there is none.
func realMail(t *testing.T, set string) (files []string) {
	t.Helper()
	home := os.Getenv("MAILWEIR_CORPUS")
	if home == "" {
		testbed.Skip(t, "MAILWEIR_CORPUS is not set: real messages are not tried")
	}
	root := t.TempDir()
	if out, err := exec.Command("tar", "-xJf", filepath.Join(home, set+".tar.xz"), "-C", root).CombinedOutput(); err != nil {
		testbed.Skip(t, fmt.Sprintf("%s: %s: %s", set, err, out))
	}
	files, err := filepath.Glob(filepath.Join(root, set, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d messages, %v", set, len(files), err)
	}
	return files
}

// readLetter reads a message from a file, as an MTA would hand it over.
func readLetter(t *testing.T, name string) policytest.Letter {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.HasPrefix(data, []byte("From ")) {
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	head, body, _ := strings.Cut(string(data), "\n\n")
	var l policytest.Letter
	for _, line := range strings.Split(head, "\n") {
		if last := len(l.Header) - 1; last >= 0 && strings.HasPrefix(strings.ReplaceAll(line, "\t", " "), " ") {
			l.Header[last] += "\n" + line
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		l.Header = append(l.Header, name+": "+strings.TrimPrefix(value, " "))
	}
	l.Body = strings.ReplaceAll(body, "\n", "\r\n")
	return l
}

// TestWantedMail sends the wanted mail of the corpus through the default policy and through every
// definition that is shipped, in both directions: nothing may be refused or changed, and all that
// would be is named here.
func TestWantedMail(t *testing.T) {
	shipped, err := filepath.Glob("../contrib/content/*.def")
	if err != nil || len(shipped) == 0 {
		t.Fatalf("definitions: %v, %v", shipped, err)
	}
	var content []string
	for _, d := range shipped {
		content = append(content, "--content-definition="+d)
	}
	// A newsletter whose sender never writes the closing boundary.
	known := map[string]string{"00021.1707ccb203e1a39f5167f1c0d65cc235": "truncated would_refuse"}
	outbound := policytest.Letter{Client: "127.0.0.1", From: "user@ours.example", To: []string{"friend@else.example"}}
	for _, c := range []struct {
		name  string
		flags []string
		from  policytest.Letter
	}{
		{"default policy", nil, policytest.Letter{}},
		{"definitions, inbound", content, policytest.Letter{}},
		{"definitions, outbound", content, outbound},
		{"unwanted attachments", []string{"--signature-types=executable", "--signature-types=macros", "--signature-types=disguised"}, policytest.Letter{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := whole().Build(policytest.NewWorld(), c.flags...)
			if err != nil {
				t.Fatal(err)
			}
			h := policytest.NewHost(t, nil, p)
			for _, set := range []string{"easy_ham", "hard_ham"} {
				for _, file := range realMail(t, set) {
					l := readLetter(t, file)
					l.Client, l.From, l.To = c.from.Client, c.from.From, c.from.To
					of := h.Send(l)
					got := strings.Join(append(of.Said, policytest.Lines(of.Events)...), "; ")
					if got != known[filepath.Base(file)] {
						t.Errorf("%s/%s: %s", set, filepath.Base(file), got)
					}
				}
			}
		})
	}
}
