package content

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"mailweir/internal/textfile"
)

// Limits of definition files, so that a wrong file name is an error and not an outage.
const (
	maxDefinitionSize = 64 << 20
	maxLineLength     = 4096
	maxIncludeDepth   = 16
	maxReported       = 20
	maxWeight         = 1_000_000
)

// Load reads definition files in the order given. The error joins one line for each fault,
// `FILE:LINE: message`.
func Load(files ...string) ([]*Definition, error) { return ReadSources(files...).Load() }

// readFile refuses what can't be a definition before it fills the memory.
func readFile(name string) ([]byte, error) {
	f, err := textfile.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxDefinitionSize+1))
	if err == nil && len(src) > maxDefinitionSize {
		err = fmt.Errorf("%s: larger than %d MiB, not a definition file", name, maxDefinitionSize>>20)
	}
	return src, err
}

// parser holds one definition in the making.
type parser struct {
	read    func(name string) ([]byte, error)
	skim    bool // for what is read only: entries are passed over
	def     *Definition
	seen    map[string]bool // directives that may stand once
	open    []string        // files being read, outermost first: a file in it again is a cycle
	faults  []error
	omitted int
}

func newParser(file string, read func(string) ([]byte, error)) *parser {
	base := filepath.Base(file)
	p := &parser{
		read: read,
		seen: map[string]bool{},
		def: &Definition{
			Name: strings.TrimSuffix(base, filepath.Ext(base)), File: file,
			Scan: DefaultSections, Action: Reject,
		},
	}
	if p.def.Name == "" {
		p.def.Name = base // ".offers" is no extension of nothing
	}
	return p
}

func loadDefinition(file string, read func(string) ([]byte, error)) (*Definition, error) {
	p := newParser(file, read)
	p.file(file, "")
	if len(p.faults) == 0 {
		p.whole()
	}
	if p.omitted > 0 {
		p.faults = append(p.faults, fmt.Errorf("%s: and %d more faults", file, p.omitted))
	}
	if err := errors.Join(p.faults...); err != nil {
		return nil, err
	}
	return p.def, nil
}

// whole checks what only the complete definition can tell.
func (p *parser) whole() {
	d := p.def
	fault := func(format string, args ...any) {
		p.faults = append(p.faults, fmt.Errorf("%s:1: %s", d.File, fmt.Sprintf(format, args...)))
	}
	switch {
	case d.Activation == 0:
		fault("no !activation: add a line such as `!activation 10`, the score from which the definition fires")
		return
	case len(d.Entries) == 0:
		fault("no entries: the definition can never fire")
		return
	}
	most := 0
	for i := range d.Entries {
		e := &d.Entries[i]
		if e.Kind == Hash && d.Scan&Attachments == 0 {
			p.faults = append(p.faults, fmt.Errorf("%s: a hash entry needs `attachments` in !scan", e.Position()))
		}
		switch {
		case e.Kind.excludes() || e.Weight == 0:
		case e.Max == 0:
			return
		default:
			most = min(most+e.Max, maxScore)
		}
	}
	if most < d.Activation {
		fault("the entries add up to at most %d, below !activation %d: the definition can never fire", most, d.Activation)
	}
}

func (p *parser) fault(file string, line int, format string, args ...any) {
	if len(p.faults) >= maxReported {
		p.omitted++
		return
	}
	p.faults = append(p.faults, fmt.Errorf("%s:%d: %s", file, line, fmt.Sprintf(format, args...)))
}

// file reads one file; from is FILE:LINE of the include, empty for the definition itself.
func (p *parser) file(name, from string) {
	src, err := p.read(name)
	if err != nil {
		if from != "" {
			err = fmt.Errorf("%s: !include: %w", from, err)
		}
		p.faults = append(p.faults, err)
		return
	}
	p.open = append(p.open, filepath.Clean(name))
	defer func() { p.open = p.open[:len(p.open)-1] }()
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if fault := wrongEncoding(src); fault != "" {
		p.fault(name, 1, "%s", fault)
		return
	}
	for number := 1; len(src) > 0; number++ {
		line, rest, _ := bytes.Cut(src, []byte("\n"))
		src = rest
		p.line(name, number, line)
	}
}

// wrongEncoding tells files that were saved in a way in which each line would be a fault, or all
// lines one.
func wrongEncoding(src []byte) string {
	switch {
	case bytes.HasPrefix(src, []byte("\xff\xfe")), bytes.HasPrefix(src, []byte("\xfe\xff")), bytes.IndexByte(src, 0) >= 0:
		return "UTF-16, or no text: save the file in UTF-8"
	case bytes.IndexByte(src, '\r') >= 0 && bytes.IndexByte(src, '\n') < 0:
		return "the lines end in CR alone: save the file with line ends of Unix or Windows"
	}
	return ""
}

