package headerchecks

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailweir/internal/importing"
	"mailweir/internal/mta/postfix"
)

var update = flag.Bool("update", false, "write the golden files again")

// company is the configuration of testdata/company as postconf prints it.
func company(t testing.TB, dir string) *importing.Input {
	t.Helper()
	const both = "pcre:/etc/postfix/header_checks regexp:/etc/postfix/header_checks.new"
	in := inputOf(filepath.Join(dir, "etc/postfix"), map[string]string{
		"header_checks": both, "mime_header_checks": "pcre:/etc/postfix/mime_header_checks", "nested_header_checks": both,
		"body_checks": "regexp:/etc/postfix/body_checks", "smtp_header_checks": "regexp:/etc/postfix/smtp_header_checks",
		"cleanup_service_name": "cleanup",
	})
	in.Root = dir
	in.Postfix.Services = services(t, `smtp inet n - y - - smtpd
submission inet n - y - - smtpd -o smtpd_sasl_auth_enable=yes -o cleanup_service_name=subcleanup
cleanup unix n - y - 0 cleanup
subcleanup unix n - y - 0 cleanup -o header_checks=pcre:/etc/postfix/submission_header_checks
`)
	return in
}

// services are those of master.cf with what -o sets.
func services(t testing.TB, printed string) []*postfix.Service {
	t.Helper()
	all, err := postfix.ParseServices(printed)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		s.Overrides = map[string]string{}
		for _, word := range s.Args {
			if name, value, found := strings.Cut(word, "="); found {
				s.Overrides[name] = value
			}
		}
	}
	return all
}

// inputOf is a Postfix with these parameters alone.
func inputOf(dir string, main map[string]string) *importing.Input {
	return &importing.Input{Postfix: &postfix.Postfix{Config: dir, Parameters: main, Set: main}, Dir: "/etc/mailweir/imported"}
}

// printed is all of a result.
func printed(r *importing.Result) string {
	var b strings.Builder
	for _, i := range r.Items {
		fmt.Fprintf(&b, "%s %s %s: %s\n", i.Fate, i.Place, i.Text, i.Reason)
	}
	for _, f := range r.Files {
		fmt.Fprintf(&b, "\n== %s\n%s", f.Name, f.Text)
	}
	b.WriteString("\n== 40-import.conf\n")
	for _, f := range r.Flags {
		off := ""
		if f.Off != "" {
			off = "# " + f.Off + ": "
		}
		fmt.Fprintf(&b, "%s%s = %s\n", off, f.Name, f.Value)
	}
	for _, d := range r.Doubles {
		fmt.Fprintf(&b, "double %s %v\n", d.Parameter, d.Words)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note %s\n", n)
	}
	return b.String()
}

// TestCompany reads what a company has written in ten years, and accounts for each line of it.
func TestCompany(t *testing.T) {
	result, err := read(t.Context(), company(t, "testdata/company"))
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/company.golden"
	got := printed(result)
	if *update {
		write(t, golden, got)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got, go test -update writes it:\n%s", diff)
	}
	for _, file := range []string{"header_checks", "header_checks.new", "mime_header_checks", "body_checks", "smtp_header_checks", "submission_header_checks"} {
		text, err := os.ReadFile("testdata/company/etc/postfix/" + file)
		if err != nil {
			t.Fatal(err)
		}
		accounted(t, result, "/etc/postfix/"+file, string(text))
	}
}

// accounted wants one item for each line of a file that is neither empty nor a comment.
func accounted(t testing.TB, result *importing.Result, file, text string) {
	t.Helper()
	n := map[int]int{}
	for _, i := range result.Items {
		if i.File == file {
			n[i.Line]++
		}
		if i.Fate == "" || i.Reason == "" {
			t.Errorf("%s: %+v says nothing", i.Place, i)
		}
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		trimmed := strings.TrimLeft(strings.TrimSuffix(line, "\n"), whiteSpace)
		want := 1
		if trimmed == "" || trimmed[0] == '#' {
			want = 0
		}
		if n[number] != want {
			t.Errorf("%s:%d: %d items, want %d: %q", file, number, n[number], want, line)
		}
	}
}

