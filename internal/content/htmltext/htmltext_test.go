package htmltext

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// shownText is what shows of a document, with single blanks.
func shownText(t testing.TB, doc string) string {
	t.Helper()
	tree, err := Parse([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	tree.Shown(func(p []byte) { out.Write(p) }, func() bool { return true })
	return blanks(out.String())
}

func blanks(s string) string { return strings.Join(strings.Fields(s), " ") }

// TestTricks looks at what shows of every trick.
func TestTricks(t *testing.T) {
	for _, trick := range tricks {
		if got := shownText(t, trick.doc); got != trick.shows {
			t.Errorf("%s: %s\n   got %q\n  want %q", trick.name, trick.doc, got, trick.shows)
		}
	}
}

// read gives what shows, what stands apart, and the second reading.
func read(t testing.TB, doc string) (shown string, apart Apart, inline string) {
	t.Helper()
	tree, err := Parse([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	var out, in strings.Builder
	more := func() bool { return true }
	apart = tree.Shown(func(p []byte) { out.Write(p) }, more)
	tree.Inline(func(p []byte) { in.Write(p) }, more)
	return out.String(), apart, in.String()
}

// TestApart looks at what does not stand in the line.
func TestApart(t *testing.T) {
	for _, c := range []struct {
		name, doc     string
		aside, hidden string
		stretches     int
		glued         bool
		inline        string
	}{
		{"nothing", "<p>a</p> <p>b</p>", "", "", 0, false, "a b"},
		{"glued", "<p>a</p><p>b</p>", "", "", 0, true, "ab"},
		{"line break", "a<br>b", "", "", 0, true, "ab"},
		{"line break and white space", "a<br>\nb", "", "", 0, false, "a b"},
		{"hidden", "a<i hidden>b</i>c", "", "b", 1, true, "abc"},
		{"hidden twice", "a<i hidden>b<u>c</u></i>d<i hidden>e</i>", "", "bc | e", 2, true, "abcde"},
		{"hidden blocks", "<div hidden><p>a</p><p>b</p></div>", "", "a | b", 1, true, "ab"},
		{"hidden letters in a hidden box", "<div style='visibility:hidden'>a<i hidden>b</i></div>", "", "a | b", 2, true, "ab"},
		{"alternative texts", "a<img alt=b><img alt='c d'>e", "b | c d", "", 0, false, "ae"},
		{"alternative text of a hidden picture", "a<img alt=b hidden>", "", "b", 1, true, "a"},
		{"fields", "<input value=a><input type=submit value=b><input placeholder=c><textarea>d</textarea>", "a | b | c | d", "", 0, false, "d"},
		{"fields that never show", "<input type=hidden value=a><input type=RADIO value=b><input type=checkbox value=c>", "", "", 0, false, ""},
		{"button", "<button value=a>b</button>", "", "", 0, false, "b"},
		{"ruby", "<ruby>a<rp>(</rp><rt>b</rt><rp>)</rp></ruby>c", "b", "( | )", 2, true, "a(b)c"},
		{"title", "<title>a</title>b", "", "a", 1, false, "b"},
		{"frames", "a<noframes><p>b</p><p>c</p></noframes>d", "", "b | c", 1, true, "abcd"},
		{"video", "a<video>b</video>c", "", "b", 1, true, "abc"},
		{"template", "a<template><p>b</template>c", "", "b", 1, true, "abc"},
		{"scripts", "a<script>b</script><style>c</style>d", "", "", 0, false, "ad"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, apart, inline := read(t, c.doc)
			lines := func(p []byte) string {
				var list []string
				for line := range strings.SplitSeq(string(p), "\n") {
					if line = blanks(line); line != "" {
						list = append(list, line)
					}
				}
				return strings.Join(list, " | ")
			}
			if diff := cmp.Diff([]any{c.aside, c.hidden, c.stretches, c.glued, c.inline}, []any{lines(apart.Aside), lines(apart.Hidden), apart.Stretches, apart.Glued, blanks(inline)}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestStream holds what is read as it comes against the tree. It does not know all of the parser's
// rules.
func TestStream(t *testing.T) {
	var differ []string
	for _, trick := range tricks {
		got := blanks(streamed(trick.doc, 1))
		if whole := blanks(streamed(trick.doc, 1<<20)); whole != got {
			t.Errorf("%s: in pieces %q, at once %q", trick.name, got, whole)
		}
		if got != trick.shows {
			differ = append(differ, trick.name)
		}
	}
	want := []string{
		"blocks by a later style element", "cells outside a table", "description of a picture", "custom property",
		"later sibling", "has", "has child", "last child", "only child", "nth child", "nth child odd", "nth of type",
		"nth last child", "attributes of a picture", "picture that is hidden", "style element of a formula", "text in a table", "formatting goes on", "heading ended by another", "attributes of a second body",
	}
	if diff := cmp.Diff(want, differ); diff != "" {
		t.Error(diff)
	}
}

// pieces reads a text a few octets at a time.
type pieces struct {
	s string
	n int
}

func (p *pieces) Read(b []byte) (int, error) {
	n, err := strings.NewReader(p.s).Read(b[:min(len(b), p.n)])
	p.s = p.s[n:]
	return n, err
}

func streamed(doc string, n int) string {
	var out strings.Builder
	Stream(&pieces{doc, n}, Output{Shown: func(p []byte) { out.Write(p) }, Long: func() {}})
	return out.String()
}

// FuzzTree: whatever HTML comes, what shows is part of the second reading, in order, and nothing
// takes long.
func FuzzTree(f *testing.F) {
	for _, trick := range tricks {
		f.Add(trick.doc)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		if !utf8.ValidString(doc) { // a charset has been decoded before
			return
		}
		begun := time.Now()
		streamed(doc, 7)
		if _, weight := Weigh([]byte(doc)); weight > Heaviest {
			return
		}
		tree, err := Parse([]byte(doc))
		if err != nil {
			return
		}
		var out, in strings.Builder
		more := func() bool { return true }
		tree.Shown(func(p []byte) { out.Write(p) }, more)
		tree.Inline(func(p []byte) { in.Write(p) }, more)
		rest := letters(in.String())
		for _, r := range letters(out.String()) {
			i := slices.Index(rest, r)
			if i < 0 {
				t.Fatalf("%q shows, and is not in %q", out.String(), in.String())
			}
			rest = rest[i+1:]
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%d octets took %v", len(doc), took)
		}
	})
}

// letters are the characters that are no white space.
func letters(s string) (list []rune) {
	for _, r := range s {
		if !unicode.IsSpace(r) {
			list = append(list, r)
		}
	}
	return list
}
