package importing

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailweir/internal/mta/postfix"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	name = "testdata/" + name
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s is another one (go test -update writes it):\n%s", name, d)
	}
}

// report is what a run says, before and after it has written.
func report(t *testing.T, h *host, all bool, read ...Read) string {
	t.Helper()
	p := h.plan(read...)
	r := p.Report(oldPostfix())
	var out strings.Builder
	err := r.Write(&out, all)
	if err == nil {
		err = p.Apply(time.Date(2026, 11, 29, 9, 0, 0, 0, time.Local))
	}
	if err == nil {
		err = r.WriteDone(&out)
	}
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(out.String(), h.Dir, "/etc/mailweir/imported")
	return strings.ReplaceAll(text, h.Fragment, "/etc/mailweir/conf.d/40-import.conf")
}

func oldPostfix() *postfix.Postfix {
	return &postfix.Postfix{
		Config: "/etc/postfix",
		Set: map[string]string{
			"smtpd_client_restrictions": "permit_mynetworks, check_client_access hash:/old/clients,\n reject_rbl_client zen.example", "header_checks": "pcre:/old/header",
		},
		Services: []*postfix.Service{{Name: "587", Type: "inet", Overrides: map[string]string{"smtpd_client_restrictions": "reject_rbl_client zen.example, permit_sasl_authenticated reject"}}},
	}
}

func TestReport(t *testing.T) {
	h := newHost(t)
	first := source("a", "file a-list=x\nz", "secret a-key=k", "flag list=texthash:"+h.Dir+"/a-list", "carried one", "carried two", "carried three", "carried four", "changed five",
		"left six \x1b[31m", "carried seven", "note there is more to say")
	first.Result.Doubles = []Double{
		{Parameter: "smtpd_client_restrictions", Words: []string{"check_client_access", "hash:/old/clients"}},
		{Service: "587/inet", Parameter: "smtpd_client_restrictions", Words: []string{"reject_rbl_client", "zen.example"}},
		{Parameter: "header_checks"},
		{Parameter: "not_set"},
	}
	golden(t, "first.txt", report(t, h, false, first, source("b", "flag other=B")))
	h.edit(h.Fragment, h.text(h.Fragment)+"max = 3\n")
	next := source("a", "file a-list=x\ny\nz", "secret a-key=k2", "flag list=texthash:"+h.Dir+"/a-list", "flag list=texthash:/new", "carried one", "carried two", "left three", "changed five", "carried seven", "carried eight")
	golden(t, "second.txt", report(t, h, false, next, source("b", "flag other=B")))
	golden(t, "nothing.txt", report(t, h, false, next, source("b", "flag other=B")))
	golden(t, "all.txt", report(t, h, true, next, source("b", "flag other=B")))
}

