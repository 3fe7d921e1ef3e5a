package web

import (
	"net/url"
	"strings"
	"testing"

	"mailweir/internal/policy"
)

// Who sees the mail of one domain finds nothing by what concerns others of the same mail.
func TestSearchScope(t *testing.T) {
	shared := refusal("mw-10000001", "bob@example.org", func(e *policy.Event) {
		e.Recipients, e.Count, e.Cause = []string{"bob@example.org", "boss@example.net"}, 2, "boss@example.net has a secret"
	})
	w := newWorld(t, shared, refusal("mw-10000002", "carol@example.org"), message("s3", "bob@example.org", "boss@example.net"))
	for _, test := range []struct {
		name, query string
		sees        int
	}{
		{"all of it", "show=all", 3},
		{"his own recipient", "show=all&to=bob@example.org", 2},
		{"another's address", "show=all&to=boss@example.net", 0},
		{"another's domain", "show=all&to=example.net", 0},
		{"a word about another", "text=secret", 0},
		{"another's address as text", "show=all&text=boss", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, path := range []string{"/rejections.jsonl?", "/rejections.csv?"} {
				lines := strings.Count(w.page(dora, path+test.query), "\n") - strings.Count(path, "csv")
				if lines != test.sees {
					t.Errorf("%s: %d entries, want %d", path, lines, test.sees)
				}
			}
		})
	}
	if code, place := w.get(dora, "/search?q="+url.QueryEscape("boss@example.net")); code == 200 && strings.Contains(place, "bob@example.org") {
		t.Error("the search finds it")
	}
}
