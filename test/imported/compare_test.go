package imported

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"mailweir/test/testbed"
)

var update = flag.Bool("update", false, "write the golden files")

// mostShown bounds the dialogs of several values that are shown, because they only repeat what one
// value does.
const mostShown = 5

// decisions plays the same mail to the Postfix of before, to one that asks mailweir with what was
// imported enforced and was told what import proposes, and to one from which every table that was
// imported is taken out, so that mailweir does it alone. What differs must be announced.
func (b *bed) decisions(t *testing.T) {
	before := b.host(t)
	if b.before != nil {
		b.before(t, b, before)
	}
	old := b.postfix(t, before)
	proposed, r := b.successor(t, true, func(h *testbed.Host, r *report) {
		for _, c := range r.Doubles {
			run(t, h, c.Argv...)
		}
	})
	alone, _ := b.successor(t, false, func(h *testbed.Host, r *report) {
		b.strip(t, h, r)
		if b.beside != nil {
			b.beside(t, b, h, r)
		}
	})

	dialogs := b.pool.dialogs(t, b.seed, b.random)
	var was, then, now [][]outcome
	var playing sync.WaitGroup
	playing.Go(func() { was = old.all(t, dialogs) })
	playing.Go(func() { then = proposed.all(t, dialogs) })
	playing.Go(func() { now = alone.all(t, dialogs) })
	playing.Wait()
	if t.Failed() {
		return
	}
	d := &differences{bed: b, report: r, needed: map[string]bool{}}
	d.compare(t, "as proposed", dialogs, was, then)
	d.compare(t, "mailweir alone", dialogs, was, now)
	for _, v := range b.pool.marked() {
		if !d.needed[v.because] {
			t.Errorf("%s: the difference that %q announces is none", v, v.because)
		}
	}
	golden(t, b.testdata("differences"), b.asWritten(before, d.table.String()))
	t.Log(tally(was, then, now))
}

// successor is a Postfix with mailweir: everything is imported, and what was imported enforced. The
// other milters that Postfix has stay behind it or go.
func (b *bed) successor(t *testing.T, others bool, change func(*testbed.Host, *report)) (*side, *report) {
	t.Helper()
	h := b.host(t)
	r := b.importing(t, h)
	change(h, r)
	flags := []string{"--config=/etc/mailweir/mailweir.conf", "--dns=" + b.dns.Address, "--state=file:" + h.Dir + "/state", "--record=off", "--rbl-timeout=7s"}
	for _, check := range r.Checks {
		flags = append(flags, "--"+check+"=enforce")
	}
	mailweir := testbed.StartMailweir(t, testbed.MailweirConfig{Binary: h.Program(t, b.binary), Socket: h.Milter, Flags: flags})
	t.Cleanup(func() {
		if err := mailweir.End(); err != nil {
			t.Errorf("mailweir: %v\n%s", err, mailweir.Log)
		}
	})
	milters := "{ unix:" + h.Milter + ", default_action=tempfail, command_timeout=60s }"
	if others {
		milters += " " + strings.TrimSpace(run(t, h, "postconf", "-hx", "smtpd_milters"))
	}
	s := b.postfix(t, h, "smtpd_milters="+milters, "non_smtpd_milters=")
	return s, r
}

// strip takes out of Postfix all tables and lists of which a line was imported.
func (b *bed) strip(t *testing.T, h *testbed.Host, r *report) {
	t.Helper()
	imported := func(file, parameter, words string) bool {
		return slices.ContainsFunc(r.Items, func(i item) bool {
			return i.File == "/etc/postfix/"+file && i.Fate != "left" && sameWords(i.Text, parameter, words)
		})
	}
	rest := func(file, parameter, value string) (string, bool) {
		words := settings(value)
		left := slices.DeleteFunc(slices.Clone(words), func(w string) bool {
			return (aboutLists(w) || strings.HasPrefix(w, "check_policy_service ")) && imported(file, parameter, w)
		})
		return strings.Join(left, ", "), len(left) < len(words)
	}
	for line := range strings.Lines(run(t, h, "postconf", "-x")) {
		parameter, value, _ := strings.Cut(strings.TrimSpace(line), " = ")
		if !slices.Contains(importedParameters, parameter) && !strings.HasPrefix(parameter, "class_") {
			continue
		}
		if left, fewer := rest("main.cf", parameter, value); fewer {
			run(t, h, "postconf", "-e", parameter+" = "+left)
		}
	}
	for line := range strings.Lines(run(t, h, "postconf", "-Px")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " = ")
		parameter := name[strings.LastIndexByte(name, '/')+1:]
		if left, fewer := rest("master.cf", parameter, value); fewer {
			run(t, h, "postconf", "-P", name+"="+strings.ReplaceAll(left, ", ", ",")) // it takes no blanks
		}
	}
}

