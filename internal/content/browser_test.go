package content

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/charset"
	"mailweir/internal/content/fold"
	"mailweir/internal/content/htmltext"
	"mailweir/test/browser"
	"mailweir/test/testbed"
)

// htmlOf is an HTML part of a message of the corpus.
type htmlOf struct {
	Name    string
	Charset string
	Octets  []byte
}

// htmlParts gives the HTML parts of a set of messages.
func htmlParts(t testing.TB, set string) (parts []htmlOf) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		testbed.Skip(t, "no python3: HTML is not held against a browser")
	}
	dir, _ := corpus(t, set)
	out, err := exec.Command("python3", filepath.Join("testdata", "htmlparts.py"), dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var part htmlOf
		if err := json.Unmarshal(lines.Bytes(), &part); err != nil {
			t.Fatal(err)
		}
		doc, err := io.ReadAll(charset.Reader(part.Charset, bufio.NewReader(bytes.NewReader(part.Octets)), true))
		if err != nil {
			t.Fatal(err)
		}
		part.Octets = doc
		parts = append(parts, part)
	}
	return parts
}

// shownWords is what shows of a document, in words as they are matched.
func shownWords(t *testing.T, doc []byte) []string {
	t.Helper()
	lean, _ := htmltext.Weigh(bytes.Clone(doc))
	tree, err := htmltext.Parse(lean)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	tree.Shown(func(p []byte) { text.Write(p) }, func() bool { return true })
	return strings.Fields(string(fold.Text(text.String())))
}

// phrasesIn counts the phrases of three words, and those that stand in a text.
func phrasesIn(t *testing.T, name string, words, text []string) (phrases, found int) {
	joined := " " + strings.Join(text, " ") + " "
	shown := 0
	for i := 0; i+3 <= len(words); i++ {
		phrase := strings.Join(words[i:i+3], " ")
		if phrases++; strings.Contains(joined, " "+phrase+" ") {
			found++
		} else if shown++; os.Getenv("MAILWEIR_SHOW") != "" && shown < 6 {
			t.Logf("%s: %q is not found", name, phrase)
		}
	}
	return phrases, found
}

// TestAgainstChromium holds the text of the corpus's HTML against what Chromium shows: nearly all
// phrases of three words are found, no word is split, and nearly nothing is taken to show that does
// not.
func TestAgainstChromium(t *testing.T) {
	for _, set := range corpusSets {
		t.Run(set, func(t *testing.T) {
			parts := htmlParts(t, set)
			page := browser.Start(t)
			phrases, found, ours, right, split := 0, 0, 0, 0, 0
			for _, part := range parts {
				inner, err := page.InnerText(string(part.Octets))
				if err != nil {
					t.Fatal(err)
				}
				words, shown := strings.Fields(string(fold.Text(inner))), shownWords(t, part.Octets)
				n, ok := phrasesIn(t, part.Name, words, shown)
				phrases, found = phrases+n, found+ok
				n, ok = phrasesIn(t, part.Name+", backwards", shown, words)
				ours, right = ours+n, right+ok
				split += splitWords(t, part.Name, words, shown)
			}
			share := 100 * float64(found) / float64(max(phrases, 1))
			back := 100 * float64(right) / float64(max(ours, 1))
			t.Logf("%d HTML parts: %d of %d phrases found, %.3f %%; %d of %d of ours show, %.3f %%; %d words split",
				len(parts), found, phrases, share, right, ours, back, split)
			if share < 99.9 || back < 99.9 || split > 0 {
				t.Errorf("%.3f %% of phrases found, %.3f %% of ours show, %d words split", share, back, split)
			}
		})
	}
}

// splitWords counts words that stand in ours in pieces only.
func splitWords(t *testing.T, name string, words, ours []string) (split int) {
	known := map[string]bool{}
	for _, word := range ours {
		known[word] = true
	}
	joined := strings.Join(ours, "")
	for _, word := range words {
		if !known[word] && strings.Contains(joined, word) && !within(ours, word) {
			split++
			t.Logf("%s: %q is split", name, word)
		}
	}
	return split
}

// within tells a word that is a part of one of ours.
func within(ours []string, word string) bool {
	for _, one := range ours {
		if strings.Contains(one, word) {
			return true
		}
	}
	return false
}
