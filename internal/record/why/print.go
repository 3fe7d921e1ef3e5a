package why

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/terminal"
)

// page writes titles and texts for a terminal. Every text is cleaned on its way.
type page struct {
	out io.Writer
	err error
}

func (p *page) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format, args...)
	}
}

// title begins a section.
func (p *page) title(text string) { p.printf("\n%s\n", text) }

// line writes an indented line.
func (p *page) line(texts ...string) {
	texts = slices.DeleteFunc(texts, func(s string) bool { return s == "" })
	p.printf("  %s\n", terminal.Text(strings.Join(texts, " ")))
}

// named writes a label and a text.
func (p *page) named(label, text string) {
	p.printf("  %-16s %s\n", label, terminal.Text(text))
}

// Write tells a decision to people.
func (t *Telling) Write(out io.Writer) error {
	p := &page{out: out}
	p.printf("%s: %s\n", terminal.Text(t.ID), terminal.Text(t.Summary))
	p.title("Who and what")
	for _, f := range t.Facts {
		p.named(f.Label, f.Text)
	}
	t.writeDecision(p)
	t.writeSum(p)
	t.writeAround(p)
	t.writeWays(p)
	if len(t.ForSender) > 0 {
		p.title("For the sender, to paste")
		for _, s := range t.ForSender {
			p.line(s)
		}
	}
	if t.Again != "" {
		p.printf("\n%s\n", t.Again)
	}
	return p.err
}

func (t *Telling) writeDecision(p *page) {
	p.title("Why")
	check := t.Check.Name
	if t.Check.Title != "" {
		check += " (" + t.Check.Title + ")"
	}
	p.named("check", check)
	p.named("mode", t.Check.Mode.String()+": "+t.Check.Says)
	p.named("stage", t.Check.Stage.String())
	if t.Cause != "" {
		p.named("cause", t.Cause)
	}
	for _, at := range t.Places {
		p.named("at", at.String())
	}
	if t.Err != "" {
		p.named("error", t.Err)
	}
	if text := policy.EditText(t.Edits); text != "" {
		p.named("change", text)
	}
	for _, q := range t.Queries {
		p.named("asked", q.Question+" → "+q.Answer)
	}
	if r := t.Reply; r != nil {
		label := "reply"
		if t.Event.Action == policy.ActionWould {
			label = "reply, not sent"
		}
		p.named(label, r.Line)
		name := r.ID
		if r.Row != "" {
			name += ", row " + r.Row
		}
		if r.Overridden {
			name += ", in the words of --replies"
		}
		p.named("declared as", name)
		p.named("what happened", r.Description)
		p.named("what to do", r.Resolution)
	}
}

func (t *Telling) writeSum(p *page) {
	s := t.Sum
	if s == nil {
		return
	}
	p.title(fmt.Sprintf("×%d: that many decisions share this id", s.Times))
	p.named("alike", s.Alike)
	p.named("from, to", terminal.Time(s.First)+", "+terminal.Time(s.Last))
	if s.ClientCount > 1 {
		p.named("clients", listed(s.Clients, s.ClientCount))
	}
	if s.SenderCount > 1 {
		p.named("senders", listed(s.Senders, s.SenderCount))
	}
	if s.RecipientCount > 1 {
		p.named("recipients", listed(s.Recipients, s.RecipientCount))
	}
}

