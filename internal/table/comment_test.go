package table

import (
	"strings"
	"testing"

	"mailweir/internal/address"
)

func TestWithoutComment(t *testing.T) {
	for value, want := range map[string]string{
		"REJECT":                           "REJECT",
		"REJECT  # why":                    "REJECT",
		"REJECT\t#why":                     "REJECT",
		"REJECT #12: bob":                  "REJECT",
		"550 5.7.1 #12":                    "550 5.7.1",
		"554 #12":                          "554",
		"REJECT see ticket #12":            "REJECT see ticket #12",
		"REJECT see ticket #12 # bob":      "REJECT see ticket #12",
		"REJECT see #12, #13 and #x":       "REJECT see #12, #13 and",
		"REJECT C# is no # comment":        "REJECT C# is no",
		"REJECT a#b":                       "REJECT a#b",
		"554 5.7.1 Go away # for good":     "554 5.7.1 Go away",
		"554 5.7.1 Go away #":              "554 5.7.1 Go away",
		"bob, alice # owners":              "bob, alice",
		"10MiB # as agreed # with bob":     "10MiB",
		"# only a comment":                 "",
		"#12":                              "",
		"DUNNO #1":                         "DUNNO",
		"outbound stolen password, #4711":  "outbound stolen password, #4711",
		"block a@b.example # until friday": "block a@b.example",
	} {
		if got := withoutComment(value); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

// TestCommentsBehindValues: in each type of file. What postmap would say stays what Lookup says.
func TestCommentsBehindValues(t *testing.T) {
	o := ListOptions{Use: Use{Asked: Addresses | Clients, Values: Actions, Bare: "REJECT"}, Subdomains: true}
	for spec, raw := range map[string]string{
		"texthash:" + write(t, "b.example REJECT no  # why"):            "REJECT no  # why",
		"hash:" + write(t, "b.example REJECT no #why"):                  "REJECT no #why",
		"list:" + write(t, "b.example # why"):                           "b.example",
		"regexp:" + write(t, "/b\\.example/ REJECT no # why"):           "REJECT no # why",
		"pcre:" + write(t, "/^.*@(b)\\.example$/ REJECT no$$ # not $1"): "REJECT no$ # not b",
		"inline:{ {b.example=REJECT no # why} }":                        "REJECT no # why",
	} {
		l := NewLoader(nil)
		list, err := l.List(o, spec)
		if err != nil {
			t.Fatal(err)
		}
		m, err := list.Address(t.Context(), address.Parse("a@b.example"))
		want := map[string]string{"inline": "no # why", "list": "", "pcre": "no$"}[spec[:strings.IndexByte(spec, ':')]]
		if want == "" && !strings.HasPrefix(spec, "list:") {
			want = "no"
		}
		if err != nil || m.Action.Verb != Reject || m.Action.Text != want {
			t.Errorf("%s: %+v, %v, want the text %q", spec, m.Action, err, want)
		}
		table, err := l.Open(spec)
		if err != nil {
			t.Fatal(err)
		}
		key := "b.example"
		if strings.HasPrefix(spec, "pcre:") || strings.HasPrefix(spec, "regexp:") {
			key = "a@b.example"
		}
		if m, err := table.Lookup(t.Context(), key); err != nil || m.Value != raw {
			t.Errorf("%s: postmap would say %q, not %q", spec, raw, m.Value)
		}
	}
	nets := ListOptions{Use: Use{Asked: Clients, Values: Actions}}
	cidr := openList(t, nets, "cidr:"+write(t, "192.0.2.0/24 OK # ours", "0.0.0.0/0 DUNNO #1"))
	if _, err := cidr.Key(t.Context(), "192.0.2.1"); err != nil {
		t.Error(err)
	}
	for _, line := range []string{"b.example # why", "b.example #12"} {
		file := write(t, line)
		for _, values := range []Values{Any, Actions} {
			if _, err := NewLoader(nil).List(ListOptions{Use: Use{Values: values}}, file); err == nil || !strings.HasPrefix(err.Error(), file+":1: the key has no value") {
				t.Errorf("%q: %v", line, err)
			}
		}
	}
}

// A sender's own # in what is filled in is no comment.
func TestCommentsAreTheAdministrators(t *testing.T) {
	file := write(t, `/^(.*)@a\.example$/ REJECT not $1 # never $1`, `/^(.*)@b\.example$/ REJECT $1`)
	list := openList(t, ListOptions{Use: Use{Values: Actions}}, "pcre:"+file)
	for in, want := range map[string]string{
		`"x # y"@a.example`: "not x # y", `"x # y"@b.example`: "x # y", `"# y"@b.example`: "# y", `"#1"@a.example`: "not #1", `"# "@a.example`: "not # ",
	} {
		m, err := list.Address(t.Context(), address.Parse(in))
		if err != nil || m.Action.Verb != Reject || m.Action.Text != strings.TrimRight(want, "") {
			t.Errorf("%s: %+v, %v, want %q", in, m.Action, err, want)
		}
	}
}

func FuzzWithoutComment(f *testing.F) {
	for _, seed := range []string{"REJECT # x", "554 5.7.1 see #12 # y", "#", " #1", "OK #1", "a#b #", "\t#"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		said := withoutComment(value)
		if !strings.HasPrefix(value, said) || withoutComment(said) != said {
			t.Fatalf("%q: %q, then %q", value, said, withoutComment(said))
		}
		if rest := strings.TrimLeft(value[len(said):], whiteSpace); rest != "" && rest[0] != '#' && said != value {
			t.Fatalf("%q: %q is taken off", value, rest)
		}
	})
}
