package importing

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// host is a mailweir in a directory of the test's own. The flags "list" and "other" may be
// repeated, "max" may not; "list" is of the check watch.
type host struct {
	*Target
	t *testing.T
	// elsewhere are values in other files; wrong makes a text of the configuration a mistake.
	elsewhere map[string][]Standing
	wrong     func(text string) error
	mode      string
}

func newHost(t *testing.T) *host {
	dir := t.TempDir()
	h := &host{t: t, elsewhere: map[string][]Standing{}, wrong: func(string) error { return nil }, mode: "monitor"}
	h.Target = &Target{
		Dir: filepath.Join(dir, "imported"), Fragment: filepath.Join(dir, "conf.d/40-import.conf"),
		Flag: func(name string) *FlagFacts {
			facts := map[string]*FlagFacts{"list": {Repeatable: true, Check: "watch"}, "other": {Repeatable: true}, "max": {}}[name]
			if facts != nil {
				facts.Elsewhere = h.elsewhere[name]
			}
			return facts
		},
		Check: func(text string) error { return h.wrong(text) },
		Mode:  func(string) string { return h.mode },
	}
	return h
}

// source is one whose result a test writes: lines "flag NAME=VALUE", "file NAME=TEXT", "secret
// NAME=TEXT", "carried LINE TEXT" and the like.
func source(name string, lines ...string) Read {
	r := &Result{}
	at := Place{File: "/old/" + name, Line: 1}
	for i, line := range lines {
		what, rest, _ := strings.Cut(line, " ")
		left, right, _ := strings.Cut(rest, "=")
		at.Line = i + 1
		switch what {
		case "flag":
			r.Flag(left, right, Place{File: "/old/" + name})
		case "off":
			r.Flags = append(r.Flags, Flag{Name: left, Value: right, Off: "only proposed"})
		case "file", "secret":
			r.Files = append(r.Files, File{Name: left, Text: right + "\n", Bare: what == "secret", Secret: what == "secret"})
		case "note":
			r.Note("%s", rest)
		default:
			r.item(Fate(what), at, rest, "as before", nil)
		}
	}
	return Read{Source: Source{Name: name}, Result: r}
}

func (h *host) plan(read ...Read) *Plan {
	h.t.Helper()
	p, err := NewPlan(h.Target, read)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *host) apply(read ...Read) *Plan {
	h.t.Helper()
	p := h.plan(read...)
	if err := p.Apply(time.Unix(1_800_000_000, 0)); err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *host) text(name string) string {
	h.t.Helper()
	if name != h.Fragment {
		name = filepath.Join(h.Dir, name)
	}
	data, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	return string(data)
}