// listed names the first of several.
func listed[T any](list []T, count int) string {
	const shown = 20
	var names []string
	for _, one := range list[:min(len(list), shown)] {
		names = append(names, fmt.Sprint(one))
	}
	text := strings.Join(names, " ")
	if more := count - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func (t *Telling) writeAround(p *page) {
	if m := t.Message; m != nil {
		p.title("The whole message")
		p.line(fateText(m.Fate) + fmt.Sprintf(" (recipients: %d)", m.RecipientCount))
		for _, r := range m.Recipients[:min(len(m.Recipients), 10)] {
			p.line(angled(r.Recipient), fateText(r.Fate), byCheck(r.Check, r.Event))
		}
	}
	if len(t.Beside) > 0 {
		p.title("Decided besides, in the same transaction")
		for _, e := range t.Beside {
			p.line(e.ID, e.Action.String()+" by", e.Check+":", orCause(e))
		}
	}
	if t.Became != "" {
		p.title("What became of this mail")
		p.line(t.Became)
	}
	if !t.Event.HasSender || len(t.Event.Recipients) == 0 {
		return
	}
	p.title("Since then, from the same sender to the same recipient")
	if len(t.Since) == 0 {
		p.line("nothing that is recorded")
	}
	for _, s := range t.Since {
		p.line(terminal.Time(s.Time), s.Text, unsaid(s.Text, s.ID), queue(s.QueueID))
	}
}

func byCheck(check, id string) string {
	text := ""
	if check != "" {
		text = "by the check " + check
	}
	if id != "" {
		text = strings.TrimSpace(text + " " + id)
	}
	return text
}

func queue(id string) string {
	if id == "" {
		return ""
	}
	return "(queue id " + id + ")"
}

func orCause(e *policy.Event) string {
	if text := e.Line.String(); text != "" {
		return text
	}
	return e.Cause
}

func (t *Telling) writeWays(p *page) {
	p.title("What lets such mail pass")
	for i, w := range t.Ways {
		if i > 0 {
			p.line("or:")
		}
		w.write(p)
	}
}

func (w Way) write(p *page) {
	switch {
	case w.Command != "":
		p.printf("  %s\n", terminal.Text(w.Command))
	case w.Table != "" && w.Entry == "":
	case w.Table != "" && len(w.Files) > 0:
		p.line("the line", quoted(w.Entry), "in", strings.Join(w.Files, ", "), "(--"+w.Table+"), then mailweir reload")
	case w.Table != "":
		p.line("the line", quoted(w.Entry), "in the table of --"+w.Table+", then mailweir reload")
	case w.Setting != "":
		p.line("--"+w.Setting, "in the configuration, then mailweir reload")
	}
	says := w.Says
	if w.Vouched && !w.Sure {
		says += " It is not recorded whether anything vouches for this sender."
	}
	p.printf("    %s\n", terminal.Text(says))
}

func quoted(s string) string { return "“" + s + "”" }

// Write tells a trace to people.
func (t *Trace) Write(out io.Writer) error {
	p := &page{out: out}
	p.printf("%s\n", terminal.Text(t.head()))
	if len(t.Attempts) > 0 {
		p.title("Attempts")
	}
	for _, a := range t.Attempts {
		p.line(terminal.Time(a.Time), fmt.Sprintf("mail %d", a.Mail)+a.again()+":", whose(a)+":", a.Text, unsaid(a.Text, a.ID), queue(a.QueueID))
	}
	if len(t.Mails) > 0 {
		p.title("What became of them")
	}
	for i, m := range t.Mails {
		p.line(fmt.Sprintf("mail %d:", i+1), angled(m.Sender), "to", angled(m.Recipient)+":", m.Text)
	}
	if t.More {
		p.printf("\nThere is more: the record has so many entries that the later ones are left out. Take a shorter time.\n")
	}
	p.title("What this does not show")
	for _, u := range t.Unseen {
		p.line("-", u)
	}
	p.title("Look for it in the mail log")
	p.printf("  %s\n", terminal.Text(t.Look))
	return p.err
}

func (t *Trace) head() string {
	var words []string
	if t.From != "" {
		words = append(words, "from "+t.From)
	}
	if t.To != "" {
		words = append(words, "to "+t.To)
	}
	if !t.Since.IsZero() {
		words = append(words, "since "+terminal.Time(t.Since))
	}
	if !t.Until.IsZero() {
		words = append(words, "until "+terminal.Time(t.Until))
	}
	text := strings.Join(words, " ") + ": "
	if len(t.Attempts) == 0 {
		return "Mail " + text + "no attempt is in the record."
	}
	return fmt.Sprintf("Mail %s%s of %s.", text, count(len(t.Attempts), "attempt"), count(len(t.Mails), "mail"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// whose is the envelope of an attempt, and who brought it.
func whose(a Attempt) string {
	text := angled(a.Sender) + " to " + angled(a.Recipient)
	if a.Client != "" {
		text += " by " + a.Client
	}
	return text
}

// again says how long after the attempt before it came.
func (a Attempt) again() string {
	switch {
	case a.After <= 0:
		return ""
	case a.After < time.Second:
		return " again"
	}
	return " again, " + policy.FormatDuration(a.After.Round(time.Second)) + " later"
}

// unsaid is an id that the text does not have already.
func unsaid(text, id string) string {
	if strings.Contains(text, id) {
		return ""
	}
	return id
}
