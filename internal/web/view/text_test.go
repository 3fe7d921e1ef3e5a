package view

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/a-h/templ"
)

func rendered(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestText(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "bob@example.org", `<bdi>bob@example.org</bdi>`},
		{"empty", "", `<bdi></bdi>`},
		{"markup", `<img src=x>"'&`, `<bdi>&lt;img src=x&gt;&#34;&#39;&amp;</bdi>`},
		{"another direction", "a\u202egnp.exe", `<bdi>a<span class="esc">\u202e</span>gnp.exe</bdi>`},
		{"controls", "\x00\r\nb", `<bdi><span class="esc">\u0000\r\n</span>b</bdi>`},
		{"no UTF-8", "a\xff\xfeb", `<bdi>a<span class="esc">\xff\xfe</span>b</bdi>`},
		{"line separator", "a\u2028", `<bdi>a<span class="esc">\u2028</span></bdi>`},
		{"another script", "Привет мир", `<bdi>Привет мир</bdi>`},
		{"what looks like an escape", `a\u202e`, `<bdi>a\u202e</bdi>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := rendered(t, Text(tt.text)); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestShorten(t *testing.T) {
	for _, tt := range []struct {
		text string
		n    int
		want string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "abc…"},
		{"äöü", 2, "äö…"},
		{"", 0, ""},
		{"a", 0, "…"},
		{"\xff\xfe\xfd", 2, "\xff\xfe…"},
	} {
		if got := Shorten(tt.text, tt.n); got != tt.want {
			t.Errorf("%q of at most %d: %q, want %q", tt.text, tt.n, got, tt.want)
		}
	}
}

func TestAssets(t *testing.T) {
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		AssetHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	for name, want := range map[string]string{"style.css": "text/css; charset=utf-8", "console.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"} {
		if w := get(Asset(name)); w.Code != http.StatusOK || w.Header().Get("Content-Type") != want || w.Body.Len() == 0 {
			t.Errorf("%s: %d, %s, %d octets", name, w.Code, w.Header().Get("Content-Type"), w.Body.Len())
		}
	}
	for _, path := range []string{"/assets/style.css", "/assets/000000000000/style.css", "/assets/", "/assets/x/../../text.go", Asset("style.css") + "x"} {
		if w := get(path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, w.Code)
		}
	}
}

// Style and script ask nobody else, and the script makes no markup of a string.
func TestAssetsAreTame(t *testing.T) {
	for name, words := range map[string][]string{
		"style.css":  {"url(", "@import", "http:", "https:"},
		"console.js": {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "http:", "https:", "srcdoc", "createContextualFragment"},
	} {
		data, err := files.ReadFile("assets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words {
			if strings.Contains(string(data), word) {
				t.Errorf("%s has %q", name, word)
			}
		}
	}
}
