package console

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"mailweir/test/browser"
)

// pagesOf are the pages that somebody may open, found by following links as he would. Of pages that
// differ only by what they ask for, or by an id, one is enough.
func pagesOf(w *browser.Window, from ...string) []string {
	var pages, kinds []string
	kind := func(path string) string {
		u, _ := url.Parse(path)
		parts := strings.Split(u.Path, "/")
		if len(parts) > 2 { // an id, or a group of operations
			return parts[1] + strings.Repeat("/…", len(parts)-2)
		}
		return u.Path
	}
	for waiting := from; len(waiting) > 0; {
		path := waiting[0]
		waiting = waiting[1:]
		if slices.Contains(kinds, kind(path)) || strings.Contains(path, ".csv") || strings.Contains(path, ".jsonl") {
			continue
		}
		kinds, pages = append(kinds, kind(path)), append(pages, path)
		w.Go(path)
		waiting = append(waiting, w.Links()...)
	}
	return pages
}

// Every page can be used on a telephone and at a desk, by day and by night, and by somebody who
// does not see it.
func (b *bed) pages(t *testing.T) {
	for who, from := range map[string][]string{"alice": {"/", "/state/rbl", "/state/rbl/rest?args=bl.example"}, "bob": {"/"}} {
		w := b.login(t, who)
		pages := pagesOf(w, from...)
		if len(pages) < 2 {
			t.Errorf("%s finds only %q", who, pages)
		}
		for _, path := range pages {
			name := who + strings.NewReplacer("/", "-", "?", "-", "=", "-", "&", "-").Replace(path)
			w.Set(browser.Looks[0])
			w.Go(path)
			for i, look := range browser.Looks {
				w.Set(look)
				if wide := w.Wide(); len(wide) > 0 {
					t.Errorf("%s at %s scrolls sideways: %q", path, look, wide)
				}
				for _, one := range looked(w, i) {
					t.Errorf("%s at %s: %s", path, look, one)
				}
				w.Screenshot(name + "-" + look.String())
			}
		}
		if problems := w.Problems(); len(problems) > 0 {
			t.Errorf("%s: %q", who, problems)
		}
	}
}

// looked lets axe look at a page: at all of it once, and at what a dark page changes.
func looked(w *browser.Window, look int) []string {
	switch look {
	case 0:
		return w.Axe()
	case 1:
		return w.Axe("color-contrast")
	}
	return nil
}
