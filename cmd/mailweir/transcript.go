package main

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

// transcript is the dialog of one explained case.
type transcript struct {
	Steps []step   `json:"steps"`
	Off   []offRow `json:"off"`
	Notes []string `json:"notes,omitempty"`
	words []runner.Finding
}

// step is one command of the dialog, what the checks said up to it, and the answer.
type step struct {
	Command string `json:"command"`
	Words   []word `json:"words"`
	Answer  string `json:"answer"`
	Removed string `json:"removed,omitempty"`
	Changed string `json:"changed,omitempty"`
}

// word is one check's word in print.
type word struct {
	Check     string   `json:"check"`
	Stage     string   `json:"stage"`
	Mode      string   `json:"mode"`
	Recipient string   `json:"recipient,omitempty"`
	Says      string   `json:"says"`
	Reply     string   `json:"reply,omitempty"`
	By        string   `json:"by,omitempty"`
	Cause     string   `json:"cause,omitempty"`
	Asked     []string `json:"asked,omitempty"`
}

type offRow struct {
	Check string `json:"check"`
	Why   string `json:"why"`
}

func (t *transcript) tell(w runner.Finding) { t.words = append(t.words, w) }

// play runs the dialog.
func (t *transcript) play(s *runner.Session, facts policy.ConnectFacts, f *explainFlags, m *message) {
	s.Connect(facts)
	helo := policy.HeloFacts{Name: f.helo, TLS: policy.TLS{Version: f.tls, Bits: f.bits, CertSubject: f.cert}}
	greeted := s.Helo(helo)
	t.step("HELO "+f.helo, greeted)
	begun := s.Mail(policy.MailFacts{Sender: trimmed(f.from), Size: f.size, SMTPUTF8: f.smtputf8, Login: f.login})
	t.step("MAIL FROM:<"+trimmed(f.from)+">", begun)
	ended := greeted.Refuses() || begun.Refuses()
	if ended {
		t.Notes = append(t.Notes, "the client was refused before RCPT, so nothing more would be sent; what is said of it is shown all the same")
	}
	accepted := 0
	for _, to := range f.to {
		answer := s.Rcpt(policy.RcptFacts{Recipient: trimmed(to), Spelling: "<" + trimmed(to) + ">"})
		t.step("RCPT TO:<"+trimmed(to)+">", answer)
		if !answer.Refuses() {
			accepted++
		}
	}
	if m == nil {
		return
	}
	if accepted == 0 && !ended {
		t.Notes = append(t.Notes, "every recipient was refused, so the message would not be sent; what is said of it is shown all the same")
	}
	for _, field := range m.fields {
		s.Header(field, "")
	}
	s.EndOfHeaders()
	const chunk = 65535
	for body := m.body; len(body) > 0; {
		n := min(len(body), chunk)
		s.Body(body[:n])
		body = body[n:]
	}
	t.step("end of the message", s.EndOfMessage(""))
}

func trimmed(address string) string {
	return strings.TrimSuffix(strings.TrimPrefix(address, "<"), ">")
}

// step closes a step with its answer. The first objection to be enforced, in the order of the
// words, is the answer.
func (t *transcript) step(command string, a policy.Answer) {
	st := step{Command: command, Words: []word{}, Answer: "go on"}
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

func printed(w runner.Finding) word {
	p := word{
		Check: w.Check, Stage: w.Stage.String(), Mode: w.Mode.String(), Recipient: w.Recipient, Says: w.Says.String(),
		Reply: w.Reply, By: w.By, Cause: w.Cause,
	}
	for _, q := range w.Trace {
		p.Asked = append(p.Asked, q.Question+" → "+q.Answer)
	}
	return p
}

// off notes the checks that have nothing to do.
func (t *transcript) off(p *runner.Policy) {
	for _, c := range p.Checks() {
		if c.Off != "" {
			t.Off = append(t.Off, offRow{c.Check.Name, c.Off})
		}
	}
}

func (t *transcript) writeJSON(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false) // addresses stand in angle brackets
	return e.Encode(t)
}

func (t *transcript) write(out io.Writer) error {
	for _, st := range t.Steps {
		fmt.Fprintln(out, st.Command)
		table := terminal.NewTable(out)
		for _, row := range st.rows() {
			table.Row(row...)
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

// rows are the words of the step, each once: a check that looks at client and recipient and has
// nothing against either says the same twice. What a check asked stands in rows of its own.
func (st *step) rows() (rows [][]any) {
	var said []word
	for _, w := range st.Words {
		if slices.ContainsFunc(said, w.reads) {
			continue
		}
		said = append(said, w)
		rows = append(rows, []any{"  " + w.Check, w.Mode, w.text()})
		for _, a := range w.Asked {
			rows = append(rows, []any{"", "", a})
		}
	}
	return rows
}

// reads reports whether two words read the same.
func (w word) reads(other word) bool {
	return w.Check == other.Check && w.Mode == other.Mode && w.text() == other.text() && slices.Equal(w.Asked, other.Asked)
}

// text is a word on one line.
func (w word) text() string {
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
	if w.Recipient != "" {
		text += " <" + w.Recipient + ">"
	}
	return text
}
