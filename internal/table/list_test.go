package table

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/internal/address"
)

// write makes a table file of the lines and returns its path.
func write(t testing.TB, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "table")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func openList(t testing.TB, o ListOptions, specs ...string) *List {
	t.Helper()
	list, err := NewLoader(nil).List(o, specs...)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Each key of the sequence is asked before the next: with all of them in the table, and the more
// specific ones taken away one by one, the answers follow in order.
func TestAddressSequence(t *testing.T) {
	for _, tc := range []struct {
		name, address string
		options       ListOptions
		want          []string
	}{
		{
			"block list", "User+Ext@A.B.Example",
			ListOptions{Use: Use{Values: Any}, Subdomains: true, Delimiters: "+"},
			[]string{"user+ext@a.b.example", "user@a.b.example", "a.b.example", ".b.example", "b.example", ".example", "example", "user+ext@", "user@"},
		},
		{
			"local domains", "user+ext@a.b.example",
			ListOptions{Use: Use{Values: Any}, Delimiters: "+"},
			[]string{"user+ext@a.b.example", "user@a.b.example", "a.b.example", ".b.example", ".example", "user+ext@", "user@"},
		},
		{
			"no delimiter", "user+ext@b.example",
			ListOptions{Use: Use{Values: Any}},
			[]string{"user+ext@b.example", "b.example", ".example", "user+ext@"},
		},
		{
			"IDN", "user@x.bücher.example",
			ListOptions{Use: Use{Values: Any}, Subdomains: true},
			[]string{"user@x.xn--bcher-kva.example", "user@x.bücher.example", "x.xn--bcher-kva.example", "x.bücher.example", ".xn--bcher-kva.example", ".bücher.example", "xn--bcher-kva.example", "bücher.example", ".example", "example", "user@"},
		},
		{
			"quoted", `"a b"@c.example`,
			ListOptions{Use: Use{Values: Any}},
			[]string{`"a b"@c.example`, "c.example", ".example", `"a b"@`},
		},
		{"literal", "user@[192.0.2.1]", ListOptions{Use: Use{Values: Any}, Subdomains: true}, []string{"user@[192.0.2.1]", "[192.0.2.1]", "user@"}},
		{"no domain", "postmaster", ListOptions{Use: Use{Values: Any}}, []string{"postmaster@"}},
		{"null sender", "<>", ListOptions{Use: Use{Values: Any}}, []string{"<>"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noise := []string{".a.b.example x", "x@ x", "other.example x", ".2.1] x", "postmaster x", "@ x"}
			for i, want := range tc.want {
				lines := append([]string{}, noise...)
				for _, key := range tc.want[i:] {
					lines = append(lines, key+" found")
				}
				m, err := openList(t, tc.options, write(t, lines...)).Address(t.Context(), address.Parse(tc.address))
				if err != nil || m.Key != want {
					t.Errorf("with %d keys taken away: %q (%v), want %q", i, m.Key, err, want)
				}
			}
			if m, err := openList(t, tc.options, write(t, noise...)).Address(t.Context(), address.Parse(tc.address)); err != nil || m.Found() {
				t.Errorf("no key is left, and %q answers", m.Key)
			}
		})
	}
}

func TestPatternsSeeWholeKeysOnly(t *testing.T) {
	file := write(t, `/^user@a\.example$/ whole`, `/^a\.example$/ domain`, `/^192\.0\.2\.1$/ address`, `/^192\.0\.2$/ net`, `/^<>$/ null`)
	list := openList(t, ListOptions{Use: Use{Values: Any}, Subdomains: true, Delimiters: "+"}, "regexp:"+file)
	for in, want := range map[string]string{"user@a.example": "whole", "other@a.example": "", "user+x@a.example": ""} {
		if m, err := list.Address(t.Context(), address.Parse(in)); err != nil || m.Value != want {
			t.Errorf("%s: %q, want %q", in, m.Value, want)
		}
	}
	if m, err := list.Address(t.Context(), address.Address{}); err != nil || m.Value != "null" {
		t.Errorf("null sender: %q", m.Value)
	}
	if m, err := list.Client(t.Context(), netip.MustParseAddr("192.0.2.1")); err != nil || m.Value != "address" {
		t.Errorf("client: %q", m.Value)
	}
	if m, err := list.Client(t.Context(), netip.MustParseAddr("192.0.2.9")); err != nil || m.Found() {
		t.Errorf("client by net: %q", m.Value)
	}
}

func TestDomain(t *testing.T) {
	file := write(t, "a.example x", ".b.example y")
	for _, tc := range []struct {
		name       string
		subdomains bool
		want       string
	}{
		{"a.example", false, "x"},
		{"A.Example.", false, "x"},
		{"s.a.example", false, ""},
		{"s.a.example", true, "x"},
		{"b.example", true, ""},
		{"t.s.b.example", false, "y"},
		{"", true, ""},
	} {
		m, err := openList(t, ListOptions{Use: Use{Values: Any}, Subdomains: tc.subdomains}, file).Domain(t.Context(), tc.name)
		if err != nil || m.Value != tc.want {
			t.Errorf("%q, subdomains %v: %q, want %q", tc.name, tc.subdomains, m.Value, tc.want)
		}
	}
}

func TestClient(t *testing.T) {
	texthash := write(t, "192.0.2.1 v4", "192.0.2 net24", "10 net8", "2001:db8:1 net48", "mail.example name", ".dyn.example dynamic")
	cidr := write(t, "203.0.113.0/24 cidr", "2001:db8:2::/48 cidr6")
	list := openList(t, ListOptions{Use: Use{Values: Any}, Subdomains: true}, "hash:"+texthash, "cidr:"+cidr)
	for _, tc := range []struct{ ip, name, want string }{
		{"192.0.2.1", "", "v4"},
		{"192.0.2.2", "", "net24"},
		{"::ffff:192.0.2.1", "", "v4"},
		{"10.1.2.3", "", "net8"},
		{"101.1.2.3", "", ""},
		{"2001:db8:1:2:3:4:5:6", "", "net48"},
		{"2001:db8:1::5", "", "net48"},
		{"203.0.113.7", "", "cidr"},
		{"2001:db8:2::5", "", "cidr6"},
		{"198.51.100.1", "mail.example", "name"},
		{"198.51.100.1", "sub.mail.example", "name"},
		{"198.51.100.1", "1.dyn.example", "dynamic"},
		{"192.0.2.1", "mail.example", "name"},
		{"198.51.100.1", "", ""},
	} {
		var names []string
		if tc.name != "" {
			names = []string{tc.name}
		}
		if m, err := list.Client(t.Context(), netip.MustParseAddr(tc.ip), names...); err != nil || m.Value != tc.want {
			t.Errorf("%s %s: %q, want %q", tc.ip, tc.name, m.Value, tc.want)
		}
	}
	if m, err := list.Client(t.Context(), netip.Addr{}); err != nil || m.Found() {
		t.Error("an unknown client is in a list of addresses")
	}
}

func TestSeveralTables(t *testing.T) {
	first := write(t, "a.example DUNNO", "b.example REJECT 5.7.9 first")
	list := openList(t, ListOptions{Use: Use{Values: Actions}, Subdomains: true}, first, "inline:{a.example=REJECT, {c.example = 450 4.1.8 later}}", "static:OK")
	for in, want := range map[string]string{
		"u@a.example": "DUNNO   ", "u@b.example": "REJECT  5.7.9 first", "u@c.example": "DEFER 450 4.1.8 later", "u@d.example": "OK   ",
	} {
		m, err := list.Address(t.Context(), address.Parse(in))
		code := ""
		if m.Action.Code != 0 {
			code = fmt.Sprint(m.Action.Code)
		}
		if got := fmt.Sprintf("%v %s %s %s", m.Action.Verb, code, m.Action.Enhanced, m.Action.Text); err != nil || got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	m, err := list.Address(t.Context(), address.Parse("u@b.example"))
	if err != nil || m.File != first || m.Line != 2 || m.Table != first || m.Key != "b.example" {
		t.Errorf("the entry is said to be %+v", m)
	}
	if m, err := list.Key(t.Context(), "B.example"); err != nil || !m.Found() || m.Line != 2 {
		t.Errorf("Key: %+v, %v", m, err)
	}
	var none *List
	if m, err := none.Address(t.Context(), address.Parse("a@b")); err != nil || m.Found() || none.Tables() != nil {
		t.Error("the nil list answers")
	}
}

// What a client sends can fill in text, and nothing else.
func TestRemoteTextIsOnlyText(t *testing.T) {
	file := write(t, `/^(.*)@a$/ REJECT $1`, `/^(.*)@b$/ 550 $1`, `/^(.*)@c$/ 550 5.7.1 $1`, `/^(.*)@d$/ 550 5.7.$1 x`)
	list := openList(t, ListOptions{Use: Use{Values: Actions}}, "pcre:"+file)
	for in, want := range map[string]Action{
		`"4.0.0 x"@a`: {Verb: Reject, Text: "4.0.0 x"},
		`"5.0.0 x"@b`: {Verb: Reject, Code: 550, Text: "5.0.0 x"},
		`5@c`:         {Verb: Reject, Code: 550, Enhanced: "5.7.1", Text: "5"},
		`7@d`:         {Verb: Reject, Code: 550, Text: "5.7.7 x"},
	} {
		if m, err := list.Address(t.Context(), address.Parse(in)); err != nil || m.Action != want {
			t.Errorf("%s: %+v, want %+v", in, m.Action, want)
		}
	}
}

func TestListDoesNotAllocate(t *testing.T) {
	list := openList(t, ListOptions{Use: Use{Values: Actions}, Subdomains: true, Delimiters: "+"},
		write(t, "user@a.example REJECT", ".b.example OK", "c.example OK", "user@ DUNNO", "192.0.2 OK"), "cidr:"+write(t, "10.0.0.0/8 OK"))
	hit, miss := address.Parse("user+ext@a.example"), address.Parse("other+ext@mail.sub.example")
	ip, ctx := netip.MustParseAddr("192.0.2.1"), t.Context()
	for name, f := range map[string]func() bool{
		"hit":    func() bool { m, err := list.Address(ctx, hit); return err == nil && m.Found() },
		"miss":   func() bool { m, err := list.Address(ctx, miss); return err == nil && !m.Found() },
		"client": func() bool { m, err := list.Client(ctx, ip); return err == nil && m.Found() },
		"key":    func() bool { m, err := list.Key(ctx, "c.example"); return err == nil && m.Found() },
	} {
		if !f() {
			t.Errorf("%s: wrong answer", name)
		}
		if n := testing.AllocsPerRun(100, func() { f() }); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func TestListEmpty(t *testing.T) {
	for spec, want := range map[string]bool{
		"texthash:" + write(t, "# nothing"):   true,
		"texthash:" + write(t, "a.example x"): false,
		"list:" + write(t, ""):                true,
		"cidr:" + write(t, "192.0.2.0/24 OK"): false,
		"regexp:" + write(t, "# nothing"):     true,
		"pcre:" + write(t, "/^a/ OK"):         false,
		"static:OK":                           false,
		"inline:{a.example=x}":                false,
	} {
		if got := openList(t, ListOptions{Use: Use{Values: Any, Bare: "OK"}}, spec).Empty(); got != want {
			t.Errorf("%s: empty %t, want %t", spec, got, want)
		}
	}
	if !(*List)(nil).Empty() {
		t.Error("a list without tables is not empty")
	}
}
