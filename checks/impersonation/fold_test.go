package impersonation

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"mailweir/internal/address"
	"mailweir/internal/confusable"
	"mailweir/internal/table"
)

// peopleOf are the people of a table.
func peopleOf(t testing.TB, names string) *people {
	t.Helper()
	file := filepath.Join(t.TempDir(), "names")
	if err := os.WriteFile(file, []byte(names), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := table.NewLoader(nil).List(table.ListOptions{}, file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := readPeople(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// disguises are what an impostor does to a name so that it looks the same.
func disguises() []func(*rand.Rand, string) string {
	lookalikes := map[string][]rune{}
	for r := rune(1); r < 0x1ffff; r++ {
		if letters := confusable.Latin(r); len(letters) == 1 && unicode.IsLetter(r) {
			lookalikes[letters] = append(lookalikes[letters], r)
		}
	}
	each := func(f func(*rand.Rand, rune) string) func(*rand.Rand, string) string {
		return func(rnd *rand.Rand, s string) string {
			var b strings.Builder
			for _, r := range s {
				if rnd.IntN(2) == 0 {
					b.WriteRune(r)
					continue
				}
				b.WriteString(f(rnd, r))
			}
			return b.String()
		}
	}
	between := func(what ...string) func(*rand.Rand, string) string {
		return each(func(rnd *rand.Rand, r rune) string { return string(r) + what[rnd.IntN(len(what))] })
	}
	return []func(*rand.Rand, string) string{
		func(_ *rand.Rand, s string) string { return s },
		func(_ *rand.Rand, s string) string { return strings.ToUpper(s) },
		func(_ *rand.Rand, s string) string { return cases(s)[1] },
		each(func(_ *rand.Rand, r rune) string { return strings.ToUpper(string(r)) }),
		each(func(rnd *rand.Rand, r rune) string { // another letter that looks like it
			if like := lookalikes[string(r)]; len(like) > 0 && r != 'l' && r != 'i' {
				return string(like[rnd.IntN(len(like))])
			}
			return string(r)
		}),
		each(func(_ *rand.Rand, r rune) string { // full width
			if r > ' ' && r < 0x7f {
				return string(r + 0xfee0)
			}
			return string(r)
		}),
		each(func(_ *rand.Rand, r rune) string { // mathematical
			if r >= 'a' && r <= 'z' {
				return string(r - 'a' + 0x1d41a)
			}
			return string(r)
		}),
		between("\u0301", "\u0308", "\u0327", "\u0336"),
		between("\u200b", "\u00ad", "\u2060", "\ufeff", "\u202e", "\ufe0f"),
		between(" ", "\u00a0", "\u2003", ".", "-", "_", "'", "’"),
		func(_ *rand.Rand, s string) string {
			words := strings.Fields(s)
			return words[len(words)-1] + ", " + strings.Join(words[:len(words)-1], " ")
		},
		func(rnd *rand.Rand, s string) string {
			return []string{"Dr. ", "Mr ", "CEO ", "Prof. Dr. "}[rnd.IntN(4)] + s + []string{"", ", PhD", " Jr.", " (CEO)"}[rnd.IntN(4)]
		},
	}
}

// Whatever is done to a name that leaves it looking the same, it is found; the names beside it are
// not.
func TestDisguises(t *testing.T) {
	names := []string{"jane doe", "maximilian weber", "conan o'brien", "anna lena krause", "peter zhang", "robert small"}
	p := peopleOf(t, "\""+strings.Join(names, "\" OK\n\"")+"\" OK\n")
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		for i, disguise := range disguises() {
			for _, name := range names {
				shown := disguise(rnd, name)
				claims, err := p.claims(t.Context(), address.HeaderFrom([]string{`"` + shown + `" <x@mail.example>`}).Names())
				if err != nil || len(claims) == 0 || claims[0].people[0].name != name {
					t.Errorf("disguise %d: %q is not %q: %+v %v", i, shown, name, claims, err)
				}
			}
			for _, other := range []string{"joan doe", "jane roe", "max weber", "conan brown", "anna lena kraus", "peter chang", "rupert small", "doe", "weber"} {
				if found := p.find(asShown(disguise(rnd, other))); found != nil {
					t.Errorf("disguise %d: %q is %q", i, other, found[0].name)
				}
			}
		}
	}
}

// Words of a folded text are folded: they have nothing that folding would change once more.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"Jane Doe", "Dr. Jürgen Müller-Groß", "Іvаn\u0301 \u202eΠ", "王小明", "ﷺ ⅷ ㋿", "mW I|l1", "\xff\xfe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, seen := range []bool{false, true} {
			list := words(asShown(s), seen)
			for _, w := range list {
				if w == "" || !utf8.ValidString(w) || strings.ContainsFunc(w, unicode.IsSpace) {
					t.Fatalf("%q: word %q", s, w)
				}
			}
			if !seen && !slices.Equal(list, words(strings.Join(list, " "), false)) {
				t.Fatalf("%q: %q, and again %q", s, list, words(strings.Join(list, " "), false))
			}
		}
	})
}

// Every entry is refused with a reason, or found by its own name, and by it alone.
func FuzzEntry(f *testing.F) {
	f.Add(`"jane doe"`, "jane@x.example, y.example")
	f.Add("jane.doe", "OK")
	f.Add("*", "x.example")
	f.Add("王小明", ".x.example")
	f.Fuzz(func(t *testing.T, key, value string) {
		name, err := newFolder().name(key)
		list, wrong := addresses(value)
		if err != nil || wrong != nil || name == everybody {
			return
		}
		p := &people{folder: newFolder(), named: map[string][]*person{}}
		one := &person{name: name, may: list}
		for _, k := range p.folder.kept(name) {
			p.named[k] = append(p.named[k], one)
		}
		if found := p.find(asShown(name)); len(found) == 0 {
			t.Fatalf("%q is not found by %q", key, name)
		}
		for _, a := range list {
			if a.Domain == "" || a.Local != "" && !one.uses(a, "+") {
				t.Fatalf("%q: %+v", value, a)
			}
		}
	})
}

// Whatever header From holds, looking for names ends, and finds what stands there.
func FuzzClaims(f *testing.F) {
	for _, s := range []string{"Jane Doe <a@b>", "(via) Jane Doe", "Jane Doe, x, via (y", "=?utf-8?Q?Jane_Doe?= <a@b>", ";;,,((\"|"} {
		f.Add(s)
	}
	p := peopleOf(f, "\"jane doe\" OK\n")
	f.Fuzz(func(t *testing.T, s string) {
		claims, err := p.claims(t.Context(), address.HeaderFrom([]string{s}).Names())
		if err == nil && len(claims) > maxClaims {
			t.Fatalf("%d claims", len(claims))
		}
		for _, c := range claims {
			c.disclosed(address.Address{Local: "a", Domain: "b.example"}, surroundings{list: true})
			if v := c.objection(c.people[0], address.Address{Local: "a", Domain: "b.example"}); len(v.Cause()) > 2000 {
				t.Fatalf("cause of %d octets", len(v.Cause()))
			}
		}
	})
}

func BenchmarkClaims(b *testing.B) {
	var names strings.Builder
	for i := range 5000 {
		names.WriteString(`"jane doe` + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)) + "\" OK\n")
	}
	p := peopleOf(b, names.String())
	for name, value := range map[string]string{"usual": "John Roe <john@mail.example>", "long": strings.Repeat("a,", 512<<10)} {
		b.Run(name, func(b *testing.B) {
			from := address.HeaderFrom([]string{value})
			for b.Loop() {
				if _, err := p.claims(b.Context(), from.Names()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
