package importing

import (
	"fmt"
	"slices"
	"strings"
)

// line is a line of 40-import.conf.
type line struct {
	Flag
	facts *FlagFacts
	// refused says that mailweir does not take it.
	refused bool
}

// lines are those of all flags. What stands elsewhere already, or is said otherwise there, becomes
// a comment.
func (p *Plan) lines(flags []Flag) error {
	for _, f := range flags {
		facts := p.target.Flag(f.Name)
		if facts == nil {
			return fmt.Errorf("there is no flag --%s", f.Name)
		}
		l := &line{Flag: f, facts: facts}
		if other := p.line(f.Name, f.Value, facts.Repeatable); other != nil {
			if other.Value != f.Value {
				p.overruled(l, "already "+other.Value+" by "+places(other.From))
			} else {
				for _, at := range f.From {
					if !slices.Contains(other.From, at) {
						other.From = append(other.From, at)
					}
				}
				if other.Off != "" && f.Off == "" {
					other.Off = "" // one of its sources means it
				}
				continue
			}
		}
		p.elsewhere(l)
		p.all = append(p.all, l)
	}
	return nil
}

// line finds the one of a flag with that value; that of another value where only one counts.
func (p *Plan) line(name, value string, repeatable bool) *line {
	for _, l := range p.all {
		if l.Name == name && (l.Value == value || !repeatable && l.Off == "") {
			return l
		}
	}
	return nil
}

// elsewhere makes a line a comment that somebody has written in another file.
func (p *Plan) elsewhere(l *line) {
	for _, s := range l.facts.Elsewhere {
		switch {
		case l.Off != "":
		case s.Value == l.Value:
			l.Off = s.At + " says so already"
		case !l.facts.Repeatable:
			p.overruled(l, fmt.Sprintf("%s says %s = %s, which stays", s.At, l.Name, s.Value))
		}
	}
}

// overruled makes a line a comment, and its items are left.
func (p *Plan) overruled(l *line, why string) {
	l.Off = why
	p.leave(l.From, why)
	p.note("%s = %s is only proposed: %s", l.Name, l.Value, why)
}

// checks are those whose flags count, in their order.
func (p *Plan) checks() (names []string) {
	for _, l := range p.all {
		if c := l.facts.Check; l.Off == "" && c != "" && !slices.Contains(names, c) {
			names = append(names, c)
		}
	}
	return names
}

const fragmentHead = `# Written by mailweir import. What you edit here stays: then it is not written over, and the next import shows what it
# would add. To have something else of one flag, rather write it in a later file, such as 70-local.conf.
`

// fragment is the text of 40-import.conf with those of its lines that are chosen; "" for none.
func (p *Plan) fragment(chosen func(*line) bool) string {
	checks := p.checks()
	for _, check := range p.target.Watched {
		if !slices.Contains(checks, check) {
			checks = append(checks, check)
		}
	}
	if len(p.all) == 0 && len(checks) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(fragmentHead)
	first := true
	for _, check := range checks {
		mode := p.target.Mode(check)
		if mode == "" {
			continue
		}
		if first {
			b.WriteString("\n# Nothing is refused before: mailweir enforce CHECK\n")
			first = false
		}
		fmt.Fprintf(&b, "%s = %s\n", check, mode)
	}
	for _, l := range p.all {
		off := l.Off
		if off == "" && !chosen(l) {
			continue
		}
		b.WriteByte('\n')
		if len(l.From) > 0 {
			fmt.Fprintf(&b, "# %s\n", oneLine(places(l.From)))
		}
		if off != "" {
			fmt.Fprintf(&b, "# Not used: %s\n#", oneLine(off))
		}
		fmt.Fprintf(&b, "%s = %s\n", l.Name, oneLine(l.Value))
	}
	return b.String()
}

// mostPlaces bounds how many places stand over a line.
const mostPlaces = 3

func places(at []Place) string {
	var b strings.Builder
	for i, p := range at {
		if i == mostPlaces {
			fmt.Fprintf(&b, " and %d more", len(at)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.String())
	}
	return b.String()
}

// oneLine keeps a text of somebody else's from beginning a line of its own.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}
