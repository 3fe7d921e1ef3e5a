package architecture

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)#\s]*)(#[^)\s]*)?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noSlug  = regexp.MustCompile("[^a-z0-9 _-]")
)

// TestLinks holds that what a page links to is there: the file, and the heading in it.
func TestLinks(t *testing.T) {
	root := "../.."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "bin" || d.Name() == "testdata"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".md"):
			return nil
		}
		for _, m := range link.FindAllStringSubmatch(read(t, path), -1) {
			to := filepath.Join(filepath.Dir(path), m[1])
			if m[1] == "" {
				to = path
			}
			if strings.Contains(m[1], ":") {
				continue // elsewhere
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which is not there", path, m[1])
				continue
			}
			if m[2] != "" && !hasHeading(read(t, to), m[2][1:]) {
				t.Errorf("%s links to %s%s: there is no such heading", path, m[1], m[2])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryCheckHasAPage holds that each check of the generated reference leads to one page for
// operators, and that this page, and no other, says that it is about the check.
func TestEveryCheckHasAPage(t *testing.T) {
	generated, err := filepath.Glob("../../docs/reference/checks/*.md")
	if err != nil || len(generated) == 0 {
		t.Fatalf("%d pages, %v", len(generated), err)
	}
	about := make(map[string][]string) // pages for operators by check
	pages, err := filepath.Glob("../../docs/checks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		for line := range strings.Lines(read(t, page)) {
			if !strings.HasPrefix(line, "Reference: ") {
				continue
			}
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				check := filepath.Base(m[1])
				about[check] = append(about[check], filepath.Base(page))
			}
		}
	}
	for _, name := range generated {
		check := filepath.Base(name)
		var leads string
		for _, m := range link.FindAllStringSubmatch(read(t, name), -1) {
			if strings.HasPrefix(m[1], "../../checks/") {
				leads = filepath.Base(m[1])
				break
			}
		}
		if got := about[check]; len(got) != 1 || got[0] != leads {
			t.Errorf("docs/reference/checks/%s leads to docs/checks/%s; the pages whose line Reference: names it are %q", check, leads, got)
		}
	}
}

// TestEveryPageIsListed holds that docs/README.md leads to every page that people write.
func TestEveryPageIsListed(t *testing.T) {
	index := read(t, "../../docs/README.md")
	err := filepath.WalkDir("../../docs", func(path string, d fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, "../../docs/")
		switch {
		case err != nil:
			return err
		case name == "reference":
			return filepath.SkipDir
		case strings.HasSuffix(name, ".md") && name != "README.md" && !strings.Contains(index, "]("+name+")"):
			t.Errorf("docs/README.md does not lead to docs/%s", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// hasHeading reports whether a page has a heading by the name that GitHub gives it.
func hasHeading(page, slug string) bool {
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		name := strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), ""), " ", "-")
		if name == slug {
			return true
		}
	}
	return false
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
