package headerchecks

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mailweir/internal/address"
	"mailweir/internal/content"
	"mailweir/internal/importing"
	"mailweir/internal/table"
	"mailweir/test/testbed"
)

// These tests hold what was written for mailweir against the real postmap with the old tables.

// oldTables asks Postfix's own postmap.
type oldTables struct{ dir string }

func newOldTables(t testing.TB) *oldTables {
	t.Helper()
	testbed.Require(t, "postmap")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.cf"), "compatibility_level = 3.6\n")
	return &oldTables{dir}
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// actions are those of a table for lines of a header (-h) or of a body (-b), by line.
func (o *oldTables) actions(t testing.TB, option, spec string, lines []string) map[string]string {
	t.Helper()
	cmd := exec.Command("postmap", "-c", o.dir, option+"q", "-", spec)
	input := strings.Join(lines, "\n") + "\n\n"
	if option == "-b" {
		input = "Subject: x\n\n" + input
	}
	cmd.Stdin = strings.NewReader(input)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("%v: %v: %s", cmd, err, errs.String())
	}
	answers := map[string]string{}
	for line := range strings.Lines(out.String()) {
		if i := strings.LastIndexByte(line, '\t'); i >= 0 {
			answers[line[:i]] = strings.TrimSuffix(line[i+1:], "\n")
		}
	}
	return answers
}

// imported is what mailweir reads of a result.
type imported struct {
	examiner *content.Examiner
	from     *table.List
}

// open writes the files of a result and opens them as mailweir does.
func open(t testing.TB, result *importing.Result, dir string) *imported {
	t.Helper()
	where := func(value string) string { return strings.ReplaceAll(value, "/etc/mailweir/imported", dir) }
	for _, f := range result.Files {
		write(t, filepath.Join(dir, f.Name), f.Text)
	}
	var definitions, lists []string
	for _, f := range result.Flags {
		switch f.Name {
		case "content-definition":
			definitions = append(definitions, where(f.Value))
		case "header-from-list":
			lists = append(lists, where(f.Value))
		}
	}
	loaded, err := content.Load(definitions...)
	if err != nil {
		t.Fatal(err)
	}
	i := &imported{}
	if i.examiner, err = content.NewExaminer(loaded, content.Options{}); err != nil {
		t.Fatal(err)
	}
	if len(lists) > 0 {
		use := table.Use{Asked: table.Addresses, Values: table.Actions, Bare: "REJECT"}
		if i.from, err = table.NewLoader(nil).List(table.ListOptions{Use: use, Subdomains: true, Delimiters: "+"}, lists...); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

// refuses reports whether a message is refused, and what records it.
func (i *imported) refuses(t testing.TB, header []string, body string) (refused, recorded bool) {
	t.Helper()
	x := i.examiner.Begin(content.Text)
	defer x.Close()
	for _, line := range header {
		name, value, _ := strings.Cut(line, ":")
		x.Header(name, value)
		if !strings.EqualFold(strings.TrimSpace(name), "from") {
			continue
		}
		for a := range address.HeaderFrom([]string{value}).Authors() {
			m, err := i.from.Address(context.Background(), a)
			if err != nil {
				t.Fatal(err)
			}
			refused = refused || m.Found() && m.Action.Verb == table.Reject
		}
	}
	x.Body([]byte(body))
	result, err := x.Finish()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range result.Outcomes {
		refused = refused || o.Fired && o.Definition.Action == content.Reject
		recorded = recorded || o.Fired && o.Definition.Action == content.Monitor
	}
	return refused, recorded
}

// seenAlike reports whether Postfix and mailweir see the same text: nothing encoded, single blanks,
// one behind the colon.
func seenAlike(line string) bool {
	name, value, found := strings.Cut(line, ":")
	if !found || name == "" || strings.ContainsAny(name, " \t") || strings.Contains(line, "=?") || !isASCII(line) {
		return false
	}
	return value == "" || value == " "+strings.Join(strings.Fields(value), " ")
}

// TestTheSameAnswers holds each rule that was written again, alone, and all of them together,
// against the old tables.
func TestTheSameAnswers(t *testing.T) {
	in := company(t, "testdata/company")
	old := newOldTables(t)
	for _, file := range []struct {
		name, kind, option string
	}{
		{"header_checks", "pcre", "-h"},
		{"header_checks.new", "regexp", "-h"},
		{"mime_header_checks", "pcre", "-h"},
		{"body_checks", "regexp", "-b"},
	} {
		t.Run(file.name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(in.Root, "etc/postfix", file.name))
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range parseRules(file.name, string(text), file.kind == "regexp") {
				if r.Verb == "" && (r.action == "REJECT" || r.action == "WARN") {
					t.Run(fmt.Sprint(r.place().Line), func(t *testing.T) { sameAlone(t, old, r, file.kind, file.option) })
				}
			}
		})
	}
}

