package explain

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"mailweir/internal/policy"
	"mailweir/internal/runner"
	"mailweir/internal/terminal"
)

// Transcript is the dialog of one explained case.
type Transcript struct {
	Steps []Step `json:"steps"`
	// Off are the checks that have nothing to do.
	Off []Off `json:"off"`
	// Notes say where the case was not played as mail would be.
	Notes []string `json:"notes,omitempty"`

	words []runner.Finding
}

// Step is one command of the dialog, what the checks said up to it, and the answer.
type Step struct {
	Command string `json:"command"`
	Words   []Word `json:"words"`
	Answer  string `json:"answer"`
	Removed string `json:"removed,omitempty"`
	Changed string `json:"changed,omitempty"`
}

// Word is what one check says, in print.
type Word struct {
	Check     string `json:"check"`
	Stage     string `json:"stage"`
	Mode      string `json:"mode"`
	Recipient string `json:"recipient,omitempty"`
	Says      string `json:"says"`
	Reply     string `json:"reply,omitempty"`
	By        string `json:"by,omitempty"`
	Cause     string `json:"cause,omitempty"`
	// ByHand tells by whose order the check only monitors.
	ByHand string   `json:"by_hand,omitempty"`
	Asked  []string `json:"asked,omitempty"`
}

// Off is a check that has nothing to do.
type Off struct {
	Check string `json:"check"`
	Why   string `json:"why"`
}

// step closes a step with its answer. The first objection to be enforced, in the order of the
// words, is the answer.
func (t *Transcript) step(command string, a policy.Answer) {
	st := Step{Command: command, Words: []Word{}, Answer: "go on"}
	st.Removed, st.Changed = printedEdits(a.Edits)
	if a.Refuses() {
		st.Answer = a.Line.String()
	}
	slices.SortStableFunc(t.words, func(a, b runner.Finding) int { return cmp.Compare(a.Place, b.Place) })
	for _, w := range t.words {
		st.Words = append(st.Words, printed(w))
	}
	t.words = nil
	t.Steps = append(t.Steps, st)
}

// printedEdits are the recipients who are taken off the message, and its other edits.
func printedEdits(edits []policy.Edit) (removed, changed string) {
	var off []string
	var others []policy.Edit
	for _, e := range edits {
		if e.Kind == policy.EditRemoveRecipient {
			off = append(off, e.Value)
		} else {
			others = append(others, e)
		}
	}
	return strings.Join(off, ", "), policy.EditText(others)
}

func printed(w runner.Finding) Word {
	p := Word{
		Check: w.Check, Stage: w.Stage.String(), Mode: w.Mode.String(), Recipient: w.Recipient, Says: w.Says.String(),
		Reply: w.Reply, By: w.By, Cause: w.Cause, ByHand: w.ByHand,
	}
	for _, q := range w.Trace {
		p.Asked = append(p.Asked, q.Question+" → "+q.Answer)
	}
	return p
}

// off notes the checks that have nothing to do.
func (t *Transcript) off(p *runner.Policy) {
	for _, c := range p.Checks() {
		if c.Off != "" {
			t.Off = append(t.Off, Off{c.Check.Name, c.Off})
		}
	}
}

// WriteJSON prints it as JSON.
func (t *Transcript) WriteJSON(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false) // addresses stand in angle brackets
	return e.Encode(t)
}

// Write prints it for people.
func (t *Transcript) Write(out io.Writer) error {
	for _, st := range t.Steps {
		fmt.Fprintln(out, st.Command)
		table := terminal.NewTable(out)
		for _, w := range st.Said() {
			table.Row("  "+w.Check, w.Mode, w.Text())
			for _, a := range w.Asked {
				table.Row("", "", a) // in rows of their own
			}
		}
		if err := table.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(out, "  =>", st.Answer)
		if st.Removed != "" {
			fmt.Fprintln(out, "  => removed", st.Removed)
		}
		if st.Changed != "" {
			fmt.Fprintln(out, "  => changed:", st.Changed)
		}
	}
	for _, note := range t.Notes {
		fmt.Fprintln(out, "note:", note)
	}
	if len(t.Off) > 0 {
		fmt.Fprintln(out, "Off:")
	}
	for _, row := range t.Off {
		if _, err := fmt.Fprintf(out, "  %s: %s\n", row.Check, row.Why); err != nil {
			return err
		}
	}
	return nil
}

// Said is what checks say in the step, each once: a check that looks at client and recipient and
// has nothing against either says the same twice.
func (st *Step) Said() (said []Word) {
	for _, w := range st.Words {
		if !slices.ContainsFunc(said, w.reads) {
			said = append(said, w)
		}
	}
	return said
}

// reads reports whether two words read the same.
func (w Word) reads(other Word) bool {
	return w.Check == other.Check && w.Mode == other.Mode && w.Text() == other.Text() && slices.Equal(w.Asked, other.Asked)
}

// Text is a word on one line.
func (w Word) Text() string {
	text := w.Says
	if w.Reply != "" {
		text += ": " + w.Reply
	}
	if w.By != "" {
		text += ", by " + w.By
	}
	if w.Cause != "" {
		text += " (" + w.Cause + ")"
	}
	if w.ByHand != "" && w.Says != runner.SaysNothing.String() {
		text += ", " + w.ByHand
	}
	if w.Recipient != "" {
		text += " <" + w.Recipient + ">"
	}
	return text
}
