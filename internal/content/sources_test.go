package content

import (
	"os"
	"path/filepath"
	"testing"
)

// writeFiles writes files of these texts into a directory of their own.
func writeFiles(t *testing.T, texts map[string]string) (path func(name string) string) {
	t.Helper()
	dir := t.TempDir()
	path = func(name string) string { return filepath.Join(dir, name) }
	for name, text := range texts {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestSourcesSum: whatever is changed in a file, or in one that it includes, shows.
func TestSourcesSum(t *testing.T) {
	path := writeFiles(t, map[string]string{
		"a.def": "!activation 1\n!include sub\n1 gold\n", "b.def": "!activation 1\n1 gold\n",
		"sub": "1 silver\n\t!include below\n", "below": "1 tin\n",
	})
	of := func(names ...string) [32]byte {
		var files []string
		for _, name := range names {
			files = append(files, path(name))
		}
		return ReadSources(files...).Sum()
	}
	first := of("a.def")
	seen := map[[32]byte]string{
		first: "a", of("b.def"): "b", of("a.def", "b.def"): "a, b", of("b.def", "a.def"): "b, a", of("a.def", "a.def"): "a, a",
	}
	if len(seen) != 5 {
		t.Errorf("five lists of files have %d sums: %v", len(seen), seen)
	}
	if of("a.def") != first {
		t.Error("the same files have two sums")
	}
	for _, name := range []string{"a.def", "sub", "below"} {
		text, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		for _, changed := range []string{string(text) + "1 lead\n", "\n" + string(text), string(text) + "!include nowhere\n"} {
			if err := os.WriteFile(path(name), []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			if sum := of("a.def"); seen[sum] != "" {
				t.Errorf("%s with %q has the sum of %s", name, changed, seen[sum])
			} else {
				seen[sum] = name + " with " + changed
			}
		}
		if err := os.WriteFile(path(name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if of("a.def") != first {
		t.Error("a file that is as it was has another sum")
	}
	if err := os.WriteFile(path("below"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	empty := of("a.def")
	if err := os.Remove(path("below")); err != nil {
		t.Fatal(err)
	}
	if of("a.def") == empty {
		t.Error("a file that is not there has the sum of an empty one")
	}
}

// TestSourcesAreReadOnce: what is loaded is what the sum is of.
func TestSourcesAreReadOnce(t *testing.T) {
	path := writeFiles(t, map[string]string{"a.def": "!activation 1\n!include sub\n1 gold\n", "sub": "1 silver\n"})
	s := ReadSources(path("a.def"))
	for _, name := range []string{"a.def", "sub"} {
		if err := os.WriteFile(path(name), []byte("!activation 1\n1 lead\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	defs, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	if got := defs[0].Entries; len(got) != 2 || got[0].Text != "silver" || got[1].Text != "gold" {
		t.Errorf("the definition has %v", got)
	}
}
