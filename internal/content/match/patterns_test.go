package match

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestFindIn holds the search match by match and piece by piece against one over the whole text.
func TestFindIn(t *testing.T) {
	never := func() bool { return false }
	for _, text := range []string{"aaa aa a", "a\na\n\naa", "ab-ab_ab äb ba", "xaxa\nx a", strings.Repeat("filler and ab\n", 1500) + "aab"} {
		for _, source := range []string{`a`, `\ba`, `^a`, `a$`, `\Ba`, `a\b`, `(?:^|x)a`, `(b|\b)a`, `a+`, `(a)(b)?`, `[^a]a`, `.\b`, `ä?b`} {
			p, err := compile(0, source)
			if err != nil {
				t.Fatal(err)
			}
			p.piece = smallPiece
			var got [][]int
			p.findIn([]byte(text), 0, len(text), never, func(start, end int) bool { got = append(got, []int{start, end}); return true })
			if diff := cmp.Diff(p.re.FindAllStringIndex(text, -1), got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%q in %q…: %s", source, text[:7], diff)
			}
		}
	}
}

// TestSearchesAreShort counts how often a search asks whether to go on, on text that makes the
// patterns slow.
func TestSearchesAreShort(t *testing.T) {
	large := "aab|z.{0,900}z" // of many steps where there are z
	many := []string{}
	for i := range manyPatterns + 1 {
		many = append(many, fmt.Sprintf("[a-c]%d+", i))
	}
	for _, c := range []struct {
		name    string
		sources []string
		text    string
		asked   int // at least, and for each the piece that was searched before
	}{
		{"every match", []string{"x(.*y)?"}, strings.Repeat("x", 200), 200},
		{"large pattern", []string{large}, "aab" + strings.Repeat("a", WindowSize), WindowSize / Overlap},
		{"every pattern near its text", []string{"goldx{1,3}y", "goldx?.y", "goldx{0,5}.y"}, "gold gold gold", 3},
		{"many patterns", many, strings.Repeat("a", WindowSize), WindowSize / setPiece},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Patterns
			for i, source := range c.sources {
				if err := s.Add(int32(i), source); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Build(); err != nil {
				t.Fatal(err)
			}
			asked := 0
			report := func(int32, int, int) bool { return true }
			if err := s.Find([]byte(c.text), 0, len(c.text), func() bool { asked++; return false }, report); err != nil {
				t.Fatal(err)
			}
			if asked < c.asked {
				t.Errorf("asked %d times, want %d", asked, c.asked)
			}
			found := 0
			report = func(int32, int, int) bool { found++; return true }
			if err := s.Find([]byte(c.text), 0, len(c.text), func() bool { return true }, report); err != nil || found > 0 {
				t.Errorf("found %d when it should have ended, %v", found, err)
			}
		})
	}
}
