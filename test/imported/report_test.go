package imported

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// report imports, and imports again after the old configuration and what was written have changed.
func (b *bed) report(t *testing.T) {
	h := b.host(t)
	golden(t, b.testdata("report"), b.asWritten(h, run(t, h, b.binary, "import", "--yes")))
	run(t, h, b.binary, "check")
	if t.Failed() {
		return
	}
	written := tree(t, h.Etc("mailweir"))

	r := b.importing(t, h)
	b.accounted(t, h, r)
	for _, i := range r.Items {
		if i.New {
			t.Errorf("a second run calls it new: %+v", i)
		}
	}
	for _, f := range r.Files {
		if f.What != "same" {
			t.Errorf("a second run finds %s %s", f.Path, f.What)
		}
	}
	if again := tree(t, h.Etc("mailweir")); !slices.Equal(again, written) {
		t.Errorf("a second run has changed files:\n%s", difference(strings.Join(written, ""), strings.Join(again, "")))
	}
	b.changed(t, h)
}

// changed edits one table of the old configuration, and then also the file that it has become.
func (b *bed) changed(t *testing.T, h *testbed.Host) {
	t.Helper()
	b.edit(t, h, b.table, func(text string) string { return strings.Replace(text, b.entry, b.instead, 1) })
	r := b.importing(t, h)
	var fresh []string
	for _, i := range r.Items {
		if i.New {
			fresh = append(fresh, i.Text)
		}
	}
	if len(fresh) != 1 || !sameWords(fresh[0], "", b.instead) || len(r.Gone) != 1 || !sameWords(r.Gone[0].Text, "", b.entry) {
		t.Errorf("one line was replaced, and new are %q, gone %+v", fresh, r.Gone)
	}
	file := ""
	for _, f := range r.Files {
		if f.What == "changed" && strings.HasPrefix(f.Path, "/etc/mailweir/imported/") {
			file = f.Path
		}
	}
	if file == "" {
		t.Fatalf("no file has changed: %+v", r.Files)
	}
	// A person takes a line of it out, and the old configuration has another one.
	name := strings.TrimPrefix(file, "/etc/")
	b.edit(t, h, name, func(text string) string { return text + "# kept by hand\n" })
	before, err := os.ReadFile(h.Etc(name))
	if err != nil {
		t.Fatal(err)
	}
	b.edit(t, h, b.table, func(text string) string { return strings.Replace(text, b.instead, b.entry, 1) })
	for _, f := range b.importing(t, h).Files {
		if f.Path == file && (f.What != "kept" || f.Why == "") {
			t.Errorf("somebody has edited %s, and of it is said: %+v", file, f)
		}
	}
	after, err := os.ReadFile(h.Etc(name))
	if err != nil || string(after) != string(before) {
		t.Errorf("%s was edited, and written over (%v):\n%s", file, err, difference(string(before), string(after)))
	}
	run(t, h, b.binary, "check")
}

// tree lists the files below a directory, each with what is in it.
func tree(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() || filepath.Base(path) == ".import.json" {
			return err // that one knows when it was written
		}
		text, err := os.ReadFile(path)
		files = append(files, path+"\n"+string(text)+"\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// asWritten is a text with the addresses of the test's peers as they stand in testdata.
func (b *bed) asWritten(h *testbed.Host, text string) string {
	back := []string{h.Dir, "DIR"}
	for i := 0; i < len(b.replace); i += 2 {
		back = append(back, b.replace[i+1], b.replace[i])
	}
	return strings.NewReplacer(back...).Replace(text)
}
