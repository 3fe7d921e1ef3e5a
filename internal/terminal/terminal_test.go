package terminal

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "bob@example.org", "bob@example.org"},
		{"beyond ASCII", "bücher ✓ 日本 ×3", "bücher ✓ 日本 ×3"},
		{"empty", "", ""},
		{"colour", "\x1b[31mred", `\u001b[31mred`},
		{"a title", "\x1b]0;title\a", `\u001b]0;title\u0007`},
		{"line ends", "a\r\nb\tc", `a\r\nb\tc`},
		{"C1", "\u009b1m", `\u009b1m`},
		{"octets of C1", "\x9b1m", `\x9b1m`},
		{"turned around", "a\u202egpj.exe", `a\u202egpj.exe`},
		{"a tag", "\U000e0041", `\udb40\udc41`},
		{"a line of Unicode", "a\u2028b", `a\u2028b`},
		{"no UTF-8", "\xff\xc3", `\xff\xc3`},
		{"DEL", "\x7f", `\u007f`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Text(c.in); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	table := NewTable(&b, "A", "LONGER")
	table.Row("one\ttwo\nthree", 4)
	table.Row("", "\x1b[2J")
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "A                LONGER\none\\ttwo\\nthree  4\n                 \\u001b[2J\n"
	if b.String() != want {
		t.Errorf("%q\nwant %q", b.String(), want)
	}
}

// However a text is cut into pieces, the writer sends nothing that a terminal would obey.
func TestWriter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"\x1b", "ü", "\xc3", "\x9b", "\u202e", "\n", "\U000e0041", "日"}))
		whole := strings.Join(rapid.SliceOf(texts).Draw(t, "text"), "")
		var b strings.Builder
		w := NewWriter(&b)
		for rest := whole; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			if got, err := w.Write([]byte(rest[:n])); err != nil || got != n {
				t.Fatal(got, err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got := b.String()
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }) {
			t.Fatalf("%q is sent as %q", whole, got)
		}
		if want := string(appendEscaped(nil, []byte(whole), moves)); got != want {
			t.Fatalf("in pieces %q, at once %q", got, want)
		}
	})
}

// JSON is the same JSON afterwards.
func TestJSONPasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text") + "\u202e\u009b\x7f\U000e0041"
		data, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		w := NewWriter(&b)
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal([]byte(b.String()), &back); err != nil || back != text {
			t.Fatalf("%q becomes %q: %v", text, back, err)
		}
	})
}