func (h *host) edit(name, text string) {
	h.t.Helper()
	if name != h.Fragment {
		name = filepath.Join(h.Dir, name)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

// lines are those of 40-import.conf that count or are proposed.
func (h *host) lines() string {
	var lines []string
	for line := range strings.Lines(h.text(h.Fragment)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "# ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

func (h *host) want(what, got, want string) {
	h.t.Helper()
	if got != want {
		h.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// what says of each file of a report what becomes of it.
func what(p *Plan) string {
	var all []string
	for _, f := range p.Report(nil).Files {
		all = append(all, f.What+" "+filepath.Base(f.Path))
	}
	return strings.Join(all, ", ")
}

func TestFirstAndSecondRun(t *testing.T) {
	h := newHost(t)
	first := []Read{source("a", "file a-list=x", "flag list=texthash:/a-list", "carried x"), source("b", "secret b-key=k", "flag other=B", "left y")}
	p := h.plan(first...)
	h.want("before", what(p), "new a-list, new b-key, new 40-import.conf")
	if err := p.Apply(time.Unix(1_800_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	h.want("lines", h.lines(), "watch = monitor; list = texthash:/a-list; other = B")
	h.want("a table", h.text("a-list"), fileHead+"x\n")
	h.want("a key", h.text("b-key"), "k\n")
	for name, mode := range map[string]os.FileMode{"a-list": 0o644, "b-key": 0o640, ledgerFile: 0o640, "../conf.d/40-import.conf": 0o640} {
		info, err := os.Stat(filepath.Join(h.Dir, name))
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v, want %v", name, info.Mode(), err, mode)
		}
	}
	ledger := h.text(ledgerFile)
	again := h.plan(first...)
	if !again.Nothing() {
		t.Errorf("a second run would do something: %s", what(again))
	}
	if err := again.Apply(time.Unix(1_900_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	h.want("what is remembered", h.text(ledgerFile), ledger)
}

func TestOtherRuns(t *testing.T) {
	first := []Read{source("a", "file a-list=x", "file a-more=y", "flag list=/a-list", "carried x"), source("b", "flag other=B")}
	for _, c := range []struct {
		name  string
		edit  func(*host)
		next  []Read
		what  string
		lines string
	}{
		{"the old list has changed", nil, []Read{source("a", "file a-list=xx", "file a-more=y", "flag list=/a-list"), first[1]}, "changed a-list, same a-more, same 40-import.conf", ""},
		{"an edited table", func(h *host) { h.edit("a-list", "mine") }, []Read{source("a", "file a-list=xx", "file a-more=z", "flag list=/a-list"), first[1]}, "kept a-list, changed a-more, same 40-import.conf", ""},
		{"edited, and nothing has changed", func(h *host) { h.edit("a-list", "mine") }, first, "kept a-list, same a-more, same 40-import.conf", ""},
		{"an edited 40-import.conf", func(h *host) { h.edit(h.Fragment, "list = /a-list\n") }, []Read{source("a", "file a-list=xx", "flag list=/a-list", "flag list=/new"), first[1]}, "changed a-list, kept 40-import.conf, removed a-more", "list = /a-list"},
		{"edited, and names a file that is not wanted", func(h *host) { h.edit(h.Fragment, "list = "+filepath.Join(h.Dir, "a-more")+"\n") }, []Read{source("a", "file a-list=x"), first[1]}, "same a-list, kept 40-import.conf, kept a-more", "list = DIR/a-more"},
		{"a table is gone from the old list", nil, []Read{source("a", "file a-list=x", "flag list=/a-list"), first[1]}, "same a-list, same 40-import.conf, removed a-more", ""},
		{"a table was removed", func(h *host) { _ = os.Remove(filepath.Join(h.Dir, "a-list")) }, first, "new a-list, same a-more, same 40-import.conf", ""},
		{"only one source is read", nil, []Read{{Source: Source{Name: "a"}}, source("b", "flag other=BB")}, "changed 40-import.conf", "watch = monitor; list = /a-list; other = BB"},
		{"nothing is left", nil, []Read{source("a"), source("b")}, "removed 40-import.conf, removed a-list, removed a-more", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t)
			h.apply(first...)
			if c.edit != nil {
				c.edit(h)
			}
			edited := h.text("a-list")
			p := h.apply(c.next...)
			h.want("files", what(p), c.what)
			if c.lines != "" {
				h.want("lines", strings.ReplaceAll(h.lines(), h.Dir, "DIR"), c.lines)
			}
			if edited == "mine" {
				h.want("the edited table", h.text("a-list"), "mine")
				h.want("and once more", what(h.plan(c.next...)), strings.ReplaceAll(c.what, "changed", "same"))
			}
		})
	}
}

// A file by the name of ours that import has not written stays, and stays known as somebody else's.
// A word that one source leaves and another carries has one item; what one source alone says of a
// word twice stays.
func TestOneItemAWord(t *testing.T) {
	at, other := Place{"/old/main.cf", 3}, Place{"/old/main.cf", 4}
	leaves, carries := &Result{}, &Result{}
	leaves.Left(at, "policy a", "it stays")
	leaves.Left(other, "policy a", "it stays")
	leaves.Carried(at, "own", "here")
	leaves.Left(at, "own", "and there")
	carries.Changed(at, "policy a", "it is done here")
	h := newHost(t)
	report := h.plan(Read{Source: Source{Name: "one"}, Result: leaves}, Read{Source: Source{Name: "two"}, Result: carries}).Report(nil)
	var got []string
	for _, i := range report.Items {
		got = append(got, fmt.Sprintf("%s %s:%d %s: %s", i.Source, i.Fate, i.Line, i.Text, i.Reason))
	}
	want := "one left:4 policy a: it stays|one carried:3 own: here|one left:3 own: and there|two changed:3 policy a: it is done here"
	if strings.Join(got, "|") != want || report.Totals[Left] != 2 {
		t.Errorf("%q, %v", got, report.Totals)
	}
}

func TestForeignFile(t *testing.T) {
	h := newHost(t)
	if err := os.MkdirAll(h.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	h.edit("a-list", "theirs")
	read := source("a", "file a-list=x", "flag list=/a-list")
	for range 2 {
		p := h.apply(read)
		if f := p.Report(nil).Files[0]; f.What != "kept" || f.Why != "not written by mailweir import" {
			t.Errorf("%+v", f)
		}
	}
	h.want("the file", h.text("a-list"), "theirs")
	if err := os.Remove(h.Fragment); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/null", h.Fragment); err != nil {
		t.Fatal(err)
	}
	if _, err := NewPlan(h.Target, []Read{read}); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Error(err)
	}
}

// A file of somebody else's with the very same text is as good as ours; one that was edited and
// then put back is ours again.
func TestPutBack(t *testing.T) {
	h := newHost(t)
	if err := os.MkdirAll(h.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	h.edit("a-list", fileHead+"x\n")
	h.want("the same text", what(h.apply(source("a", "file a-list=x"))), "same a-list")
	h.edit("a-list", "mine")
	h.want("edited", what(h.apply(source("a", "file a-list=xx"))), "kept a-list")
	h.edit("a-list", fileHead+"x\n")
	h.want("put back", what(h.apply(source("a", "file a-list=xxx"))), "changed a-list")
}

func TestFlags(t *testing.T) {
	for _, c := range []struct {
		name      string
		elsewhere map[string][]Standing
		read      []Read
		want      string
		left      int
	}{
		{"the same of two sources", nil, []Read{source("a", "flag list=X", "carried x"), source("b", "flag list=X")}, "watch = monitor; list = X", 0},
		{"proposed by one and meant by another", nil, []Read{source("a", "off list=X"), source("b", "flag list=X")}, "watch = monitor; list = X", 0},
		{"only proposed", nil, []Read{source("a", "off list=X")}, "#list = X", 0},
		{"two values where one counts", nil, []Read{source("a", "flag max=1"), source("b", "carried x", "flag max=2", "changed y")}, "max = 1; #max = 2", 2},
		{"elsewhere already", map[string][]Standing{"list": {{"X", "/m.conf:1"}}}, []Read{source("a", "flag list=X", "carried x")}, "#list = X", 0},
		{"otherwise elsewhere", map[string][]Standing{"max": {{"9", "/m.conf:1"}}}, []Read{source("a", "flag max=1", "carried x")}, "#max = 1", 1},
		{"a value of several lines", nil, []Read{source("a", "flag other=x\ny")}, "other = x y", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t)
			h.elsewhere = c.elsewhere
			p := h.apply(c.read...)
			h.want("lines", h.lines(), c.want)
			if left := p.Report(nil).Totals[Left]; left != c.left {
				t.Errorf("%d items are left, want %d", left, c.left)
			}
		})
	}
	h := newHost(t)
	if _, err := NewPlan(h.Target, []Read{source("a", "flag none=1")}); err == nil {
		t.Error("a flag that is none was taken")
	}
	for _, name := range []string{"b-list", "../a", "a/b"} {
		if _, err := NewPlan(h.Target, []Read{source("a", "file "+name+"=x")}); err == nil {
			t.Errorf("a may write %s", name)
		}
	}
}

// What mailweir does not take becomes a comment with its words, which name the file as it will be.
func TestRefusedLine(t *testing.T) {
	h := newHost(t)
	h.wrong = func(text string) error {
		for line := range strings.Lines(text) {
			if name, found := strings.CutPrefix(strings.TrimSpace(line), "list = "); found && strings.HasSuffix(name, "a-bad") {
				return errors.New(name + ":1: is rubbish")
			}
		}
		return nil
	}
	p := h.apply(source("a", "file a-bad=x", "flag other=A", "flag list="+filepath.Join(h.Dir, "a-bad"), "carried x"), source("b", "flag list=B"))
	h.want("lines", strings.ReplaceAll(h.lines(), h.Dir, "DIR"), "watch = monitor; other = A; #list = DIR/a-bad; list = B")
	r := p.Report(nil)
	if want := "mailweir check says " + filepath.Join(h.Dir, "a-bad") + ":1: is rubbish"; r.Items[0].Fate != Left || r.Items[0].Reason != want {
		t.Errorf("%+v, want %s", r.Items[0], want)
	}
	h.wrong = func(string) error { return errors.New("mailweir.conf:1: wrong") }
	var already *ConfigError
	if _, err := NewPlan(h.Target, []Read{source("a", "flag list=X")}); !errors.As(err, &already) {
		t.Error(err)
	}
	h.edit(h.Fragment, "list = mine\n")
	if _, err := NewPlan(h.Target, []Read{source("a", "flag list=X")}); err == nil || !strings.Contains(err.Error(), "which you have edited") {
		t.Error(err)
	}
}

// Where the configuration does not pass once all is written, everything becomes what it was.
func TestTakenBack(t *testing.T) {
	h := newHost(t)
	first := []Read{source("a", "file a-list=x", "flag list=/a-list")}
	h.apply(first...)
	before := h.lines()
	p := h.plan(source("a", "file a-list=xx", "secret a-key=k", "flag list=/a-list", "flag other=O"))
	h.wrong = func(string) error { return errors.New("the disk is another one") }
	err := p.Apply(time.Now())
	if err == nil || !strings.Contains(err.Error(), "nothing was imported; all files are as they were") {
		t.Error(err)
	}
	h.want("lines", h.lines(), before)
	h.want("the table", h.text("a-list"), fileHead+"x\n")
	h.want("the key", h.text("a-key"), "")
	h.wrong = func(string) error { return nil }
	if !h.plan(first...).Nothing() {
		t.Error("the next run takes something for edited")
	}
}

func TestChangedMeanwhile(t *testing.T) {
	h := newHost(t)
	h.apply(source("a", "file a-list=x"))
	p := h.plan(source("a", "file a-list=xx"))
	h.edit("a-list", "mine")
	if err := p.Apply(time.Now()); err == nil || !strings.Contains(err.Error(), "was changed meanwhile") {
		t.Error(err)
	}
	h.want("the table", h.text("a-list"), "mine")
	h.edit("a-list", fileHead+"x\n")
	unlock, err := p.lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if err := p.Apply(time.Now()); err == nil || !strings.Contains(err.Error(), "another mailweir import is at work") {
		t.Error(err)
	}
}

// A run that was killed after some of its files leaves nothing that the next one takes for edited.
func TestInterrupted(t *testing.T) {
	h := newHost(t)
	h.apply(source("a", "file a-list=x", "flag list=/a-list"))
	next := source("a", "file a-list=xx", "file a-new=n", "flag list=/a-list", "flag list=/a-new")
	p := h.plan(next)
	if err := p.announce(); err != nil {
		t.Fatal(err)
	}
	for _, c := range p.changes()[:2] {
		if err := c.put(c.after); err != nil {
			t.Fatal(err)
		}
	}
	h.want("the next run", what(h.plan(next)), "same a-list, same a-new, changed 40-import.conf")
	h.want("one that goes on from there", what(h.apply(source("a", "file a-list=xxx", "file a-new=n", "flag list=/a-list"))), "changed a-list, same a-new, same 40-import.conf")
}

// What cannot be read now that an earlier run has read takes nothing away, until it is named no
// more.
func TestLostFile(t *testing.T) {
	h := newHost(t)
	seen := func(r Read, files map[string]error) Read {
		r.Files = files
		return r
	}
	gone := &os.PathError{Op: "open", Path: "/old/x", Err: errors.New("it is away")}
	whole := source("a", "file a-list=x", "flag list=/a-list", "carried x")
	h.apply(seen(whole, map[string]error{"/old/x": nil, "/old/never": gone}), source("b", "flag other=B"))
	lines := h.lines()
	for range 2 {
		p := h.apply(seen(source("a", "left x"), map[string]error{"/old/x": gone}), source("b", "flag other=B"))
		h.want("lines", h.lines(), lines)
		h.want("the table", h.text("a-list"), fileHead+"x\n")
		if notes := p.Report(nil).Notes; len(notes) != 1 || !strings.HasPrefix(notes[0], "/old/x was read by an earlier import and cannot be read now (it is away)") {
			t.Errorf("%q", notes)
		}
	}
	p := h.apply(seen(whole, map[string]error{"/old/x": nil, "/old/never": gone}), source("b", "flag other=B"))
	h.want("a file that never was there", fmt.Sprint(p.Report(nil).Notes), "[]")
	h.apply(source("a"), source("b", "flag other=B"))
	h.want("named no more", h.lines(), "other = B")
}