// written reads a table that one parameter names, and returns what becomes of its first rule and
// all lines that were written.
func written(t testing.TB, parameter, kind, text string) (*importing.Result, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "headerchecks") // the name of a test may have a comma
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file := filepath.Join(dir, "checks")
	write(t, file, text)
	main := map[string]string{parameter: kind + ":" + file}
	if parameter == "header_checks" {
		main["mime_header_checks"], main["nested_header_checks"] = main[parameter], main[parameter]
	}
	result, err := read(t.Context(), inputOf(filepath.Dir(file), main))
	if err != nil {
		t.Fatal(err)
	}
	accounted(t, result, file, text)
	var lines []string
	for _, f := range result.Files {
		for line := range strings.Lines(f.Text) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' && line[0] != '!' {
				lines = append(lines, strings.TrimPrefix(f.Name, Name+"-")+": "+line)
			}
		}
	}
	return result, strings.Join(lines, "\n")
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name, parameter, kind, text string
		fate                        importing.Fate // of the last rule
		want, reason                string
	}{
		// Header From: addresses and domains.
		{"address", "", "", `/^From:.*<spam@bad\.example>/ REJECT`, "carried", "from: spam@bad.example\tREJECT", ""},
		{"address and text", "", "", `/^From:.*<spam@bad\.example>/ REJECT go away`, "carried", "from: spam@bad.example\tREJECT go away", ""},
		{"address with an enhanced code", "", "", `/^From:.*<spam@bad\.example>/ REJECT 5.7.9 go away`, "carried", "from: spam@bad.example\tREJECT 5.7.9 go away", ""},
		{"text with a code of another class", "", "", `/^From:.*<spam@bad\.example>/ REJECT 4.7.9 go away`, "changed", "from: spam@bad.example\tREJECT", "the check's words"},
		{"text with a group", "", "", `/^From:.*<(spam)@bad\.example>/ REJECT no $1`, "changed", "from: spam@bad.example\tREJECT", "the check's words"},
		{"text with a comment", "", "", `/^From:.*<spam@bad\.example>/ REJECT no # since May`, "changed", "from: spam@bad.example\tREJECT no", ""},
		{"address anywhere", "", "", `/^From:.*spam@bad\.example/ REJECT`, "changed", "from: spam@bad.example\tREJECT", "only begins or ends like it"},
		{"address bare", "", "", `/^From:\s*<?spam@bad\.example>?$/ REJECT`, "carried", "from: spam@bad.example\tREJECT", ""},
		{"domain", "", "", `/^From:.*@bad\.example>?$/ REJECT`, "carried", "from: bad.example\tREJECT\nfrom: .bad.example\tDUNNO", ""},
		{"domain and sub-domains", "", "", `/^From:.*[@.]bad\.example>/ REJECT`, "carried", "from: bad.example\tREJECT", ""},
		{"domain and sub-domains in a group", "", "", `/^From:.*(@|\.)bad\.example>/ REJECT`, "carried", "from: bad.example\tREJECT", ""},
		{"sub-domains", "", "", `/^From:.*\.bad\.example>/ REJECT`, "carried", "from: .bad.example\tREJECT", ""},
		{"top-level domain", "", "", `/^From:.*\.top>?$/ REJECT`, "carried", "from: .top\tREJECT", ""},
		{"top-level domain anywhere", "", "", `/^From:.*\.ru/ REJECT`, "changed", "from: .ru\tREJECT", ""},
		{"domain without a sign", "", "", `/^From:.*bad-shop\.com/ REJECT`, "changed", "from: bad-shop.com\tREJECT", ""},
		{"name with a dot", "", "", `/^From:.*john\.doe/ REJECT`, "carried", "headers.def: 1\tregex ^from:.*john\\.doe", ""},
		{"several domains", "", "", `/^From:.*@(a|b)\.example>/ REJECT`, "carried", "from: a.example\tREJECT\nfrom: .a.example\tDUNNO\nfrom: b.example\tREJECT\nfrom: .b.example\tDUNNO", ""},
		{"local part", "", "", `/^From:.*<news@/ REJECT`, "carried", "from: news@\tREJECT", ""},
		{"pattern", "", "", `/^From:.*@[a-z]{12}\.info>/ REJECT x$$`, "carried", "from.pcre: /@[a-z]{12}\\.info$/\tREJECT x$$", ""},
		{"domain, then its sub-domains", "", "", "/^From:.*@bad\\.example>/ REJECT a\n/^From:.*\\.bad\\.example>/ REJECT b", "carried", "from: bad.example\tREJECT a\nfrom: .bad.example\tREJECT b", ""},
		{"domain below one that is refused", "", "", "/^From:.*\\.top>/ REJECT\n/^From:.*@bad\\.top>/ REJECT b", "carried", "from: .top\tREJECT\nfrom: bad.top\tREJECT b", ""},
		{"exempted", "", "", "/^From:.*good@bad\\.example/ DUNNO\n/^From:.*@bad\\.example>/ REJECT", "carried", "from.pcre: /good@bad\\.example/\tDUNNO\nfrom.pcre: /@bad\\.example$/\tREJECT", ""},
		{"exempted by a name", "", "", "/^From:.*Bob/ DUNNO\n/^From:.*[a-z]+@bad\\.example>/ REJECT", "carried", "headers.def: 0\tregex,exclude ^from:.*bob\nheaders.def: 1\tregex ^from:.*[a-z]+@bad\\.example>", ""},
		{"From not at the beginning", "", "", `/From:.*spam@bad\.example/ REJECT`, "carried", "headers.def: 1\tregex from:.*spam@bad\\.example", ""},
		{"several fields", "", "", `/^(From|Sender):.*spam@bad\.example/ REJECT`, "carried", "headers.def: 1\tregex ^(?:from|sender):.*spam@bad\\.example", ""},

		// Names of people.
		{"look-ahead", "", "", `/^From:.*Jane Doe.*<(?!jane@ours\.example)/ REJECT`, "changed", "names: \"jane doe\"\tjane@ours.example", ""},
		{"look-ahead first", "", "", `/^From:(?!.*@ours\.example).*Jane\s+Doe/ REJECT`, "changed", "names: \"jane doe\"\tours.example", ""},
		{"other order", "", "", `/^From:\s*"?(Jane Doe|Doe, Jane)"?\s*<(?!jane@ours\.example>)/ REJECT`, "changed", "names: \"jane doe\"\tjane@ours.example", ""},
		{"exemption before", "", "", "/^From:.*Jane Doe.*<jane@ours\\.example>/ DUNNO\n/^From:.*Jane Doe/ REJECT", "changed", "names: \"jane doe\"\tjane@ours.example", ""},
		{"first name", "", "", `/^From:.*Jane.*<(?!jane@ours\.example)/ REJECT`, "left", "", "look-ahead"},
		{"look-ahead for something else", "", "", `/^Subject:.*(?!x)y/ REJECT`, "left", "", "look-ahead"},

		// Other fields.
		{"words", "", "", `/^Subject:.*\bcheap pills\b/ REJECT`, "carried", "subject.def: 1\tcheap pills", ""},
		{"kind of an entry", "", "", `/^Subject:.*\bexclude me\b/ REJECT`, "carried", `subject.def: 1	regex \bexclude me\b`, ""},
		{"text", "", "", `/^Subject:.*pills/ REJECT no`, "changed", "subject.def: 1\tregex pills", "the check's words"},
		{"whole", "", "", `/^Subject:\s*hello$/ REJECT`, "carried", "subject.def: 1\tregex ^hello$", ""},
		{"blank before the colon", "", "", `/^Subject *: hello/ REJECT`, "carried", "subject.def: 1\tregex ^hello", ""},
		{"no blank behind the colon", "", "", `/^Subject:hello/ REJECT`, "left", "", "behind the colon"},
		{"word boundary behind the colon", "", "", `/^Subject: \bhello/ REJECT`, "carried", `subject.def: 1	regex ^\bhello`, ""},
		{"one or more", "", "", `/^Subject:.+hello/ REJECT`, "carried", "subject.def: 1\tregex hello", ""},
		{"empty", "", "", `/^Subject: *$/ REJECT`, "carried", "headers.def: 1\tregex ^subject:$", ""},
		{"any field", "", "", `/casino/ REJECT`, "carried", "headers.def: 1\tregex casino", ""},
		{"negated class that is a gap", "", "", `/^X-A: [^<]*<b/ REJECT`, "carried", `headers.def: 1	regex ^x-a: [^<\n]*<b`, ""},
		{"negated class of letters", "", "", `/^X-A:.*[^a-z]{3}b/ REJECT`, "carried", "headers.def: 1\tregex ^x-a:.*[ -@\\[-`{-~]{3}b", ""},
		{"no white space", "", "", `/^X-A: \S+b/ REJECT`, "carried", `headers.def: 1	regex ^x-a: \S+b`, ""},
		{"outside ASCII", "", "", `/^Subject:.*günstig/ REJECT`, "changed", "subject.def: 1\tregex günstig", "in either case"},
		{"letter outside ASCII repeated", "", "", `/^Subject:.*gü+nstig/ REJECT`, "left", "", "octets"},
		{"class outside ASCII", "", "", `/^Subject:.*g[üu]nstig/ REJECT`, "left", "", "octets"},
		{"octets", "", "", `/^Subject:.*[\x80-\xff]{4}/ REJECT`, "left", "", "octets"},
		{"no ASCII", "", "", `/^Subject:.*[^ -~]/ REJECT`, "left", "", "octets"},
		{"tab", "", "", `/^Subject:.*\t/ REJECT`, "left", "", "tab"},
		{"class of a tab", "", "", `/^Subject:.*a[\t_]b/ REJECT`, "left", "", "tab"},
		{"blanks", "", "", `/^Subject:.*a  b/ REJECT`, "left", "", "several blanks"},
		{"many blanks", "", "", `/^Subject:.*\s{6,}b/ REJECT`, "left", "", "several blanks"},
		{"line break", "", "", `/^Subject:.*a\nb/ REJECT`, "left", "", "line break"},
		{"encoded", "", "", `/^Subject:.*=\?big5\?/ REJECT`, "left", "", "encoded word"},
		{"encoded or not", "", "", `/^Subject:.*(=\?big5\?|casino)/ REJECT`, "carried", `subject.def: 1	regex (?:=\?big5\?|casino)`, ""},
		{"flag i", "", "", `/^Subject:.*VIAGRA/i REJECT`, "left", "", "flag i"},
		{"flag i without letters", "", "", `/^X-1: \$\$/i REJECT`, "left", "", "flag i"},
		{"case inside", "", "", `/^Subject:.*(?-i)VIAGRA/ REJECT`, "left", "", "case-sensitive"},
		{"flag x", "", "", `/^Subject: .* pills # no pills/x REJECT`, "carried", "subject.def: 1\tregex pills", ""},
		{"flag x of regexp", "", "regexp", `/^Subject:.*pills/x REJECT`, "left", "", "basic"},
		{"flag m", "", "", `/^Subject:.*pills$/m REJECT`, "left", "", "flag m"},
		{"unknown flag", "", "", `/^Subject:.*pills/q REJECT`, "left", "", "no flag that Postfix knows"},
		{"back-reference", "", "", `/^Subject:.*(.)\1/ REJECT`, "left", "", "back-reference"},
		{"possessive", "", "", `/^Subject:.*a++b/ REJECT`, "left", "", "possessive"},
		{"broken", "", "", `/^Subject:.*(a/ REJECT`, "left", "", "RE2"},
		{"word ends of regexp", "", "regexp", `/^Subject:.*\<sale\>/ REJECT`, "carried", "subject.def: 1\tsale", ""},
		{"digits of regexp", "", "regexp", `/^Subject: \d/ REJECT`, "left", "", "no meaning"},
		{"negated", "", "", `!/^Subject:/ REJECT`, "left", "", "do not match"},
		{"taken out by Postfix", "", "", `/^Return-Path:.*x/ REJECT`, "left", "", "envelope-from-list"},
		{"Received", "", "", `/^Received:.*bad\.example/ REJECT`, "changed", `headers.def: 1	regex ^received:.*bad\.example`, "this server itself"},
		{"WARN", "", "", `/^Subject:.*pills/ WARN no`, "carried", "subject-monitored.def: 1\tregex pills", "only records"},
		{"delimiter", "", "", `!^!`, "left", "", "Postfix skips it"},
		{"other delimiter", "", "", `|^Subject:.*a/b| REJECT`, "carried", "subject.def: 1\tregex a/b", ""},
		{"continued", "", "", "/^Subject:.*pills/\n  REJECT", "carried", "subject.def: 1\tregex pills", ""},
		{"indented", "", "", " /^Subject:.*pills/ REJECT", "left", "", "white space"},
		{"Latin-1", "", "", "/^Subject:.*g\xfcnstig/ REJECT", "left", "", "UTF-8"},

		// Other actions, and order.
		{"DUNNO", "", "", `/^Subject:.*x/ DUNNO`, "left", "", "exempts"},
		{"HOLD", "", "", `/^Subject:.*x/ HOLD`, "left", "", "quarantine"},
		{"unknown action", "", "", `/^Subject:.*x/ 550 no`, "left", "", "knows no action"},
		{"no action", "", "", `/^Subject:.*x/`, "left", "", "no action"},
		{"exception", "", "", "/^Subject:.*\\[ticket [0-9]+\\]/ DUNNO\n/^Subject:.*pills/ REJECT", "carried", "subject.def: 0\tregex,exclude \\[ticket \\d+\\]\nsubject.def: 1\tregex pills", ""},
		{"exception for another field", "", "", "/^To:.*ours/ OK\n/^Subject:.*pills/ REJECT", "carried", "subject.def: 1\tregex pills", ""},
		{"exception for other texts", "", "", "/^Subject: good$/ OK\n/^Subject: bad/ REJECT", "carried", "subject.def: 1\tregex ^bad", ""},
		{"exception for any field", "", "", "/good/ OK\n/^Subject:.*bad/ REJECT", "carried", "headers.def: 0\tregex,exclude good\nheaders.def: 1\tregex ^subject:.*bad", ""},
		{"exception that cannot be written", "", "", "/^Subject:.*(?=x)/ DUNNO\n/^Subject:.*pills/ REJECT", "left", "", "line 1 (DUNNO) answers before it"},
		{"exception by case", "", "", "/^Subject:.*OK/i DUNNO\n/^Subject:.*pills/ REJECT", "left", "", "line 1 (DUNNO) answers before it"},
		{"exception for all other fields", "", "", "!/^Subject:/ DUNNO\n/^Subject:.*pills/ REJECT", "carried", "subject.def: 1\tregex pills", ""},
		{"exception for this field, too", "", "", "!/^To:/ DUNNO\n/^Subject:.*pills/ REJECT", "left", "", "line 1 (DUNNO) answers before it"},
		{"line that is taken out before", "", "", "/^X-A:/ IGNORE\n/^X-A: b/ REJECT", "carried", "headers.def: 1\tregex ^x-a: b", ""},

		// Blocks.
		{"in an if", "", "", "if /^Subject:/\n/pills/ REJECT\nendif", "carried", "subject.def: 1\tregex pills", ""},
		{"in an if, with the field", "", "", "if /^Subject:/\n/^Subject: pills/ REJECT\nendif", "carried", "subject.def: 1\tregex ^pills", ""},
		{"in an if for another field", "", "", "if /^Subject:/\n/^From: pills/ REJECT\nendif", "left", "", "nothing of what stands"},
		{"in an if that negates", "", "", "if !/^Subject:/\n/pills/ REJECT\nendif", "left", "", "nothing of what stands"},
		{"in an if with more than a field", "", "", "if /^Subject:.*a/\n/b/ REJECT\nendif", "left", "", "nothing of what stands"},
		{"in an if, indented", "", "", "if /^Subject:/\n  /b/ REJECT\nendif", "left", "", "nothing of what stands"},
		{"if without endif", "", "", "if /^Subject:/", "left", "", "no endif"},
		{"endif alone", "", "", "endif", "left", "", "no if"},

		// Fields of MIME.
		{"attachment", "mime_header_checks", "", `/^Content-(Type|Disposition):.*name=.*\.(exe|scr)"?$/ REJECT no programs`, "changed", "headers.def: 1\tregex ^(?:content-type|content-disposition):.*name=.*\\.(?:exe|scr)\"?$\nattachments: .exe\tno programs\nattachments: .scr\tno programs", "in archives, too"},
		{"attachment in any field", "mime_header_checks", "", `/name="?invoice\.zip/ REJECT`, "changed", "headers.def: 1\tregex ^content-[\\-a-z]+:.*name=\"?invoice\\.zip\nattachments: invoice.zip\tOK", ""},
		{"another field in mime_header_checks", "mime_header_checks", "", `/^Subject:.*x/ REJECT`, "left", "", "fields of MIME alone"},
		{"attached messages alone", "nested_header_checks", "", `/^Subject:.*x/ REJECT`, "left", "", "attached messages alone"},

		// Body.
		{"body", "body_checks", "", `/work from home/ REJECT`, "carried", "body.def: 1\tregex work from home", ""},
		{"body, anchored", "body_checks", "", `/^dear friend,?\s*$/ REJECT`, "carried", "body.def: 1\tregex ^dear friend,? *$", ""},
		{"body, everything", "body_checks", "", `/^/ REJECT`, "left", "", "every line"},
		{"body, base64", "body_checks", "", `/^TVqQAAMAAAAEAAAA/ REJECT`, "left", "", "base64"},
		{"body, base64 of a zip", "body_checks", "", `/^UEsDBAo.*scr/ REJECT`, "left", "", "base64"},
		{"body, a word", "body_checks", "", `/extraordinarily/ REJECT`, "carried", "body.def: 1\tregex extraordinarily", ""},
		{"body, quoted-printable", "body_checks", "", `/href=3D"http/ REJECT`, "left", "", "quoted-printable"},
		{"body, uuencode", "body_checks", "", `/^begin 644 .*exe/ REJECT`, "left", "", "uuencoded"},
		{"body, exception for other lines", "body_checks", "regexp", "~^[[:alnum:]+/]{60,}\\s*$~ OK\n/work from home/ REJECT", "carried", "body.def: 1\tregex work from home", ""},
		{"on its way out", "smtp_header_checks", "", `/^Subject:.*x/ REJECT`, "left", "", "on its way out"},
		{"of milters", "milter_header_checks", "", `/^Subject:.*x/ REJECT`, "left", "", "a milter adds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.parameter == "" {
				c.parameter = "header_checks"
			}
			if c.kind == "" {
				c.kind = "pcre"
			}
			result, lines := written(t, c.parameter, c.kind, c.text+"\n")
			last := lastRule(result)
			if last.Fate != c.fate || !strings.Contains(last.Reason, c.reason) || c.fate == importing.Left && c.reason == "" {
				t.Errorf("%s: %s, want %s: %s", last.Fate, last.Reason, c.fate, c.reason)
			}
			if lines != c.want {
				t.Errorf("wrote\n%s\nwant\n%s", lines, c.want)
			}
			open(t, result, t.TempDir())
		})
	}
}

// lastRule is the item of the last line that begins a rule; main.cf has none that is set.
func lastRule(result *importing.Result) importing.Item {
	for i := len(result.Items) - 1; i >= 0; i-- {
		if one := result.Items[i]; one.Line > 0 && !strings.HasPrefix(one.Reason, "belongs to line") {
			return one
		}
	}
	return importing.Item{}
}
