package importing

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"mailweir/internal/mta/postfix"
)

// Report is a plan for people and programs.
type Report struct {
	Items []ReportedItem `json:"items"`
	// Gone are lines of earlier runs that the old configuration has no more.
	Gone   []Item         `json:"gone,omitempty"`
	Totals map[Fate]int   `json:"totals"`
	Files  []ReportedFile `json:"files"`
	// Checks are those that what is imported belongs to.
	Checks []string `json:"checks"`
	Notes  []string `json:"notes"`
	// Doubles are the commands that take out of Postfix what is double once the checks are
	// enforced.
	Doubles []command `json:"doubles"`
	// Written says that the files are written.
	Written bool `json:"written"`

	again bool
	plan  *Plan
}

// ReportedItem is an item with the source that it is of.
type ReportedItem struct {
	Item
	Source string `json:"source"`
	// New says that an earlier run did not have it, or said otherwise of it.
	New bool `json:"new"`
}

// ReportedFile is a file and what becomes of it: new, changed, same, removed or kept.
type ReportedFile struct {
	Path  string `json:"path"`
	What  string `json:"what"`
	Lines int    `json:"lines"`
	// Why says why a file is kept.
	Why string `json:"why,omitempty"`
}

// Report says what the plan would do. from is the Postfix that was read, nil for none.
func (p *Plan) Report(from *postfix.Postfix) *Report {
	r := &Report{Totals: map[Fate]int{Carried: 0, Changed: 0, Left: 0}, Checks: p.checks(), Notes: p.notes, plan: p}
	var doubles []Double
	for _, name := range p.read {
		doubles = append(doubles, p.doubles[name]...)
		e, old := p.next.Sources[name], p.before.Sources[name]
		r.again = r.again || old != nil
		r.items(name, e, old)
	}
	if from != nil {
		r.Doubles = commands(from, doubles, p.masks)
	}
	for _, c := range p.changes() {
		if c.before != nil || c.after != nil {
			r.Files = append(r.Files, c.reported())
		}
	}
	return r
}

// said is an item without its line, which moves when others are put before it.
type said struct {
	fate               Fate
	file, text, reason string
}

func (i Item) said() said { return said{i.Fate, i.File, i.Text, i.Reason} }

// items compares those of a source with what an earlier run said.
func (r *Report) items(source string, e, old *entry) {
	before := map[said]int{}
	if old != nil {
		for _, i := range old.Items {
			before[i.said()]++
		}
	}
	still := map[[2]string]int{}
	for _, i := range e.Items {
		known := before[i.said()] > 0
		if known {
			before[i.said()]--
		}
		still[[2]string{i.File, i.Text}]++
		r.Totals[i.Fate]++
		r.Items = append(r.Items, ReportedItem{i, source, !known})
	}
	if old == nil {
		return
	}
	for _, i := range old.Items {
		if before[i.said()] == 0 {
			continue
		}
		before[i.said()]--
		if still[[2]string{i.File, i.Text}] == 0 { // else it is said again
			r.Gone = append(r.Gone, i)
		}
	}
}

// Fragment is the text of 40-import.conf once all is written, "" for none.
func (p *Plan) Fragment() string {
	if now := p.config.now(); now != nil {
		return *now
	}
	return ""
}

func (c *change) reported() ReportedFile {
	f := ReportedFile{Path: c.path, What: "changed", Why: c.kept}
	text := c.after
	switch {
	case c.kept != "":
		f.What, text = "kept", c.before
	case c.same():
		f.What = "same"
	case c.before == nil:
		f.What = "new"
	case c.after == nil:
		f.What, text = "removed", c.before
	}
	f.Lines = strings.Count(*text, "\n")
	return f
}

// JSON writes the report for programs.
func (r *Report) JSON(out io.Writer) error {
	for _, list := range []*[]string{&r.Checks, &r.Notes} {
		if *list == nil {
			*list = []string{}
		}
	}
	if r.Items == nil {
		r.Items = []ReportedItem{}
	}
	if r.Doubles == nil {
		r.Doubles = []command{}
	}
	e := json.NewEncoder(out)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// Write shows the report to a person. Of a second run it shows the items that are new, unless all
// are wanted.
func (r *Report) Write(out io.Writer, all bool) error {
	var b strings.Builder
	r.writeItems(&b, all || !r.again)
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", oneLine(n))
	}
	r.writeFiles(&b)
	_, err := io.WriteString(out, b.String())
	return err
}

