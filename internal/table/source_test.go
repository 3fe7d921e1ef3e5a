package table

import (
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		kind, line, key, value string
		block                  bool
		wrong                  string
	}{
		{kind: "texthash", line: "a@b.example  REJECT no", key: "a@b.example", value: "REJECT no"},
		{kind: "hash", line: `"a b"@c.example x`, key: `"a b"@c.example`, value: "x"},
		{kind: "texthash", line: "alone", key: "alone"},
		{kind: "texthash", line: `"open x`, wrong: "unbalanced"},
		{kind: "texthash", line: "if x", key: "if", value: "x"},
		{kind: "cidr", line: "192.0.2.0/24 OK yes", key: "192.0.2.0/24", value: "OK yes"},
		{kind: "cidr", line: "! 192.0.2.0/24\tOK", key: "! 192.0.2.0/24", value: "OK"},
		{kind: "cidr", line: "192.0.2.1/24 OK", key: "192.0.2.1/24", value: "OK", wrong: "bits after its prefix"},
		{kind: "cidr", line: "if 192.0.2.0/24", key: "if 192.0.2.0/24", block: true},
		{kind: "cidr", line: "192.0.2.0/24", key: "192.0.2.0/24"},
		{kind: "pcre", line: `/a\/b c/i  REJECT $1`, key: `/a\/b c/i`, value: "REJECT $1"},
		{kind: "regexp", line: "!/a/ OK", key: "!/a/", value: "OK"},
		{kind: "regexp", line: `/\d/ OK`, key: `/\d/`, value: "OK", wrong: "POSIX"},
		{kind: "pcre", line: "/(?!x)/ OK", key: "/(?!x)/", value: "OK", wrong: "RE2"},
		{kind: "pcre", line: "EndIf", key: "EndIf", block: true},
		{kind: "pcre", line: "/open", wrong: "no closing"},
	} {
		p := Split(c.kind, c.line)
		if p.Key != c.key || p.Value != c.value || p.Block != c.block {
			t.Errorf("%s: %q: %+v", c.kind, c.line, p)
		}
		if (p.Err != nil) != (c.wrong != "") || p.Err != nil && !strings.Contains(p.Err.Error(), c.wrong) {
			t.Errorf("%s: %q: error %v, want %q", c.kind, c.line, p.Err, c.wrong)
		}
	}
}

func TestCheckLine(t *testing.T) {
	senders := ListOptions{Use: Use{Asked: Addresses, Values: Actions}, Subdomains: true}
	clients := ListOptions{Use: Use{Asked: Clients, Values: Actions}, Subdomains: true}
	for _, c := range []struct {
		kind, line string
		options    ListOptions
		wrong      string
	}{
		{"texthash", "b.example REJECT no # why", senders, ""},
		{"texthash", "@b.example REJECT", senders, `write "b.example"`},
		{"texthash", "b.example REFUSE", senders, "unknown action"},
		{"texthash", "b.example HOLD", senders, "Postfix's own"},
		{"texthash", "b.example", senders, "no value"},
		{"cidr", "192.0.2.0/24 REJECT", clients, ""},
		{"cidr", "192.0.2.0/24 REJECT", senders, "can never match"},
		{"pcre", "/(a)/ REJECT $1", senders, ""},
		{"pcre", "/(a)/ $1", senders, "first word"},
		{"pcre", "/(?<x)/ REJECT", senders, "RE2"},
		{"regexp", "/A/i REJECT", senders, "lower case"},
		{"pcre", "if /a/\nendif", ListOptions{}, ""},
		{"pcre", "if /a/", ListOptions{}, "without endif"},
		{"unionmap", "x", ListOptions{}, "no value"},
	} {
		err := CheckLine(c.kind, c.line, c.options)
		if (err != nil) != (c.wrong != "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %q: %v, want %q", c.kind, c.line, err, c.wrong)
		}
	}
}

func TestText(t *testing.T) {
	table, err := Text("pcre", "\n/^a/ one\n")
	if err != nil {
		t.Fatal(err)
	}
	if m, err := table.Lookup(t.Context(), "abc"); err != nil || m.Value != "one" || m.Line != 2 {
		t.Errorf("%+v, %v", m, err)
	}
	for _, kind := range []string{"inline", "static", "mysql", ""} {
		if _, err := Text(kind, "a b\n"); err == nil {
			t.Errorf("%q stands in a text file", kind)
		}
	}
	if _, err := Text("cidr", "x y\n"); err == nil {
		t.Error("x is no net")
	}
}
