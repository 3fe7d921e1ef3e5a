package headerchecks

import (
	"fmt"
	"slices"
	"strings"

	"mailweir/internal/importing"
)

// definition is a content definition in the making.
type definition struct {
	name, kind string
	monitor    bool
	inbound    bool
	exceptions []*rule
	list       list
	rules      []definedRule
}

// definedRule is a rule with how many exceptions from it Postfix has.
type definedRule struct {
	*rule
	exceptions int
}

// scans are the sections of a message in which each kind of definition looks.
var scans = map[string]string{"subject": "subject", "headers": "headers", "body": "body html"}

// mostDefinitions of one kind are made: rules behind ever more exceptions share the last one, with
// all exceptions of all of them.
const mostDefinitions = 8

// definition is that of a kind and its exceptions, which is made if it is not there.
func (w *writer) definition(kind string, monitor bool, exceptions []*rule) *definition {
	n := 1
	var last *definition
	for _, d := range w.definitions {
		if d.kind != kind || d.monitor != monitor {
			continue
		}
		if slices.Equal(d.exceptions, exceptions) {
			return d
		}
		n++
		last = d
	}
	if n > mostDefinitions {
		for _, s := range exceptions {
			if !slices.Contains(last.exceptions, s) {
				last.exceptions = append(last.exceptions, s)
			}
		}
		return last
	}
	name := Name + "-" + kind
	if monitor {
		name += "-monitored"
	}
	if n > 1 {
		name += fmt.Sprintf("-%d", n)
	}
	d := &definition{name: name + ".def", kind: kind, monitor: monitor, inbound: w.inbound, exceptions: slices.Clone(exceptions)}
	w.definitions = append(w.definitions, d)
	return d
}

// add adds an entry.
func (d *definition) add(r *rule, line string, exceptions int) {
	d.list.add(r, line, "")
	d.rules = append(d.rules, definedRule{r, exceptions})
}

// settle says of rules what only the whole definition shows.
func (d *definition) settle() {
	for _, s := range d.exceptions {
		s.exempts(d.name)
	}
	for _, r := range d.rules {
		if r.exceptions < len(d.exceptions) {
			r.fate = importing.Changed
			r.reason += "; exceptions for other rules count, too"
		}
	}
}

// text is the file of a definition.
func (d *definition) text() string {
	var b strings.Builder
	b.WriteString("# Each entry fires by itself.\n!activation 1\n")
	fmt.Fprintf(&b, "!scan %s\n", scans[d.kind])
	if d.inbound {
		b.WriteString("!direction inbound\n")
	}
	if d.monitor {
		b.WriteString("!action monitor\n")
	}
	b.WriteByte('\n')
	for _, s := range d.exceptions {
		text, _ := s.exclusion(d.kind) // each was tried before
		fmt.Fprintf(&b, "# %s\n%s\n", s.place(), text)
	}
	for _, line := range d.list.lines {
		b.WriteString(strings.TrimRight(line, "\t") + "\n")
	}
	return b.String()
}