func (r *Report) writeItems(b *strings.Builder, all bool) {
	var shown []Item
	for _, i := range r.Items {
		if all || i.New {
			shown = append(shown, i.Item)
		}
	}
	for len(shown) > 0 {
		n := alike(shown)
		writeFolded(b, shown[:n])
		shown = shown[n:]
	}
	for _, i := range r.Gone {
		fmt.Fprintf(b, "gone    %s %s: was %s: %s\n", i.File, oneLine(i.Text), i.Fate, oneLine(i.Reason))
	}
	since := ""
	if r.again && !all {
		since = fmt.Sprintf("; what is above is new since %s", r.plan.before.At.Local().Format("2006-01-02 15:04"))
		if len(r.Gone) == 0 && !slices.ContainsFunc(r.Items, func(i ReportedItem) bool { return i.New }) {
			since = fmt.Sprintf("; nothing is new since %s", r.plan.before.At.Local().Format("2006-01-02 15:04"))
		}
	}
	fmt.Fprintf(b, "%s: %d carried, %d changed, %d left%s\n", lines(len(r.Items)), r.Totals[Carried], r.Totals[Changed], r.Totals[Left], since)
}

func lines(n int) string {
	if n == 1 {
		return "1 line"
	}
	return fmt.Sprintf("%d lines", n)
}

// fewLines is how many lines are shown one by one, though the same is said of them.
const fewLines = 3

// alike is how many items at the start have the same said of them, and stand in the same file.
func alike(items []Item) (n int) {
	first := items[0]
	for n < len(items) && items[n].Fate == first.Fate && items[n].File == first.File && items[n].Reason == first.Reason && items[n].Line > 0 {
		n++
	}
	if n <= fewLines {
		return 1
	}
	return n
}

func writeFolded(b *strings.Builder, items []Item) {
	first, last := items[0], items[len(items)-1]
	if len(items) == 1 {
		fmt.Fprintf(b, "%-7s %s %s: %s\n", first.Fate, first.Place, oneLine(first.Text), oneLine(first.Reason))
		return
	}
	fmt.Fprintf(b, "%-7s %s:%d-%d %s: %s\n", first.Fate, first.File, first.Line, last.Line, lines(len(items)), oneLine(first.Reason))
}

// writeFiles says what becomes of each file, with the difference where it is short.
func (r *Report) writeFiles(b *strings.Builder) {
	b.WriteByte('\n')
	for i, f := range r.Files {
		fmt.Fprintf(b, "%-8s %s, %s", f.What, f.Path, lines(f.Lines))
		if f.Why != "" {
			fmt.Fprintf(b, ": %s", f.Why)
		}
		b.WriteByte('\n')
		r.writeChange(b, r.plan.shown()[i])
	}
	if len(r.Files) == 0 {
		b.WriteString("There is nothing to write.\n")
	}
}

// shown are the changes as they stand in the report.
func (p *Plan) shown() []*change {
	return slices.DeleteFunc(p.changes(), func(c *change) bool { return c.before == nil && c.after == nil })
}

// mostLines bounds what is shown of a file's difference.
const mostLines = 200

// writeChange shows 40-import.conf whole and of other files what is not new. Secret files are not
// shown.
func (r *Report) writeChange(b *strings.Builder, c *change) {
	isFragment := c.path == r.plan.target.Fragment
	if c.same() || !isFragment && (c.before == nil || c.after == nil || c.mode == secretMode) {
		return
	}
	var before, after string
	if c.before != nil {
		before = *c.before
	}
	if c.after != nil {
		after = *c.after
	}
	if c.kept != "" {
		for _, l := range added(before, after) {
			fmt.Fprintf(b, "  not in it: %s\n", l)
		}
		return
	}
	text := string(diff.Diff("before", []byte(before), "after", []byte(after)))
	n := 0
	for l := range strings.Lines(text) {
		if n++; n <= 4 && !strings.HasPrefix(l, "@@") { // names of files
			continue
		}
		if n > mostLines {
			fmt.Fprintf(b, "… and more\n")
			return
		}
		b.WriteString(l)
	}
}

// added are lines that count and stand only in the second text.
func added(before, after string) (only []string) {
	have := map[string]bool{}
	for l := range strings.Lines(before) {
		have[strings.TrimSpace(l)] = true
	}
	for l := range strings.Lines(after) {
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' || have[l] {
			continue
		}
		if len(only) == mostLines {
			return append(only, "… and more")
		}
		only = append(only, l)
	}
	return only
}

// WriteDone says what remains to be done once all is written.
func (r *Report) WriteDone(out io.Writer) error {
	var b strings.Builder
	switch {
	case r.plan.Nothing():
		b.WriteString("\nNothing was to be written.\n")
	case len(r.Checks) > 0:
		fmt.Fprintf(&b, "\nNext: mailweir reload. Watch what would be refused (mailweir would), then: mailweir enforce %s\n", strings.Join(r.Checks, " "))
	default:
		b.WriteString("\nNext: mailweir reload\n")
	}
	if len(r.Doubles) > 0 {
		b.WriteString("\nNothing of Postfix was changed. Once that is enforced, Postfix need not ask the same; these lines take it out:\n")
		for _, c := range r.Doubles {
			fmt.Fprintf(&b, "  %s\n", c)
		}
		b.WriteString("  postfix reload\n")
	}
	fmt.Fprintf(&b, "What was imported stands in %s and %s.\n", r.plan.target.Dir, filepath.Base(r.plan.target.Fragment))
	_, err := io.WriteString(out, b.String())
	return err
}
