package importing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"mailweir/internal/config"
	"mailweir/internal/textfile"
)

// Apply writes what the plan says, if the files still are what they were when it was made. Where
// the whole configuration does not pass afterwards, or a file cannot be written, all become what
// they were.
func (p *Plan) Apply(now time.Time) error {
	if p.Nothing() && p.remembered() && len(p.leftovers()) == 0 {
		return nil
	}
	unlock, err := p.lock()
	if err != nil {
		return err
	}
	defer unlock()
	for _, name := range p.leftovers() {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, c := range p.changes() {
		if err := c.unmoved(); err != nil {
			return err
		}
	}
	if err := p.announce(); err != nil {
		return err
	}
	done, err := p.write()
	if err == nil {
		err = p.checkWritten()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("nothing was imported; all files are as they were: %w", err), undo(done), p.save(p.before))
	}
	p.next.At = now.UTC()
	if p.config.kept != "" {
		p.next.Fragment = p.before.Fragment
	} else if p.config.after != nil {
		p.next.Fragment = sum(*p.config.after)
	}
	p.keepSums()
	return p.save(p.next)
}

// remembered reports whether the ledger says already what this run would write there.
func (p *Plan) remembered() bool {
	p.next.At, p.next.Fragment = p.before.At, p.before.Fragment
	p.keepSums()
	next, err := p.next.text()
	if err != nil {
		return false
	}
	before, err := p.before.text()
	return err == nil && next == before
}

// leftovers are files that a run has begun to write, and was killed before they had their names.
func (p *Plan) leftovers() (names []string) {
	for _, c := range append(p.changes(), &change{path: filepath.Join(p.target.Dir, ledgerFile)}) {
		dir, base := filepath.Split(c.path)
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			number, begun := strings.CutPrefix(e.Name(), "."+base+".")
			if begun && e.Type().IsRegular() && number != "" && strings.Trim(number, "0123456789") == "" {
				names = append(names, filepath.Join(dir, e.Name()))
			}
		}
	}
	return names
}

// lock keeps two runs from each other.
func (p *Plan) lock() (unlock func(), err error) {
	if err := makeDir(p.target.Dir); err != nil {
		return nil, err
	}
	d, err := os.Open(p.target.Dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(errors.New("another mailweir import is at work on "+p.target.Dir), d.Close())
	}
	return func() { _ = d.Close() }, nil
}

// makeDir makes the directory imported, of the group of the one above, which is that of the
// service: its secret files are of that group, too.
func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // whatever the umask: the service reads its files
		return err
	}
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(dir))
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return os.Chown(dir, -1, int(stat.Gid))
	}
	return nil
}

// unmoved reports a file that somebody has changed since the plan was made.
func (c *change) unmoved() error {
	data, err := textfile.Read(c.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.before == nil:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case c.before == nil || err != nil || string(data) != *c.before:
		return fmt.Errorf("%s was changed meanwhile; nothing was written: run mailweir import again", c.path)
	}
	return nil
}

// announce notes what is about to be written, so that the run after one that was interrupted knows
// whose it is.
func (p *Plan) announce() error {
	pending := *p.before
	pending.Pending, pending.PendingFragment = map[string]string{}, ""
	for _, c := range p.files {
		if c.writes() && c.after != nil {
			pending.Pending[filepath.Base(c.path)] = sum(*c.after)
		}
	}
	if p.config.writes() && p.config.after != nil {
		pending.PendingFragment = sum(*p.config.after)
	}
	return p.save(&pending)
}

func (p *Plan) save(l *ledger) error {
	text, err := l.text()
	if err != nil {
		return err
	}
	return config.WriteFileMode(filepath.Join(p.target.Dir, ledgerFile), text, secretMode)
}

// keepSums keeps the sums of files that stay as somebody has edited them: they stay known as files
// that import has written.
func (p *Plan) keepSums() {
	for _, name := range p.read {
		e, old := p.next.Sources[name], p.before.Sources[name]
		for _, c := range p.files {
			base := filepath.Base(c.path)
			switch {
			case c.kept == "":
			case old == nil || old.Files[base] == "":
				delete(e.Files, base) // somebody else's
			default:
				e.Files[base] = old.Files[base]
			}
		}
	}
}

func (p *Plan) write() (done []*change, err error) {
	for _, c := range p.changes() {
		if !c.writes() {
			continue
		}
		done = append(done, c)
		if err := c.put(c.after); err != nil {
			return done, err
		}
	}
	return done, nil
}

// put gives the file a text; nil removes it.
func (c *change) put(text *string) error {
	if text != nil {
		return config.WriteFileMode(c.path, *text, c.mode)
	}
	if err := os.Remove(c.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func undo(done []*change) (wrong error) {
	for i := len(done) - 1; i >= 0; i-- {
		c := done[i]
		if err := c.put(c.before); err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("%s could not be put back: %w", c.path, err))
		}
	}
	return wrong
}

// checkWritten checks the configuration as it stands on the disk.
func (p *Plan) checkWritten() error {
	now := p.config.now()
	if now == nil {
		return p.target.Check("")
	}
	return p.target.Check(*now)
}