func (p *parser) line(file string, number int, raw []byte) {
	if p.skim && bytes.IndexByte(raw, '!') < 0 {
		return
	}
	switch {
	case len(raw) > maxLineLength:
		p.fault(file, number, "line longer than %d octets", maxLineLength)
		return
	case !utf8.Valid(raw):
		p.fault(file, number, "not UTF-8: save the file in UTF-8")
		return
	}
	line := strings.TrimSpace(string(raw))
	switch {
	case line == "" || line[0] == '#':
	case line[0] == '!':
		p.directive(file, number, line[1:])
	case p.skim:
	default:
		entry, err := parseEntry(line)
		if err != nil {
			p.fault(file, number, "%s", err)
			return
		}
		entry.File, entry.Line = file, number
		p.def.Entries = append(p.def.Entries, entry)
	}
}

func (p *parser) directive(file string, line int, text string) {
	name, rest, _ := strings.Cut(text, " ")
	if tab := strings.IndexByte(name, '\t'); tab >= 0 {
		name, rest = text[:tab], text[tab+1:]
	}
	rest = strings.TrimSpace(rest)
	if name == "include" {
		p.include(file, line, rest)
		return
	}
	set, known := directives[name]
	switch {
	case !known:
		p.fault(file, line, "unknown directive !%s: known are !activation, !scan, !direction, !from, !to, !action, !include", name)
	case len(p.open) > 1:
		p.fault(file, line, "!%s belongs in the definition itself, not in an included file", name)
	case rest == "":
		p.fault(file, line, "!%s needs a value", name)
	case p.seen[name] && name != "from" && name != "to":
		p.fault(file, line, "!%s stands twice", name)
	default:
		p.seen[name] = true
		if err := set(p.def, rest); err != nil {
			p.fault(file, line, "!%s: %s", name, err)
		}
	}
}

// include reads another file in place; a relative name starts at the including file's directory.
func (p *parser) include(file string, line int, name string) {
	if name == "" {
		p.fault(file, line, "!include needs a file name")
		return
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(file), name)
	}
	clean := filepath.Clean(name)
	switch {
	case slices.Contains(p.open, clean):
		p.fault(file, line, "!include %s is a cycle: %s", name, strings.Join(append(p.open, clean), " includes "))
	case len(p.open) >= maxIncludeDepth:
		p.fault(file, line, "!include nested deeper than %d", maxIncludeDepth)
	default:
		p.file(name, fmt.Sprintf("%s:%d", file, line))
	}
}

var directives = map[string]func(d *Definition, value string) error{
	"activation": setActivation,
	"scan":       setScan,
	"direction":  setDirection,
	"from":       func(d *Definition, value string) error { return addScope(&d.From, value) },
	"to":         func(d *Definition, value string) error { return addScope(&d.To, value) },
	"action":     setAction,
}

func setActivation(d *Definition, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is not a whole number from 1", value)
	}
	d.Activation = n
	return nil
}

// list splits at blanks and commas.
func list(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
}

func setScan(d *Definition, value string) error {
	d.Scan = 0
	for _, name := range list(value) {
		i := slices.Index(sectionNames[:], name)
		if i < 0 {
			return fmt.Errorf("unknown section %q: known are %s", name, strings.Join(sectionNames[:], ", "))
		}
		d.Scan |= 1 << i
	}
	return nil
}

func setDirection(d *Definition, value string) error {
	known := []string{"outbound", "internal", "inbound", "relay"}
	for _, name := range list(value) {
		if !slices.Contains(known, name) {
			return fmt.Errorf("unknown direction %q: known are %s", name, strings.Join(known, ", "))
		}
		d.Directions = append(d.Directions, name)
	}
	return nil
}

func setAction(d *Definition, value string) error {
	if !slices.Contains(actions, Action(value)) {
		return fmt.Errorf("unknown action %q: known are reject, defer, monitor, tag, quarantine", value)
	}
	d.Action = Action(value)
	return nil
}

func addScope(scope *Scope, value string) error {
	for _, pattern := range list(value) {
		pattern = strings.ToLower(pattern)
		bare := strings.TrimPrefix(pattern, ".")
		if pattern != "<>" && (bare == "" || strings.ContainsAny(bare, "<>*\"") || strings.HasPrefix(bare, "@") || strings.Count(bare, "@") > 1) {
			return fmt.Errorf("%q is not an address pattern: write user@domain, user@, domain, .domain or <>", pattern)
		}
		*scope = append(*scope, pattern)
	}
	return nil
}
