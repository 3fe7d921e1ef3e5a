package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A window tells what is wrong with a page: what it is for.
func TestWindow(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.ico" {
			return
		}
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/next" {
			_, err := r.Cookie("who")
			fmt.Fprintf(w, "<!doctype html><html lang=en><title>next</title><h1>sent %s, known %t</h1>", r.FormValue("q"), err == nil)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "who", Value: "me"})
		fmt.Fprint(w, `<!doctype html><html><title>x</title><body style="margin:0;color-scheme:light dark"><main><h1>one</h1>
			<p style="color:#bbb;background:#fff">hardly seen</p><img src="data:,">
			<div style="width:800px">wide</div><form action=/next><input name=q><button>send</button></form><a href=/next#x>next</a></main>
			<script>console.error("oh"); alert("boo")</script>`)
	}))
	defer server.Close()
	chromium := StartChromium(t)
	w := chromium.Window(t, server.URL)
	w.Set(Look{Width: 360})
	w.Go("/")
	if got := strings.Join(w.Problems(), "\n"); !strings.Contains(got, "console: oh") || !strings.Contains(got, "dialog: boo") {
		t.Errorf("problems %q", got)
	}
	if got := w.Problems(); len(got) > 0 {
		t.Errorf("told twice: %q", got)
	}
	found := strings.Join(w.Axe(), "\n")
	for _, rule := range []string{"color-contrast: ", "html-has-lang: ", "image-alt: ", "label: "} {
		if !strings.Contains(found, rule) {
			t.Errorf("axe does not find %q in\n%s", rule, found)
		}
	}
	if got := w.Axe("image-alt"); len(got) != 1 {
		t.Errorf("one rule finds %q", got)
	}
	if got := w.Wide(); len(got) == 0 || !strings.Contains(got[0], "wide") {
		t.Errorf("too wide: %q", got)
	}
	w.Set(Look{Width: 1440, Dark: true})
	if got := w.Wide(); len(got) > 0 {
		t.Errorf("too wide: %q", got)
	}
	if !Eval[bool](w, `matchMedia("(prefers-color-scheme: dark)").matches`) {
		t.Error("it is not dark")
	}
	if diff := cmp.Diff([]string{"/next"}, w.Links()); diff != "" {
		t.Error(diff)
	}
	dir := t.TempDir()
	t.Setenv("MAILWEIR_SCREENSHOTS", dir)
	w.Screenshot("one")
	if picture, err := os.ReadFile(dir + "/one.png"); err != nil || !strings.HasPrefix(string(picture), "\x89PNG") {
		t.Errorf("screenshot: %v", err)
	}
	w.Fill("[name=q]", `a "b"`)
	w.Click("button")
	w.AwaitText(`sent a "b", known true`)
	if w.Says("hardly seen") {
		t.Error("it is still the first page")
	}
	other := chromium.Window(t, server.URL)
	other.Go("/next")
	if !other.Says("known false") {
		t.Error("two windows share cookies")
	}
	if got := other.Problems(); len(got) > 0 {
		t.Errorf("problems %q", got)
	}
}
