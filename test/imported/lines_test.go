package imported

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mailweir/test/testbed"
)

// accounted compares the report with the files that the old configuration consists of, which are
// read here in another way: each line that is none of comment and blank has exactly one item.
func (b *bed) accounted(t *testing.T, h *testbed.Host, r *report) {
	t.Helper()
	items := map[string][]item{}
	for _, i := range r.Items {
		items[i.File] = append(items[i.File], i)
	}
	list, err := os.ReadFile(b.testdata("tables"))
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	for line := range strings.Lines(string(list)) {
		name := "/etc/" + strings.TrimSpace(line)
		tables = append(tables, name)
		b.entries(t, name, items[name])
	}
	b.settings(t, h, "/etc/postfix/main.cf", items["/etc/postfix/main.cf"])
	for name := range items {
		if !slices.Contains(tables, name) && !strings.HasSuffix(name, ".db") && !strings.HasSuffix(name, ".inc") && name != "/etc/postfix/main.cf" && name != "/etc/postfix/master.cf" {
			t.Errorf("the report has items of %s, which nobody has counted", name)
		}
	}
}

// entry is an entry of a file: the lines from first to last.
type entry struct {
	first, last int
	text        string
}

// entriesOf reads a file of entries whose continuation lines begin with a blank.
func entriesOf(t *testing.T, name string) (all []entry) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		blank := strings.TrimSpace(line)
		switch {
		case blank == "" || blank[0] == '#':
		case (line[0] == ' ' || line[0] == '\t') && len(all) > 0:
			all[len(all)-1].last = n
			all[len(all)-1].text += " " + blank
		default:
			all = append(all, entry{n, n, blank})
		}
	}
	return all
}

// linesOf is entriesOf of a file in which each line stands for itself.
func linesOf(t *testing.T, name string) (all []entry) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			all = append(all, entry{n, n, line})
		}
	}
	return all
}

// entries finds one item for each entry of a table, and no others.
func (b *bed) entries(t *testing.T, name string, items []item) {
	t.Helper()
	wrong := 0
	if name == "/etc/default/postgrey" {
		b.options(t, name, items)
		return
	}
	all := entriesOf(t, b.testdata(strings.TrimPrefix(name, "/")))
	if strings.HasSuffix(name, ".conf") {
		all = linesOf(t, b.testdata(strings.TrimPrefix(name, "/"))) // rspamd's, where blanks mean nothing
	}
	for _, e := range all {
		found := 0
		items = slices.DeleteFunc(items, func(i item) bool {
			is := e.first <= i.Line && i.Line <= e.last
			if is {
				found++
			}
			return is
		})
		if found != 1 {
			if wrong++; wrong <= 5 {
				t.Errorf("%s:%d %q is accounted for %d times", name, e.first, e.text, found)
			}
		}
	}
	if wrong > 5 {
		t.Errorf("%s: and %d more", name, wrong-5)
	}
	for _, i := range items {
		t.Errorf("%s: nothing stands there of which the report says: %+v", i.place(), i)
	}
}

// options finds one item for each option of a file of the shell.
func (b *bed) options(t *testing.T, name string, items []item) {
	t.Helper()
	for _, e := range entriesOf(t, b.testdata(strings.TrimPrefix(name, "/"))) {
		_, value, _ := strings.Cut(e.text, "=")
		var words []string
		for _, i := range items {
			words = append(words, i.Text)
		}
		if want := strings.Fields(strings.Trim(value, `"`)); !slices.Equal(words, want) {
			t.Errorf("%s:%d has %q, accounted for are %q", name, e.first, want, words)
		}
	}
}

// importedParameters are those of main.cf of which every word is accounted for.
var importedParameters = strings.Fields(`postscreen_dnsbl_sites postscreen_access_list
	smtpd_client_restrictions smtpd_helo_restrictions smtpd_sender_restrictions smtpd_recipient_restrictions
	header_checks mime_header_checks nested_header_checks body_checks smtpd_sender_login_maps`)

