package attach

import (
	"fmt"
	"slices"
	"strings"
)

// Proposal is what mailweir is to know of the mail server.
type Proposal struct {
	// Lines are those of 50-init.conf.
	Lines []Line
	// Tables are files that the lines name, by their names below /etc/mailweir.
	Tables []Table
	// Remarks are sentences for the person who is asked.
	Remarks []string
}

// Line is a flag with its value. One that is only proposed stands there as a comment.
type Line struct {
	Flag, Value string
	// Why says where it comes from.
	Why string
	// Off is why it is a comment, "" for a line that counts.
	Off string
}

// Table is a file that is written for a line.
type Table struct{ Name, Text string }

func (p *Proposal) remark(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(p.Remarks, text) {
		p.Remarks = append(p.Remarks, text)
	}
}

func (p *Proposal) line(flag, value, why string) {
	p.Lines = append(p.Lines, Line{Flag: flag, Value: value, Why: why})
}

func (p *Proposal) comment(flag, value, why, off string) {
	p.Lines = append(p.Lines, Line{Flag: flag, Value: value, Why: why, Off: off})
}

// off makes a line a comment, and says so once for all lines that have the same reason.
func (p *Proposal) off(i int, why string) {
	p.Lines[i].Off = why
	p.remark("%s from %s is only proposed: %s", p.Lines[i].Flag, p.Lines[i].Why, why)
}

// whole makes lines comments that go with one that is: half a list of local domains makes relays of
// the others, half the sources of a domain refuse whom only the other half knows.
func (p *Proposal) whole() {
	broken := make(map[string]string)
	for _, l := range p.Lines {
		if l.Off != "" {
			broken[l.group()] = l.Off
		}
	}
	for i, l := range p.Lines {
		if why := broken[l.group()]; why != "" && l.Off == "" {
			p.Lines[i].Off = "it does not do without another: " + why
		}
	}
}

// group names the lines that only count together.
func (l Line) group() string {
	switch l.Flag {
	case "recipient-source":
		domain, _, _ := strings.Cut(l.Value, "=")
		return l.Flag + " " + domain
	case "local-domains", "sender-login-map":
		return l.Flag
	}
	return l.Flag + " " + l.Value
}

// Text is the file 50-init.conf.
func (p *Proposal) Text() string {
	var b strings.Builder
	b.WriteString("# Written by mailweir init from what the mail server says of itself, and written over when init is run\n" +
		"# again. What is to be otherwise stands in a file of a later name, such as 70-local.conf.\n")
	for _, l := range p.Lines {
		fmt.Fprintf(&b, "\n# %s\n", oneLine(l.Why))
		if l.Off != "" {
			fmt.Fprintf(&b, "# Not used: %s\n#", oneLine(l.Off))
		}
		fmt.Fprintf(&b, "%s = %s\n", l.Flag, oneLine(l.Value))
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

// tableMark stands in a line for the directory of the tables, until it is known.
const tableMark = "\x00"

// settle puts the directory of the tables into the lines.
func (p *Proposal) settle(dir string) {
	for i := range p.Lines {
		p.Lines[i].Value = strings.ReplaceAll(p.Lines[i].Value, tableMark, dir+"/")
	}
}
