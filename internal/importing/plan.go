package importing

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Plan is all that a run would do.
type Plan struct {
	target *Target
	before *ledger
	// next is what the ledger becomes; order are the names of its sources, read those that this run
	// has read.
	next  *ledger
	order []string
	read  []string

	all    []*line
	files  []*change
	config *change
	notes  []string
	// doubles are those of the sources of this run, by their names.
	doubles map[string][]Double
	masks   *masks
}

// Read is what a source has come to.
type Read struct {
	Source Source
	// Result is nil where the source was not read in this run: what it came to before stays.
	Result *Result
	// Files are those that were to be read for it, with the error of those that could not be: see
	// [Input.Seen]. Where one cannot be read that an earlier run has read, what that run made of
	// the source stays.
	Files map[string]error
}

// fileHead stands in front of each file that is not bare.
const fileHead = "# Written by mailweir import. What you edit here stays: then it is not written over.\n\n"

// NewPlan puts together what the sources came to, in their order, compares it with what earlier
// runs have written, and tries whether mailweir takes it. Lines that it refuses become comments.
// The error is that of a configuration that is wrong already, or of files that cannot be read.
func NewPlan(t *Target, all []Read) (*Plan, error) {
	before, err := readLedger(t.Dir)
	if err != nil {
		return nil, err
	}
	p := &Plan{target: t, before: before, next: &ledger{Sources: map[string]*entry{}}, doubles: map[string][]Double{}, masks: newMasks(all)}
	for _, e := range before.Sources {
		e.Items = p.masks.items(e.Items)
	}
	var flags []Flag
	for _, r := range all {
		e, err := p.entry(r)
		if err != nil {
			return nil, err
		}
		if e == nil {
			continue
		}
		p.order = append(p.order, r.Source.Name)
		p.next.Sources[r.Source.Name] = e
		for _, f := range e.Flags {
			flags = append(flags, Flag(f))
		}
	}
	p.once()
	if err := p.lines(flags); err != nil {
		return nil, err
	}
	if err := p.settle(); err != nil {
		return nil, err
	}
	p.edited()
	return p, nil
}

// once drops what a source has left of a word that another source carries: each has one item.
func (p *Plan) once() {
	type word struct {
		Place
		text string
	}
	carried := map[word]string{}
	for _, name := range p.read {
		for _, i := range p.next.Sources[name].Items {
			if i.Fate != Left {
				carried[word{i.Place, i.Text}] = name
			}
		}
	}
	for _, name := range p.read {
		e := p.next.Sources[name]
		e.Items = slices.DeleteFunc(e.Items, func(i Item) bool {
			by := carried[word{i.Place, i.Text}]
			return i.Fate == Left && by != "" && by != name
		})
	}
}

// entry is what a source has come to now, or before; nil for nothing.
func (p *Plan) entry(r Read) (*entry, error) {
	old := p.before.Sources[r.Source.Name]
	if r.Result == nil {
		return old, nil
	}
	if name := r.lost(old); name != "" {
		p.remarkLost(r.Source, name, r.Files[name])
		return old, nil
	}
	p.read = append(p.read, r.Source.Name)
	for _, n := range r.Result.Notes {
		p.notes = append(p.notes, p.masks.text(n))
	}
	p.doubles[r.Source.Name] = r.Result.Doubles
	e := &entry{Items: p.masks.items(r.Result.Items), Files: map[string]string{}, Read: r.readable()}
	for _, f := range r.Result.Flags {
		f.Off = p.masks.text(f.Off)
		e.Flags = append(e.Flags, flagEntry(f))
	}
	for _, f := range r.Result.Files {
		text := f.Text
		if !f.Bare {
			text = fileHead + text
		}
		if !strings.HasPrefix(f.Name, r.Source.Name) || f.Name != filepath.Base(f.Name) {
			return nil, fmt.Errorf("the source %s may write no file named %s", r.Source.Name, f.Name)
		}
		c, err := p.file(f.Name, &text)
		if err != nil {
			return nil, err
		}
		if f.Secret {
			c.mode = secretMode
		}
		e.Files[f.Name] = sum(text)
	}
	if old == nil {
		return e, nil
	}
	for _, name := range slices.Sorted(maps.Keys(old.Files)) {
		if _, wanted := e.Files[name]; !wanted {
			if _, err := p.file(name, nil); err != nil {
				return nil, err
			}
		}
	}
	return e, nil
}

