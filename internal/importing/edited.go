package importing

import (
	"fmt"
	"slices"
	"strings"
)

// edited accounts for what is not loaded because files of earlier runs stay as somebody has edited
// them. Of a source of which something is not loaded Postfix goes on to need all.
func (p *Plan) edited() {
	for _, name := range p.read {
		e := p.next.Sources[name]
		why := p.leaveFlags(e)
		if file := p.leaveLines(e, p.before.Sources[name]); file != "" {
			why = file
		}
		if why != "" && len(p.doubles[name]) > 0 {
			p.doubles[name] = nil
			p.note("no command is shown that takes what %s does out of Postfix: not all of it is in %s", name, why)
		}
	}
}

// leaveFlags leaves the items whose lines are not in 40-import.conf, and says which file that is;
// "" where all lines are loaded.
func (p *Plan) leaveFlags(e *entry) (file string) {
	var absent []flagEntry
	var loaded []Place
	for _, f := range e.Flags {
		l := p.line(f.Name, f.Value, true)
		switch {
		case f.Off != "" || l == nil:
		case l.refused:
			file = p.target.Fragment
		case l.Off != "" || p.config.kept == "" || hasLine(*p.config.before, f.Name, f.Value):
			loaded = append(loaded, f.From...)
		default:
			file = p.target.Fragment
			absent = append(absent, f)
		}
	}
	for _, f := range absent {
		var words map[string]bool
		if c := p.named(f); c != nil && c.after != nil {
			words = firstWords(*c.after)
		}
		for n := range e.Items {
			i := &e.Items[n]
			its := slices.Contains(f.From, i.Place) || words[firstWord(i.Text)]
			if i.Fate == Left || !isAt(i.Place, f.From) || !its && isAt(i.Place, loaded) {
				continue // what is of the same file may be in another line, which is loaded
			}
			i.Fate, i.Reason = Left, fmt.Sprintf("%s = %s is not written into %s", f.Name, f.Value, p.config.unwritten())
		}
	}
	return file
}

// named is the file that a flag names, nil for none of ours.
func (p *Plan) named(f flagEntry) *change {
	for _, c := range p.files {
		if f.Value == c.path || strings.HasSuffix(f.Value, ":"+c.path) {
			return c
		}
	}
	return nil
}

// unwritten names a file that stays as it is, and says what to do.
func (c *change) unwritten() string {
	why := "which was edited"
	if c.kept == notOurs {
		why = "which mailweir import has not written"
	}
	return fmt.Sprintf("%s, %s: add it there, or move the file away and import again", c.path, why)
}

// hasLine reports whether a text of flags has that line.
func hasLine(text, name, value string) bool {
	for line := range strings.Lines(text) {
		left, right, _ := strings.Cut(line, "=")
		if strings.TrimSpace(left) == name && strings.TrimSpace(right) == oneLine(value) {
			return true
		}
	}
	return false
}

// keptFile is a file that stays as somebody has edited it.
type keptFile struct {
	*change
	from       []Place
	has, lacks map[string]bool // by the first words of lines
}

// leaveLines leaves the items whose lines are not in a file that was edited. It names one that
// lacks something, "" for none.
func (p *Plan) leaveLines(e, old *entry) (file string) {
	kept, others := p.keptFiles(e)
	if len(kept) == 0 {
		return ""
	}
	written := map[[2]string]bool{}
	if old != nil {
		for _, i := range old.Items {
			written[[2]string{i.File, i.Text}] = i.Fate != Left
		}
	}
	for n := range e.Items {
		i := &e.Items[n]
		for _, k := range kept {
			word := firstWord(i.Text)
			switch {
			case i.Fate == Left || !isAt(i.Place, k.from):
			case !k.lacks[word] && (k.has[word] || written[[2]string{i.File, i.Text}] || isAt(i.Place, others)):
				// Nobody knows of a line that is written in other words whether somebody has taken
				// it out.
			default:
				i.Fate, i.Reason = Left, "it is not written into "+k.unwritten()
			}
		}
	}
	return kept[0].path
}

// keptFiles are the files of a source that stay as they were edited and lack something; others is
// what its other files come from. What somebody has made of a secret is his own.
func (p *Plan) keptFiles(e *entry) (kept []keptFile, others []Place) {
	for _, c := range p.files {
		var from []Place
		for _, f := range e.Flags {
			if p.named(f) == c {
				from = append(from, f.From...)
			}
		}
		if from == nil || c.after == nil || c.mode == secretMode {
			continue
		}
		if c.kept == "" {
			others = append(others, from...)
			continue
		}
		k := keptFile{c, from, firstWords(*c.before), map[string]bool{}}
		for word := range firstWords(*c.after) {
			if !k.has[word] {
				k.lacks[word] = true
			}
		}
		if len(k.lacks) > 0 {
			kept = append(kept, k)
		}
	}
	return kept, others
}

func firstWords(text string) map[string]bool {
	words := map[string]bool{}
	for line := range strings.Lines(text) {
		if word := firstWord(line); word != "" && word[0] != '#' {
			words[word] = true
		}
	}
	return words
}

func firstWord(line string) string {
	if words := strings.Fields(line); len(words) > 0 {
		return strings.ToLower(words[0])
	}
	return ""
}
