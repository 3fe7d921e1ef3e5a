package content

import (
	"fmt"
	"io"
	"strings"
)

// Explain writes the working of an examination for a person: definitions, entries with counts,
// limits, symptoms, files. Matched texts are shown where Options.KeepText has kept them.
func (r *Result) Explain(out io.Writer) error {
	var b strings.Builder
	for i := range r.Outcomes {
		r.Outcomes[i].explain(&b)
	}
	for _, l := range r.Reached {
		fmt.Fprintf(&b, "limit reached: %s\n", l)
	}
	for _, s := range r.Symptoms {
		fmt.Fprintf(&b, "symptom: %s\n", s)
	}
	if r.Hidden > 0 {
		fmt.Fprintf(&b, "hidden text: %d times\n", r.Hidden)
	}
	for i := range r.Parts {
		r.Parts[i].explain(&b)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (o *Outcome) explain(b *strings.Builder) {
	verdict := "does not fire"
	if o.Fired {
		verdict = "fires: " + string(o.Definition.Action)
	}
	fmt.Fprintf(b, "%s: score %d of %d, %s\n", o.Definition.Name, o.Score, o.Definition.Activation, verdict)
	for _, h := range o.Hits {
		fmt.Fprintf(b, "  %s %s: %d times, adds %d (%s)\n", h.Entry.Position(), h.Entry.Kind, h.Count, h.Added, h.places())
		for _, text := range h.Texts {
			fmt.Fprintf(b, "    %q\n", text)
		}
	}
	for _, e := range o.Missing {
		fmt.Fprintf(b, "  %s required: does not occur\n", e.Position())
	}
	if o.Excluded != nil {
		fmt.Fprintf(b, "  %s %s: occurs, so the definition does not fire\n", o.Excluded.Position(), o.Excluded.Kind)
	}
}

// places tells how often the entry occurs in each section.
func (h *Hit) places() string {
	var list []string
	for i, n := range h.counts {
		if n > 0 {
			list = append(list, fmt.Sprintf("%s %d", sectionNames[i], n))
		}
	}
	return strings.Join(list, ", ")
}

func (p *Part) explain(b *strings.Builder) {
	fmt.Fprintf(b, "file %q: %d octets", p.Name, p.Size)
	if p.Real != "" {
		fmt.Fprintf(b, ", %s", p.Real)
	}
	if p.Declared != "" && p.Declared != p.Real {
		fmt.Fprintf(b, " declared as %s", p.Declared)
	}
	for _, fact := range []struct {
		is   bool
		name string
	}{
		{p.Executable, "executable"},
		{p.Script, "script"},
		{p.Macros, "macros"},
		{p.Encrypted, "encrypted"},
		{p.Disguised(), "disguised"},
		{p.DoubleExtension(), "double extension"},
	} {
		if fact.is {
			b.WriteString(", " + fact.name)
		}
	}
	b.WriteString("\n")
}
