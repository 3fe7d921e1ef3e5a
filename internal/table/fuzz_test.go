package table

import (
	"strings"
	"testing"
)

// Reading never panics, and what is read can be asked and shown.
func fuzzSource(f *testing.F, read func(string) (source, error), seeds ...string) {
	for _, s := range seeds {
		f.Add(s, "user@example.com")
	}
	f.Fuzz(func(t *testing.T, content, key string) {
		s, err := read(content)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without words")
			}
			return
		}
		m, ok := s.find(key)
		if ok && m.fixed > len(m.Value) {
			t.Fatalf("%d octets of %q are fixed", m.fixed, m.Value)
		}
		if !ok && m != (Match{}) && m.Key != key {
			t.Fatalf("no answer, but %+v", m)
		}
		again, okAgain := s.find(key)
		if again != m || ok != okAgain {
			t.Fatalf("%+v, then %+v", m, again)
		}
		if err := s.each(func(_ int, value string, fixed int) error {
			if fixed > len(value) {
				t.Fatalf("%d octets of %q are fixed", fixed, value)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzTexthash(f *testing.F) {
	fuzzSource(f, func(s string) (source, error) { return readText(strings.NewReader(s), len(s)) },
		"a b\n", "user@example.com OK\n# c\n  more\n", "\"a b\"@c x\n\\", "É ß\r\n\r\n")
}

func FuzzList(f *testing.F) {
	fuzzSource(f, func(s string) (source, error) { return readKeys(strings.NewReader(s), len(s)) }, "a\n#\nb\n", `"a b"@c`)
}

func FuzzCidr(f *testing.F) {
	fuzzSource(f, func(s string) (source, error) { return readNetworks(strings.NewReader(s)) },
		"10.0.0.0/8 x\nif !::/0\n[::1]/128 y\nendif\n", "!1.2.3.4 z\n", "if 0.0.0.0/0\nif ::/0\n::1 a\nENDIF\nendif\n")
}

func FuzzRegexp(f *testing.F) {
	fuzzSource(f, func(s string) (source, error) { return readPatterns(strings.NewReader(s), true) },
		"/^(.*)@(.*)$/ REJECT $1 at ${2}\n", "if !/a/\n!/[]\\[:alpha:]]/m x $$\nendif\n")
}

func FuzzPCRE(f *testing.F) {
	fuzzSource(f, func(s string) (source, error) { return readPatterns(strings.NewReader(s), false) },
		"/^(.*)@(.*)$/ REJECT $1 at $(2)\n", "if /a/A\n/é\\xc3\\/b{2}/U x\nendif\n", "=a|b=is y")
}

func FuzzInline(f *testing.F) {
	fuzzSource(f, func(s string) (source, error) { return parseInline(s) }, "{a=b}", "{ {a = b c}, d=e }", "{{}")
}

func FuzzStatic(f *testing.F) {
	fuzzSource(f, func(s string) (source, error) { return parseStatic(s) }, "OK", "{ a b }", "{{a}")
}

func FuzzAction(f *testing.F) {
	for _, s := range []string{"OK", "reject 5.7.1 x", "450 4.1.1", "DUNNO x", "550 9.9.9", "REJECT\t5.7.01 y"} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, value string, fixed int) {
		fixed = max(0, min(fixed, len(value)))
		a, err := parseAction(value, fixed)
		if err != nil {
			return
		}
		if a.Verb == None || !strings.HasSuffix(value, a.Text) {
			t.Fatalf("%q is %+v", value, a)
		}
		if want := map[Verb]string{Reject: "5", Defer: "4"}[a.Verb]; a.Enhanced != "" && a.Enhanced[:1] != want {
			t.Fatalf("%q is %+v", value, a)
		}
		// What is not the administrator's is in the text.
		if len(value)-len(a.Text) > fixed && strings.Trim(value[fixed:len(value)-len(a.Text)], whiteSpace) != "" {
			t.Fatalf("%q, of which %d are fixed, is %+v", value, fixed, a)
		}
	})
}
