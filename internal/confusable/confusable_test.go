package confusable

import (
	"testing"
	"unicode"
)

func TestLatin(t *testing.T) {
	for r, want := range map[rune]string{
		'а': "a", 'е': "e", 'о': "o", 'р': "p", 'с': "c", 'х': "x", 'у': "y", 'і': "i", 'ј': "j", 'ѕ': "s", // Cyrillic
		'к': "k", 'в': "b", 'н': "h", 'т': "t", 'А': "A", 'В': "B", 'О': "O", 'Т': "T",
		'α': "a", 'ο': "o", 'ν': "v", 'Α': "A", 'Ι': "l", // Greek
		'0': "O", '1': "l", '|': "l", 'I': "l", // signs of ASCII
		'ı': "i", 'ø': "o", 'ł': "l", 'đ': "d", 'æ': "ae", 'œ': "oe",
		'm': "rn", 'м': "rn", 'w': "vv", 'ԝ': "vv", 'W': "VV",
		'a': "", 'o': "", 'l': "", 'L': "", 'O': "", 'n': "", '王': "", 'д': "", '-': "", '.': "", ' ': "",
	} {
		if got := Latin(r); got != want {
			t.Errorf("%c is %q, want %q", r, got, want)
		}
	}
}

// What a character looks like looks like nothing else in turn.
func TestLatinOfLatin(t *testing.T) {
	for r, text := range letters {
		if len(text) == 0 || len(text) > 8 {
			t.Errorf("%c is %q", r, text)
		}
		for _, l := range text {
			if l >= unicode.MaxASCII || !unicode.IsLetter(l) || Latin(l) != "" {
				t.Errorf("%c is %q, and %c of it %q", r, text, l, Latin(l))
			}
		}
	}
	if len(letters) < 600 {
		t.Errorf("%d characters", len(letters))
	}
}