// differences collects them for the file of the same name.
type differences struct {
	*bed
	report *report
	table  strings.Builder
	needed map[string]bool // the reasons that some difference has
}

func (f *differences) compare(t *testing.T, what string, dialogs []*dialog, was, is [][]outcome) {
	t.Helper()
	unexplained := 0
	fmt.Fprintf(&f.table, "%s:\n", what)
	for i, d := range dialogs {
		for j, recipient := range d.recipients {
			before, after := was[i][j], is[i][j]
			if before.fate == after.fate || d.alone == nil && before.stopped() && after.stopped() {
				continue // of several reasons another one may be the first
			}
			because := d.explained(recipient)
			if before.fate == "discarded" || before.fate == "held" {
				for _, r := range d.recipients { // it was for all
					because = append(because, d.explained(r)...)
				}
			}
			if len(because) == 0 {
				if unexplained++; d.alone != nil || unexplained <= mostShown {
					t.Errorf("%s: nobody has announced that <%s> was %s and is %s\n  was %s\n  is  %s\n%s", what, recipient.text,
						before.fate, after.fate, before.reply, after.reply, d)
				}
			}
			if d.alone == nil {
				continue
			}
			for _, word := range because {
				f.needed[word] = true
			}
			fmt.Fprintf(&f.table, "  %s: was %s, is %s\n    %s\n", d.alone, before.fate, after.fate, strings.Join(announced(t, f.report, because), "\n    "))
		}
	}
	if unexplained > mostShown {
		t.Errorf("%s: %d differences are not announced", what, unexplained)
	}
}

// marked are the values that have a difference announced.
func (p *pool) marked() (all []value) {
	for _, kind := range kinds {
		all = append(all, p.values[kind]...)
	}
	all = append(append(all, p.logins...), p.mails...)
	return slices.DeleteFunc(all, func(v value) bool { return v.because == "" })
}

// announced are the lines of the report that say so: "FILE:LINE" names a line that is not simply
// carried, and "note WORDS" a note.
func announced(t *testing.T, r *report, because []string) (said []string) {
	t.Helper()
	for _, word := range because {
		at := len(said)
		if words, isNote := strings.CutPrefix(word, "note "); isNote {
			for _, n := range r.Notes {
				if strings.Contains(n, words) {
					said = append(said, "note: "+n)
				}
			}
		} else {
			for _, i := range r.Items {
				if strings.HasSuffix(i.place(), "/"+word) && i.Fate != "carried" {
					said = append(said, fmt.Sprintf("%s %s %s: %s", i.Fate, i.place(), i.Text, i.Reason))
				}
			}
		}
		if len(said) == at {
			t.Errorf("the report does not announce %q", word)
		}
	}
	return said
}

// tally says how much of each there was, so that a run in which all mail is refused is seen.
func tally(was, then, now [][]outcome) string {
	count := func(all [][]outcome) map[string]int {
		n := map[string]int{}
		for _, outcomes := range all {
			for _, o := range outcomes {
				n[o.fate]++
			}
		}
		return n
	}
	return fmt.Sprintf("%d dialogs; old %v, as proposed %v, mailweir alone %v", len(was), count(was), count(then), count(now))
}

// golden compares with a file, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is otherwise now (go test ./test/imported -update writes it again):\n%s", filepath.Base(name), difference(string(want), got))
	}
}

// difference shows the lines that only one of two texts has.
func difference(want, got string) string {
	var b strings.Builder
	show := func(sign, text, other string) {
		have := map[string]bool{}
		for line := range strings.Lines(other) {
			have[line] = true
		}
		for line := range strings.Lines(text) {
			if !have[line] {
				b.WriteString(sign + line)
			}
		}
	}
	show("- ", want, got)
	show("+ ", got, want)
	return b.String()
}
