package browser

import "testing"

func TestPage(t *testing.T) {
	p := Start(t)
	for _, c := range []struct{ name, doc, inner, seen string }{
		{"blocks", "<a style='display:block'>Home</a><a style='display:block'>Contact us</a>", "Home\nContact us", "Home\nContact us"},
		{"no scripts", "<noscript>a</noscript><script>document.write('b')</script>", "a", "a"},
		{"without size", "a<i style='font-size:0'>b</i>c", "abc", "ac"},
		{"without colour", "a<i style='color:transparent'>b</i>c", "abc", "ac"},
		{"clipped", "a<i style='display:inline-block;height:0;overflow:hidden'>b</i>c", "abc", "ac"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inner, err := p.InnerText(c.doc)
			if err != nil || inner != c.inner {
				t.Errorf("inner text %q, %v; want %q", inner, err, c.inner)
			}
			seen, err := p.SeenText(c.doc)
			if err != nil || seen != c.seen {
				t.Errorf("seen %q, %v; want %q", seen, err, c.seen)
			}
		})
	}
}
