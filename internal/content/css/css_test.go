package css

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// styled computes the style of every element of a document whose style elements are known.
func styled(t testing.TB, sheet *Sheet, doc string) (styles []Style) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	var walk func(n *html.Node, around Style)
	walk = func(n *html.Node, around Style) {
		for c := range n.ChildNodes() {
			if c.Type == html.ElementNode {
				st := sheet.Style(c, &around)
				styles = append(styles, st)
				walk(c, st)
			}
		}
	}
	walk(root, Root())
	return styles
}

// TestCut: whatever style sheets say, the work is bounded, and it is known where they were left.
func TestCut(t *testing.T) {
	deep := strings.Repeat("<div>", 200) + strings.Repeat("<i class=a></i>", 2000)
	wide := "<p>" + strings.Repeat("<i class=a></i>", 5000)
	var classes strings.Builder
	for i := range 6000 {
		fmt.Fprintf(&classes, ".a%d{display:none}", i)
	}
	for _, c := range []struct {
		name, sheet, doc string
		cut              bool
	}{
		{"nothing", "", deep, false},
		{"honest", strings.Repeat("p{color:red} .a{display:none} table td.b>a{font-size:12px}\n", 300), deep, false},
		{"descendants", "section " + strings.Repeat("div ", 12) + "i{display:none}", deep, true},
		{"siblings", strings.Repeat("i~", 12) + "b~i{display:none}", wide, true},
		{"places", "i:nth-last-child(3n+7){display:none}", wide, true},
		{"has", strings.Repeat("*:has(section){display:none}", 5), deep + wide, true},
		{"is in is", strings.Repeat(":is(div *,", 30) + "a" + strings.Repeat(")", 30) + "{display:none}", deep, false},
		{"nested rules", strings.Repeat("& &{", 100), deep, true},
		{"rules", classes.String(), deep, true},
		{"octets", strings.Repeat("/* */", 200_000), deep, true},
		{"selectors", strings.Repeat("a,", 100_000) + "b{display:none}", deep, true},
		{"declarations", "i{" + strings.Repeat("float:left;", 40_000) + "}i{" + strings.Repeat("float:left;", 40_000) + "}", deep, true},
		{"brackets", "i{display:" + strings.Repeat("calc(", 100_000), deep, true},
		{"sums", "i{font-size:calc(" + strings.Repeat("(1px + ", 500) + "1px" + strings.Repeat(")", 500) + ")}", deep, false},
		{"media", strings.Repeat("@media (width){", 10_000), deep, true},
		{"condition in condition", "@media " + strings.Repeat("(", 1000) + "width" + strings.Repeat(")", 1000) + "{i{display:none}}", deep, false},
		{"custom properties", "*{--a:" + strings.Repeat("var(--b)", 500) + ";--b:" + strings.Repeat("var(--c)", 500) + ";--c:" + strings.Repeat("x ", 500) + ";display:var(--a)}", deep, true},
		{"declarations that are taken often", ".a{" + strings.Repeat("float:left;", 30_000) + "}", wide, true},
		{"a class many times", ".a.b{display:none}", "<i class='" + strings.Repeat("a ", 100_000) + "'>", true},
		{"custom properties far away", "div{--b:c}.a{display:" + strings.Repeat("var(--a,)", 400) + "}", deep, true},
		{"custom properties in a circle", "*{--a:var(--b);--b:var(--a);display:var(--a)}", deep, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := New(true)
			s.Add(c.sheet)
			styled(t, s, c.doc)
			if s.Cut() != c.cut {
				t.Errorf("cut %v after %d steps, %d selectors and %d units", s.Cut(), s.work, s.count, s.units)
			}
			if s.work > maxWork+maxSource {
				t.Errorf("%d steps", s.work)
			}
		})
	}
}

// TestLayers: many layers are one after some.
func TestLayers(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "@layer a%d{i{display:block}}", i)
	}
	s := New(false)
	s.Add(b.String() + "i{display:none}")
	if styles := styled(t, s, "<i></i>"); styles[len(styles)-1].Display != None {
		t.Errorf("%+v, want what stands in no layer", styles)
	}
}

// FuzzSheet: no style sheet brings it down or takes more steps than there are.
func FuzzSheet(f *testing.F) {
	for _, sheet := range []string{
		"@media screen and (min-width:1px){.a>b~i:not(.c,:is(d)):nth-child(2n+1){display:none!important}}",
		"@layer a,b;@layer b{i{font:0/0 a;color:rgb(0 0 0/0%)}}:root{--x:none}i{display:var(--x,block)}",
		"i{clip-path:inset(50%);transform:scale(0) matrix(0,0,0,0,0,0);width:calc((1px + 2em)*3 - min(1%,2px))}u+b{\\31 a:b}",
		"p{& i{opacity:0}@supports not (x:y){text-indent:-9in}}[a^='b' i]{}*|*{}a:has(> b)::before{}",
	} {
		f.Add(sheet, "opacity:0;margin:1px 2px")
	}
	f.Fuzz(func(t *testing.T, sheet, style string) {
		s := New(len(sheet)%2 == 0)
		s.Add(sheet)
		styled(t, s, "<p class='a b'><b id=x title=abc>x</b><i style=\""+strings.ReplaceAll(style, `"`, "'")+"\">y</i><u></u>")
		if s.work > maxWork+maxSource {
			t.Errorf("%d steps", s.work)
		}
	})
}
