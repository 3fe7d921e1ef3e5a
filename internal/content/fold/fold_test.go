package fold

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzFold holds folding in pieces against folding at once.
func FuzzFold(f *testing.F) {
	f.Add("Gold\u200b e\u0301 ｆｏｏ\r\n\tx", uint8(3))
	f.Add("\xff\xe2\x80", uint8(1))
	f.Fuzz(func(t *testing.T, s string, cut uint8) {
		whole := Text(s)
		var out []byte
		w := NewWriter(func(p []byte) { out = append(out, p...) })
		for rest := []byte(s); len(rest) > 0; {
			n := min(int(cut)+1, len(rest))
			_, _ = w.Write(rest[:n])
			rest = rest[n:]
		}
		w.End()
		if string(trimSpace(out)) != string(whole) {
			t.Errorf("in pieces %q, at once %q", out, whole)
		}
		if strings.Contains(string(whole), "\x1e") || !utf8.Valid(whole) {
			t.Errorf("not clean: %q", whole)
		}
	})
}

// TestFoldInPieces folds texts at once, where eight octets are looked at together, and octet by
// octet.
func TestFoldInPieces(t *testing.T) {
	random := rand.New(rand.NewPCG(21, 22))
	alphabet := []string{"a", "z", "A", "Z", "@", "[", "`", "{", "~", "0", "!", " ", " ", "  ", "\t", "\r\n", "\n ", "\x00", "\x7f", "\x1f", "word", "Words ", "ä", "\u0301", "\u200b", "\u00a0"}
	for range 20000 {
		var b strings.Builder
		for range random.IntN(30) {
			b.WriteString(alphabet[random.IntN(len(alphabet))])
		}
		var pieces []byte
		f := NewWriter(func(p []byte) { pieces = append(pieces, p...) })
		for _, c := range []byte(b.String()) {
			_, _ = f.Write([]byte{c})
		}
		f.End()
		if whole := Text(b.String()); string(whole) != string(trimSpace(pieces)) {
			t.Fatalf("%q: at once %q, in pieces %q", b.String(), whole, pieces)
		}
	}
}

// TestFoldRune makes sure that all cases of a letter have one form in folded text; patterns rely on
// it.
func TestFoldRune(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		folded := string(Text(string(r)))
		if again := string(Text(folded)); again != folded {
			t.Errorf("%U is %q, and folded again %q", r, folded, again)
		}
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			if Rune(other) != Rune(r) {
				t.Errorf("%U and %U are the same letter and become %U and %U", r, other, Rune(r), Rune(other))
			}
		}
	}
}