// alone is a Postfix whose only table has one rule, with the ifs around it.
func alone(t testing.TB, r *rule, kind, option string) (in *importing.Input, spec string) {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	for _, condition := range r.ifs {
		b.WriteString(condition.logical.text + "\n")
	}
	b.WriteString(r.logical.text + "\n" + strings.Repeat("endif\n", len(r.ifs)))
	file := filepath.Join(dir, "checks")
	write(t, file, b.String())
	spec = kind + ":" + file
	main := map[string]string{"header_checks": spec, "mime_header_checks": spec, "nested_header_checks": spec}
	if option == "-b" {
		main = map[string]string{"body_checks": spec}
	}
	return inputOf(dir, main), spec
}

func sameAlone(t *testing.T, old *oldTables, r *rule, kind, option string) {
	in, spec := alone(t, r, kind, option)
	result, err := read(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	i := itemOf(result, r)
	if i == nil || i.Fate == importing.Left || strings.Contains(i.Reason, personFile) {
		return
	}
	fresh := open(t, result, t.TempDir())
	asked := linesFor(r, option)
	if strings.Contains(i.Reason, blockFile) {
		asked = addressesOf(asked)
	}
	answers := old.actions(t, option, spec, inAllForms(asked))
	matched := 0
	for _, line := range asked {
		want := ""
		for _, form := range forms(line) {
			want += answers[form]
		}
		if want != "" {
			matched++
		}
		got := fresh.answers(t, option, line)
		narrower := !got && strings.Contains(i.Reason, "only begins or ends like it")
		wider := got && strings.Contains(i.Reason, "in either case")
		if got != (want != "") && !narrower && !wider {
			t.Fatalf("%s\n  %q: Postfix %q, mailweir %v\n  %s", r.logical.text, line, want, got, i.Reason)
		}
	}
	if matched < keys/70 || len(asked) < keys*9/10 && !strings.Contains(i.Reason, "in either case") {
		t.Errorf("%s: only %d of %d lines are matched", r.logical.text, matched, len(asked))
	}
}

// answers reports whether mailweir refuses or records a message with that line.
func (i *imported) answers(t testing.TB, option, line string) bool {
	header, body := []string{line}, ""
	if option == "-b" {
		header, body = []string{"Subject: x"}, line+"\r\n"
	}
	refused, recorded := i.refuses(t, header, body)
	return refused || recorded
}

// forms are the lines that Postfix is asked about: an address counts in whichever way it is
// written.
func forms(line string) []string {
	if _, a, found := strings.Cut(line, "From: Bob Builder <"); found {
		return []string{line, "From: " + strings.TrimSuffix(a, ">")}
	}
	return []string{line}
}

func inAllForms(lines []string) (all []string) {
	for _, line := range lines {
		all = append(all, forms(line)...)
	}
	return all
}

// anAddress is one without an extension.
var anAddress = regexp.MustCompile(`(?i)[a-z0-9_.-]*@[a-z0-9.-]+`)

// addressesOf makes lines of the addresses in others, and of what could be some.
func addressesOf(lines []string) (all []string) {
	known := map[string]bool{}
	for n, line := range lines {
		_, value, _ := strings.Cut(line, ":")
		text := strings.Trim(anAddress.FindString(value), ".-")
		if text == "" { // a domain, maybe
			text = "@a." + strings.Trim(regexp.MustCompile(`[^A-Za-z0-9.-]`).ReplaceAllString(value, ""), ".-")
		}
		local, domain, _ := strings.Cut(text, "@")
		local = strings.Trim(local, ".-")
		for i, address := range []string{local + "@" + domain, "bob" + fmt.Sprint(n) + "@" + domain, local + "@mail." + domain, "x" + local + "@" + domain, local + "@" + domain + ".example"} {
			one := "From: Bob Builder <" + address + ">"
			if local == "" && i != 1 || strings.Contains(domain, "..") || strings.HasPrefix(domain, ".") || domain == "" || strings.Contains(local, "..") || known[one] {
				continue
			}
			known[one] = true
			all = append(all, one)
		}
	}
	return all
}

func itemOf(result *importing.Result, r *rule) *importing.Item {
	for i := range result.Items {
		if strings.TrimSpace(r.lines[0].text) == result.Items[i].Text {
			return &result.Items[i]
		}
	}
	return nil
}

// linesFor are a thousand lines, each once, that both see alike.
func linesFor(r *rule, option string) (lines []string) {
	g := generator{rand.New(rand.NewPCG(uint64(r.place().Line), 7))}
	known := map[string]bool{}
	add := func(line string) {
		line = strings.Join(strings.Fields(line), " ")
		alike := line != "" && isASCII(line) && !strings.HasPrefix(line, "begin ")
		if option == "-h" {
			name, value, found := strings.Cut(line, ":")
			if !found || strings.Contains(name, " ") {
				name, value = []string{"Content-Type", "Subject", "X-Test"}[g.IntN(3)], line
			}
			line = strings.TrimRight(name+": "+strings.TrimLeft(value, " "), " ")
			alike = seenAlike(line) || !isASCII(r.Pattern)
		}
		if alike && !known[line] {
			known[line] = true
			lines = append(lines, line)
		}
	}
	for _, line := range ordinary {
		add(line)
	}
	for tries := 0; len(lines) < keys && tries < 20_000; tries++ {
		line := g.from(r)
		for _, condition := range r.ifs {
			line = g.from(condition) + " " + line
		}
		if g.IntN(3) > 0 {
			line = g.spoil(line)
		}
		add(line)
	}
	return lines
}

// TestTogether holds all tables of the company, in their order, against all that was written, with
// lines of which many match several rules: mailweir refuses nothing that Postfix lets pass.
func TestTogether(t *testing.T) {
	in := company(t, "testdata/company")
	result, err := read(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	old, fresh := newOldTables(t), open(t, result, t.TempDir())
	dir := filepath.Join(in.Root, "etc/postfix")
	ask := func(option string, lines []string, tables ...string) map[string]string {
		all := map[string]string{}
		for _, spec := range tables {
			kind, name, _ := strings.Cut(spec, ":")
			for line, action := range old.actions(t, option, kind+":"+filepath.Join(dir, name), lines) {
				if all[line] == "" {
					all[line] = action
				}
			}
		}
		return all
	}
	for _, c := range []struct {
		option string
		tables []string
	}{
		{"-h", []string{"pcre:header_checks", "regexp:header_checks.new"}},
		{"-h", []string{"pcre:mime_header_checks"}},
		{"-b", []string{"regexp:body_checks"}},
	} {
		t.Run(c.tables[0], func(t *testing.T) {
			lines := mixedLines(t, dir, c.option, c.tables)
			answers := ask(c.option, lines, c.tables...)
			agreed := 0
			for _, line := range lines {
				action, _ := cutAction(answers[line])
				header, body := []string{line}, ""
				if c.option == "-b" {
					header, body = []string{"Subject: x"}, line+"\r\n"
				}
				refused, recorded := fresh.refuses(t, header, body)
				switch {
				case refused && action != "REJECT":
					t.Errorf("%q: Postfix %q, mailweir refuses it", line, action)
				case recorded && !refused && action != "WARN" && action != "REJECT":
					t.Errorf("%q: Postfix %q, mailweir records it", line, action)
				case refused:
					agreed++
				}
			}
			if agreed < len(lines)/20 {
				t.Errorf("only %d of %d lines are refused", agreed, len(lines))
			}
		})
	}
}

// mixedLines are lines that match one or several rules of tables.
func mixedLines(t *testing.T, dir, option string, tables []string) (lines []string) {
	var rules []*rule
	for _, spec := range tables {
		kind, name, _ := strings.Cut(spec, ":")
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range parseRules(name, string(text), kind == "regexp") {
			if r.Verb == "" && r.fault == "" && r.Pattern != "" {
				rules = append(rules, r)
			}
		}
	}
	g := generator{rand.New(rand.NewPCG(1, 2))}
	known := map[string]bool{}
	for range 60 {
		for _, r := range rules {
			line := g.from(r)
			if g.IntN(2) == 0 {
				line += " " + afterColon(g.from(rules[g.IntN(len(rules))]))
			}
			line = strings.Join(strings.Fields(line), " ")
			name, value, found := strings.Cut(line, ":")
			if option == "-h" {
				if !found || strings.Contains(name, " ") {
					name, value = "Subject", line
				}
				line = strings.TrimRight(name+": "+strings.TrimLeft(value, " "), " ")
			}
			from := strings.EqualFold(name, "from") && option == "-h" // an address in another form is another test
			mime := strings.HasPrefix(strings.ToLower(name), "content-") != strings.HasPrefix(tables[0], "pcre:mime")
			if line != "" && isASCII(line) && !strings.Contains(line, "=?") && !from && (option == "-b" || !mime) && !known[line] {
				known[line] = true
				lines = append(lines, line)
			}
		}
	}
	return lines
}

func afterColon(line string) string {
	if _, value, found := strings.Cut(line, ": "); found {
		return value
	}
	return line
}