func TestJSON(t *testing.T) {
	h := newHost(t)
	var out bytes.Buffer
	if err := h.plan(source("a", "carried <x>", "flag list=X"), source("b")).Report(nil).JSON(&out); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"items":  []any{map[string]any{"fate": "carried", "file": "/old/a", "line": 1.0, "text": "<x>", "reason": "as before", "source": "a", "new": true}},
		"totals": map[string]any{"carried": 1.0, "changed": 0.0, "left": 0.0},
		"files":  []any{map[string]any{"path": h.Fragment, "what": "new", "lines": 8.0}},
		"checks": []any{"watch"}, "notes": []any{}, "doubles": []any{}, "written": false,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Lines that have the same said of them are one, but for a few; each line is in one of them.
func TestFolded(t *testing.T) {
	var items []Item
	for i := range 12 {
		items = append(items, Item{Carried, Place{"/f", i + 1}, fmt.Sprint(i), "as before"})
	}
	items[7].Reason = "otherwise"
	items[8].File = "/g"
	var sizes []int
	for rest := items; len(rest) > 0; {
		n := alike(rest)
		sizes = append(sizes, n)
		rest = rest[n:]
	}
	if want := []int{7, 1, 1, 1, 1, 1}; !slices.Equal(sizes, want) {
		t.Errorf("%v, want %v", sizes, want)
	}
}

func TestCommands(t *testing.T) {
	words := func(text string) []string { return strings.Fields(text) }
	for _, c := range []struct {
		name, value string
		service     bool
		remove      [][]string
		want        string
	}{
		{"at the end", "permit_mynetworks, reject_rbl_client a.b", false, [][]string{words("reject_rbl_client a.b")}, "postconf -e 'p = permit_mynetworks'"},
		{"in the middle, with what warns", "x, warn_if_reject reject_rbl_client a.b, y", false, [][]string{words("reject_rbl_client a.b")}, "postconf -e 'p = x, y'"},
		{"the same list under another restriction", "reject_rhsbl_helo a.b reject_rhsbl_sender a.b", false, [][]string{words("reject_rhsbl_sender a.b")}, "postconf -e 'p = reject_rhsbl_helo a.b'"},
		{"in braces", "x { reject_rbl_client a.b } y", false, [][]string{words("reject_rbl_client a.b")}, "postconf -e 'p = x y'"},
		{"all of it", "reject_rbl_client a.b", false, [][]string{words("reject_rbl_client a.b")}, "postconf -e 'p ='"},
		{"the whole", "pcre:/x", false, [][]string{nil}, "postconf -e 'p ='"},
		{"what is not there", "$other", false, [][]string{words("reject_rbl_client a.b")}, ""},
		{"a quote", "it's, x", false, [][]string{words("x")}, `postconf -e 'p = it'\''s'`},
		{"of a service", "x, reject_rbl_client a.b, y z", true, [][]string{words("reject_rbl_client a.b")}, "postconf -P s/inet/p=x,y,z"},
		{
			"a password", "mysql:{ {password = p} }, x, y", false,
			[][]string{words("x"), words("y")},
			"# in main.cf, take x, y out of p: what stays there has a password or key in it, and is not shown",
		},
		{"a password that goes", "mysql:{ {password = p} }, x", false, [][]string{{"mysql:{ {password = p} }"}}, "postconf -e 'p = x'"},
		{
			"a key", "reject_rbl_client s3cretkey.a.b, x s3cretkey.y", true,
			[][]string{words("x s3cretkey.y")},
			"# in master.cf, take x ….y out of -o p of s/inet: what stays there has a password or key in it, and is not shown",
		},
		{"of a service, with braces", "{ a b }, y", true, [][]string{words("y")}, "# in master.cf, set -o { p = { a b } } of s/inet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &postfix.Postfix{Config: "/etc/postfix", Set: map[string]string{"p": c.value}}
			d := Double{Parameter: "p"}
			if c.service {
				d.Service = "s/inet"
				p.Services = []*postfix.Service{{Name: "s", Type: "inet", Overrides: p.Set}}
			}
			var doubles []Double
			for _, w := range c.remove {
				d.Words = w
				doubles = append(doubles, d)
			}
			got := ""
			for _, command := range commands(p, doubles, &masks{secrets: []*regexp.Regexp{regexp.MustCompile("s3cretkey")}}) {
				got += command.String()
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// What is taken out of a list leaves all other words, in their order.
func FuzzWithout(f *testing.F) {
	f.Add("a, b c {d e} f", 1, 2)
	f.Add("warn_if_reject a b", 1, 1)
	f.Fuzz(func(t *testing.T, value string, from, n int) {
		all := postfix.SplitList(value)
		if from < 0 || n < 1 || from > len(all) || n > len(all)-from {
			return
		}
		words := all[from : from+n]
		rest, found := without(value, words)
		if !found {
			t.Fatalf("%q has no %q", value, words)
		}
		left := postfix.SplitList(rest)
		if len(left) > len(all)-1 {
			t.Errorf("%q without %q is %q", value, words, rest)
		}
		i := 0
		for _, w := range left {
			for i < len(all) && all[i] != w {
				i++
			}
			if i++; i > len(all) {
				t.Errorf("%q without %q is %q", value, words, rest)
			}
		}
	})
}
