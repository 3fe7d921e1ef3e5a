package htmltext

import (
	"testing"

	"mailweir/test/browser"
)

// TestTricksInChromium asks Chromium what shows of them.
func TestTricksInChromium(t *testing.T) {
	page := browser.Start(t)
	for _, trick := range tricks {
		seen, err := page.SeenText(trick.doc)
		if err != nil {
			t.Fatal(err)
		}
		if want := blanks(seen); (want == trick.shows) == trick.otherwise {
			t.Errorf("%s: %s\n  ours %q\n  Chromium's %q, otherwise %v", trick.name, trick.doc, trick.shows, want, trick.otherwise)
		}
	}
	t.Logf("%d tricks", len(tricks))
}
