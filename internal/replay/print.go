package replay

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/terminal"
)

// Printer prints results for people, or as JSON.
type Printer struct {
	out  io.Writer
	json *json.Encoder
}

// NewPrinter returns a printer of text or JSON.
func NewPrinter(out io.Writer, asJSON bool) *Printer {
	p := &Printer{out: out}
	if asJSON {
		p.json = json.NewEncoder(out)
		p.json.SetEscapeHTML(false) // addresses stand in angle brackets
	}
	return p
}

var titles = map[Kind]string{
	Unchanged: "unchanged", Refused: "newly refused", Accepted: "newly accepted", Changed: "changed reply", CannotTell: "cannot tell",
}

// Result prints one result.
func (p *Printer) Result(r Result) error {
	if p.json != nil {
		return p.json.Encode(r)
	}
	from := "local"
	if r.Client != "" {
		from = r.Client
	}
	about := fmt.Sprintf("%s  %s  %s  %s  <%s>", r.Time.UTC().Format(time.RFC3339), cmp.Or(r.ID, "-"), titles[r.Kind], from, terminal.Text(r.Sender))
	if r.Recipient != "" {
		about += " → <" + terminal.Text(r.Recipient) + ">"
	}
	lines := []string{about, "    then: " + r.From.text()}
	if r.Kind == CannotTell {
		for _, u := range r.Unknown {
			lines = append(lines, "    "+u.Check+" cannot tell: "+terminal.Text(u.Why))
		}
	} else {
		lines = append(lines, "    now:  "+r.To.text())
	}
	if r.Note != "" {
		lines = append(lines, "    "+r.Note)
	}
	_, err := fmt.Fprintln(p.out, strings.Join(lines, "\n"))
	return err
}

// text is a decision in print.
func (d Decision) text() string {
	text := d.Fate.String()
	if !d.Refuses() {
		return text
	}
	text += " by " + d.Check
	if d.Line.Code() != 0 {
		text += ": " + d.Line.String()
	} else if d.Reply != "" {
		text += ": reply " + d.Reply
	}
	if d.Cause != "" {
		text += " (" + terminal.Text(d.Cause) + ")"
	}
	return text
}

// Sums prints what a replay comes to.
func (p *Printer) Sums(s *Sums) error {
	if p.json != nil {
		return p.json.Encode(map[string]any{"sums": s, "blind": s.blind()})
	}
	if s.Decisions == 0 {
		_, err := fmt.Fprintln(p.out, "there is no mail of that time in the record")
		return err
	}
	fmt.Fprintf(p.out, "%s about %s, from %s to %s\n", count(s.Decisions, "decision"), count(s.Messages, "message"), terminal.Time(s.Oldest), terminal.Time(s.Newest))
	table := terminal.NewTable(p.out)
	for _, kind := range Kinds {
		table.Row("  "+titles[kind], s.Kinds[kind], byCount(s.Checks[kind]))
	}
	for _, u := range s.blind() {
		table.Row("", u.N, fmt.Sprintf("%s: %s", u.Check, u.Why))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, note := range s.notes() {
		if _, err := fmt.Fprintln(p.out, "note:", note); err != nil {
			return err
		}
	}
	return nil
}

// blind are the checks whose answer was not recorded, with how often.
type blind struct {
	Unknown
	N int `json:"count"`
}

func (s *Sums) blind() []blind {
	list := []blind{}
	for u, n := range s.Blind {
		list = append(list, blind{u, n})
	}
	slices.SortFunc(list, func(a, b blind) int {
		return cmp.Or(b.N-a.N, strings.Compare(a.Check, b.Check), strings.Compare(a.Why, b.Why))
	})
	return list
}

func (s *Sums) notes() (notes []string) {
	if s.Unnamed > 0 {
		notes = append(notes, fmt.Sprintf("%d recipients are not judged: the record names the first %d of a message", s.Unnamed, policy.MaxEventRecipients))
	}
	if s.LeftOut > 0 {
		notes = append(notes, fmt.Sprintf("of %d messages the record has not all that was asked; a check may lack it", s.LeftOut))
	}
	if s.Kinds[CannotTell] > 0 {
		notes = append(notes, "a check repeats what it said then where its settings and lists are those of then")
	}
	return notes
}

func byCount(checks map[string]int) string {
	names := slices.SortedFunc(maps.Keys(checks), func(a, b string) int { return cmp.Or(checks[b]-checks[a], strings.Compare(a, b)) })
	words := make([]string, 0, len(names))
	for _, name := range names {
		words = append(words, fmt.Sprintf("%s %d", cmp.Or(name, "-"), checks[name]))
	}
	return strings.Join(words, ", ")
}

// count is a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