func (p *Plan) file(name string, text *string) (*change, error) {
	c, err := newChange(filepath.Join(p.target.Dir, name), text, p.before.sumOf(name), p.before.Pending[name])
	if err == nil {
		p.files = append(p.files, c)
	}
	return c, err
}

// settle makes 40-import.conf of the lines that mailweir takes.
func (p *Plan) settle() error {
	every := func(*line) bool { return true }
	if err := p.fragmentChange(p.fragment(every)); err != nil {
		return err
	}
	p.spare()
	dir, err := p.target.trialDir(p.files)
	defer os.RemoveAll(dir)
	if err != nil {
		return err
	}
	check := func(text string) error { return p.try(text, dir) }
	if p.config.kept != "" {
		if err := check(*p.config.before); err != nil {
			return fmt.Errorf("with the files that would be imported, %s, which you have edited, does not pass: %w", p.target.Fragment, err)
		}
		return nil
	}
	if check(p.fragment(every)) == nil {
		return nil
	}
	if err := check(""); err != nil {
		return &ConfigError{err}
	}
	accepted := map[*line]bool{}
	for _, l := range p.all {
		if l.Off != "" {
			continue
		}
		accepted[l] = true
		if err := check(p.fragment(func(l *line) bool { return accepted[l] })); err != nil {
			delete(accepted, l)
			l.refused = true
			p.overruled(l, "mailweir check says "+oneLine(err.Error()))
		}
	}
	return p.fragmentChange(p.fragment(every))
}

// ConfigError is that of a configuration that is wrong without what is imported.
type ConfigError struct{ Err error }

func (e *ConfigError) Error() string {
	return "the configuration is wrong already, so nothing can be imported into it: " + e.Err.Error()
}

func (e *ConfigError) Unwrap() error { return e.Err }

// try checks a text of 40-import.conf whose files are in dir; errors name those that will be.
func (p *Plan) try(text, dir string) error {
	err := p.target.Check(moved(text, p.target.Dir, dir))
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s", strings.ReplaceAll(err.Error(), dir+"/", p.target.Dir+"/"))
}

func (p *Plan) fragmentChange(text string) error {
	after := &text
	if text == "" {
		after = nil
	}
	c, err := newChange(p.target.Fragment, after, p.before.Fragment, p.before.PendingFragment)
	if err == nil {
		c.mode = secretMode // as the others of conf.d
		p.config = c
	}
	return err
}

// spare keeps files that nobody wants any more where a 40-import.conf that was edited names them.
func (p *Plan) spare() {
	if p.config.kept == "" {
		return
	}
	for _, c := range p.files {
		if c.after == nil && c.kept == "" && strings.Contains(*p.config.before, c.path) {
			c.kept = "named in " + p.target.Fragment
		}
	}
}

// leave says of all items of some places that nothing becomes of them.
func (p *Plan) leave(at []Place, why string) {
	for _, name := range p.read {
		items := p.next.Sources[name].Items
		for i := range items {
			if items[i].Fate != Left && isAt(items[i].Place, at) {
				items[i].Fate, items[i].Reason = Left, why
			}
		}
	}
}

func isAt(p Place, at []Place) bool {
	return slices.ContainsFunc(at, func(a Place) bool { return a == p || a.Line == 0 && a.File == p.File })
}

func (p *Plan) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(p.notes, text) {
		p.notes = append(p.notes, text)
	}
}

// Nothing reports whether no file would be written.
func (p *Plan) Nothing() bool {
	return !p.config.writes() && !slices.ContainsFunc(p.files, (*change).writes)
}

// changes are those of all files. Tables are written before the file that names them, and removed
// after it: whoever reads meanwhile finds all that is named.
func (p *Plan) changes() (ordered []*change) {
	for _, c := range p.files {
		if c.after != nil {
			ordered = append(ordered, c)
		}
	}
	ordered = append(ordered, p.config)
	for _, c := range p.files {
		if c.after == nil {
			ordered = append(ordered, c)
		}
	}
	return ordered
}