// settings finds items for each word of the parameters that are imported. Names of restrictions
// that take an argument count with it. A class has more items where several lists lead to it.
func (b *bed) settings(t *testing.T, h *testbed.Host, name string, items []item) {
	t.Helper()
	values := map[string]string{} // with each $name expanded
	for line := range strings.Lines(run(t, h, "postconf", "-x")) {
		parameter, value, _ := strings.Cut(strings.TrimSpace(line), " = ")
		values[parameter] = value
	}
	last := map[string]entry{}
	for _, e := range entriesOf(t, b.testdata(strings.TrimPrefix(name, "/"))) {
		parameter, value, found := strings.Cut(e.text, "=")
		if found {
			last[strings.TrimSpace(parameter)] = entry{e.first, e.last, value}
		}
	}
	within := func(line int, e entry) bool { return e.first <= line && line <= e.last }
	for parameter, e := range last {
		if !slices.Contains(importedParameters, parameter) && !strings.HasPrefix(parameter, "class_") {
			continue
		}
		value, ok := values[parameter]
		if !ok {
			value = e.text
		}
		for _, words := range settings(value) {
			if strings.Contains(words, ":{") || strings.HasPrefix(words, "class_") || parameter == "postscreen_access_list" && !aboutLists(words) {
				continue // a table without a file, whose entries have the items; and what only names others
			}
			found := 0
			for _, i := range items {
				// A $name of the value may stand for words of another line.
				if (within(i.Line, e) || strings.Contains(e.text, "$")) && sameWords(i.Text, parameter, words) {
					found++
				}
			}
			if found == 0 {
				t.Errorf("%s:%d %s: %q is not accounted for", name, e.first, parameter, words)
			}
		}
	}
}

// aboutLists tells lists and tables apart from what Postfix judges by itself, such as
// reject_non_fqdn_sender, and goes on to judge.
func aboutLists(words string) bool {
	name, _, _ := strings.Cut(strings.TrimPrefix(words, "warn_if_reject "), " ")
	if name == "check_policy_service" {
		return false
	}
	return strings.HasPrefix(name, "check_") || strings.Contains(name, "bl_") || strings.ContainsAny(name, ":=*.") || strings.HasSuffix(name, "_login_mismatch")
}

// sameWords compares without what parts words. A table of patterns may stand behind its parameter,
// and a part of a list's name may be a key that is not shown.
func sameWords(text, parameter, setting string) bool {
	words := func(s string) string {
		return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\n,", r) }), " ")
	}
	text, setting = words(text), words(setting)
	if text == parameter+" = "+setting {
		return true
	}
	if key := masked.FindStringIndex(text); key != nil && !masked.MatchString(setting) {
		return strings.HasPrefix(setting, text[:key[0]]) && strings.HasSuffix(setting, text[key[1]:])
	}
	return text == setting || "warn_if_reject "+text == setting
}

// masked is the key of a paid list, in the words of the report.
var masked = regexp.MustCompile(`\{[A-Z][A-Z0-9]*\}`)

// settings parts the value of a parameter: at blanks and commas outside braces, an argument with
// what takes it.
func settings(value string) (all []string) {
	depth, start := 0, -1
	var words []string
	for i, r := range value + " " {
		switch {
		case r == '{':
			depth++
		case r == '}':
			depth--
		}
		parts := depth == 0 && strings.ContainsRune(" \t,", r)
		switch {
		case parts && start >= 0:
			words = append(words, value[start:i])
			start = -1
		case !parts && start < 0:
			start = i
		}
	}
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w == "warn_if_reject" {
			i++
			w += " " + words[i]
		}
		if takes := strings.Fields(w); strings.HasPrefix(takes[len(takes)-1], "check_") || strings.Contains(w, "_rbl_") || strings.Contains(w, "_rhsbl_") {
			i++
			w += " " + words[i]
		}
		all = append(all, w)
	}
	return all
}
