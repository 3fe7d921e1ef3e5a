package expand

import (
	"strings"
	"testing"
)

// bracket shows what was quoted.
func bracket(s string) string { return "<" + s + ">" }

func TestQuery(t *testing.T) {
	for _, test := range []struct {
		name, query, also, key string
		want                   string // "" with not
		not                    bool
	}{
		{name: "whole", query: "(mail=%s)", key: "bob@example.com", want: "(mail=<bob@example.com>)"},
		{name: "whole of a name", query: "%s", key: "bob", want: "<bob>"},
		{name: "no key", query: "%s", key: "", not: true},
		{name: "a percent sign", query: "100%%s", key: "bob", want: "100%s"},
		{name: "nothing", query: "fixed", key: "bob", want: "fixed"},
		{name: "user", query: "%u", key: "bob@example.com", want: "<bob>"},
		{name: "user of a name", query: "%u", key: "bob", want: "<bob>"},
		{name: "no user", query: "%u", key: "@example.com", not: true},
		{name: "no user, none needed", query: "%s", key: "@example.com", want: "<@example.com>"},
		{name: "domain", query: "%d", key: "bob@example.com", want: "<example.com>"},
		{name: "the last at sign", query: "%u %d", key: `"a@b"@example.com`, want: `<"a@b"> <example.com>`},
		{name: "no domain", query: "%d", key: "bob", not: true},
		{name: "an empty domain", query: "%d", key: "bob@", not: true},
		{name: "user with an empty domain", query: "%u", key: "bob@", want: "<bob>"},
		{name: "domain without user", query: "%d", key: "@example.com", want: "<example.com>"},
		{name: "capitals", query: "%S %U %D", key: "bob@example.com", want: "<bob@example.com> <bob> <example.com>"},
		{name: "labels", query: "%1 %2 %3", key: "bob@mail.example.com", want: "<com> <example> <mail>"},
		{name: "too few labels", query: "%3", key: "bob@example.com", not: true},
		{name: "labels of a name", query: "%1", key: "example.com", not: true},
		{name: "labels with dots between", query: "%1 %2", key: "bob@.example..com.", want: "<com> <example>"},
		{name: "what another template needs", query: "%s", also: "%d", key: "bob", not: true},
		{name: "what a result needs", query: "%s", also: "=%3", key: "bob@example.com", not: true},
		{name: "capitals of a result", query: "%s", also: "=%U", key: "@example.com", not: true},
		{name: "small letters of a result", query: "%s", also: "=%u%d", key: "bob", want: "<bob>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var s Set
			q, err := s.Query(test.query)
			if err == nil && strings.HasPrefix(test.also, "=") {
				_, err = s.Result(test.also[1:])
			} else if err == nil {
				_, err = s.Query(test.also)
			}
			if err != nil {
				t.Fatal(err)
			}
			got, ok := q.Expand(test.key, bracket)
			if ok == test.not || ok && got != test.want {
				t.Errorf("%q, %v; want %q, %v", got, ok, test.want, !test.not)
			}
		})
	}
}

func TestResult(t *testing.T) {
	for _, test := range []struct {
		name, format, value, key, want string
		not                            bool
	}{
		{name: "value", format: "%s", value: "bob@b.example", key: "k", want: "bob@b.example"},
		{name: "no value", format: "OK", value: "", key: "k", not: true},
		{name: "fixed", format: "OK", value: "x", key: "k", want: "OK"},
		{name: "around", format: "smtp:[%s]", value: "mx", key: "k", want: "smtp:[mx]"},
		{name: "parts of the value", format: "%d:%u", value: "bob@b.example", key: "k", want: "b.example:bob"},
		{name: "user of a value without domain", format: "%u", value: "bob", key: "k", want: "bob"},
		{name: "domain of a value without one", format: "%d", value: "bob", key: "k", not: true},
		{name: "domain of a value that ends so", format: "%d", value: "bob@", key: "k", not: true},
		{name: "user of a value without one", format: "%u", value: "@b.example", key: "k", not: true},
		{name: "of the key", format: "%S %U %D %1 %s", value: "v", key: "al@a.example", want: "al@a.example al a.example example v"},
		{name: "nothing is quoted", format: "%s", value: `*()\`, key: "k", want: `*()\`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var s Set
			r, err := s.Result(test.format)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := r.Append([]byte("first"), test.value, test.key)
			want := "first," + test.want
			if test.not {
				want = "first"
			}
			if ok == test.not || string(got) != want {
				t.Errorf("%q, %v; want %q", got, ok, want)
			}
			if got, _ = r.Append(nil, test.value, test.key); string(got) != test.want {
				t.Errorf("alone %q; want %q", got, test.want)
			}
		})
	}
}

func TestUnknown(t *testing.T) {
	for _, text := range []string{"%x", "a%", "%0", "% s", "%%%"} {
		var s Set
		if _, err := s.Query(text); err == nil {
			t.Errorf("query %q is taken", text)
		}
		if _, err := s.Result(text); err == nil {
			t.Errorf("result %q is taken", text)
		}
	}
}

func TestFixed(t *testing.T) {
	for text, want := range map[string]bool{"": true, "dc=a%%": true, "dc=%d": false, "%1": false} {
		var s Set
		if q, err := s.Query(text); err != nil || q.Fixed() != want {
			t.Errorf("%q: fixed is %v, %v", text, q.Fixed(), err)
		}
	}
}
