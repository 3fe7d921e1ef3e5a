package match

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"mailweir/internal/content/fold"

	"github.com/google/go-cmp/cmp"
)

// TestGap holds the search for gaps against the regular expression that they are.
func TestGap(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	alphabet := []string{"a", "b", "ab", " ", "\n", "ä", "x"}
	for _, source := range []string{
		"a.{0,3}b", "a.{0,3}?b", "ab.{2,4}a", "a.{2,4}?ab", "a(?s:.){0,3}b", "a(?s:.){1,9}?b", "aa.{0,2}aa", "ä.{0,2}ä", "a.{3}b", "ab.{0,5}\nb",
	} {
		p, err := compile(0, source)
		if err != nil {
			t.Fatal(err)
		}
		if p.gap == nil {
			t.Fatalf("%q is not taken for a gap", source)
		}
		for range 2000 {
			var b strings.Builder
			for range random.IntN(20) {
				b.WriteString(alphabet[random.IntN(len(alphabet))])
			}
			text := b.String()
			if diff := cmp.Diff(p.re.FindStringIndex(text), p.gap.find([]byte(text))); diff != "" {
				t.Fatalf("%q in %q: %s", source, text, diff)
			}
		}
	}
	for _, source := range []string{"a.*b", "a.{2,}b", "ab", "a[xy]{0,3}b", "a.{0,3}(b|c)", `a.{0,3}b\b`, "^a.{0,3}b"} {
		if p, err := compile(0, source); err != nil || p.gap != nil {
			t.Errorf("%q is taken for a gap, %v", source, err)
		}
	}
}

func FuzzGap(f *testing.F) {
	f.Add("a", "b", "axb ab", uint8(0), uint8(3), uint8(0))
	f.Fuzz(func(t *testing.T, first, last, text string, least, more, how uint8) {
		source := Quote(fold.Text(first)) + []string{".", "(?s:.)"}[how&1] + fmt.Sprintf("{%d,%d}", least%9, least%9+more%9+1) + []string{"", "?"}[how>>1&1] + Quote(fold.Text(last))
		p, err := compile(0, source)
		if err != nil || p.gap == nil {
			t.Skip()
		}
		text = string(fold.Text(text))
		if diff := cmp.Diff(p.re.FindStringIndex(text), p.gap.find([]byte(text))); diff != "" {
			t.Errorf("%q in %q: %s", source, text, diff)
		}
	})
}
