package attach

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// journal is what init has done on a host. It is written before a step is taken, so that whoever
// comes next can finish or take back what was interrupted.
type journal struct {
	// Attached is what stands, as all runs together have made it; nil for nothing.
	Attached *record `json:"attached,omitempty"`
	// Pending is what a run is about to do; nil once it is done.
	Pending *record `json:"pending,omitempty"`
	// Undoing says that an undo has begun.
	Undoing bool `json:"undoing,omitempty"`
}

// record is a list of steps with what was before.
type record struct {
	// Server is postfix or sendmail; Config where it has its configuration.
	Server string `json:"server"`
	Config string `json:"config,omitempty"`
	// Address is where the mail server asks mailweir.
	Address string  `json:"address"`
	Files   []entry `json:"files,omitempty"`
	// Dir is a directory that was made for the socket alone.
	Dir string `json:"dir,omitempty"`
	// Settings are the parameters that were changed: so they can be taken back one by one in a file
	// that somebody else has changed since.
	Settings []setting `json:"settings,omitempty"`
	// Units are those of systemd that were enabled or started, with what they were.
	Units []unit    `json:"units,omitempty"`
	At    time.Time `json:"at"`
}

// entry is a file.
type entry struct {
	Path string `json:"path"`
	// Copy is the file with what was before, "" where there was no file.
	Copy string `json:"copy,omitempty"`
	// Before and After are sums of the contents, "" for none.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	// Mixed says that somebody else has changed the file between two runs, so the copy must not be
	// put back.
	Mixed bool `json:"mixed,omitempty"`
	// Theirs says that the file is the mail server's.
	Theirs bool `json:"theirs,omitempty"`
}

// setting is a parameter of main.cf, or of a service of master.cf.
type setting struct {
	Service string `json:"service,omitempty"`
	Name    string `json:"name"`
	// Before is its value before, where it was set.
	Before *string `json:"before,omitempty"`
	After  string  `json:"after"`
}

// unit is a unit of systemd as it was before.
type unit struct {
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
	Active  bool   `json:"active"`
}

func (h *Host) journalFile() string { return filepath.Join(h.State, "journal.json") }

// readJournal reads it; an empty one where there is none.
func (h *Host) readJournal() (*journal, error) {
	data, err := os.ReadFile(h.journalFile())
	if errors.Is(err, fs.ErrNotExist) {
		return &journal{}, nil
	}
	if err != nil {
		return nil, err
	}
	j := &journal{}
	if err := json.Unmarshal(data, j); err != nil {
		return nil, fmt.Errorf("%s: %w", h.journalFile(), err)
	}
	return j, nil
}

func (h *Host) writeJournal(j *journal) error {
	data, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return err
	}
	return replace(h.journalFile(), append(data, '\n'))
}

// lock keeps two runs from each other until the returned function is called.
func (h *Host) lock() (unlock func(), err error) {
	if err := os.MkdirAll(h.State, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(h.State, "lock"), os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	// A run that was killed this moment may hold it a little longer.
	for began := time.Now(); ; time.Sleep(lockedEach) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if time.Since(began) > lockedFor {
			_ = f.Close()
			return nil, errors.New("another mailweir init is at work on this host")
		}
	}
}

// Times of waiting for another run.
const (
	lockedFor  = time.Second
	lockedEach = 50 * time.Millisecond
)

// keep writes a copy of what a file was before, with its name and the time.
func (h *Host) keep(c Change, at time.Time) (entry, error) {
	e := entry{Path: c.Path, Before: sum(c.Before), After: sum(c.After)}
	if c.Before == nil {
		return e, nil
	}
	dir := filepath.Join(h.State, "copies")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return e, err
	}
	f, err := os.CreateTemp(dir, filepath.Base(c.Path)+"."+at.UTC().Format("20060102T150405Z")+".*")
	if err != nil {
		return e, err
	}
	e.Copy = f.Name()
	_, err = f.Write(c.Before)
	if err == nil {
		err = f.Sync()
	}
	return e, errors.Join(err, f.Close())
}

// names reports whether a file is one of the record's.
func (r *record) names(path string) bool {
	return slices.ContainsFunc(r.Files, func(e entry) bool { return e.Path == path })
}

// merge adds what a run has done to what stood before it. What was before the first run stays what
// an undo goes back to.
func merge(before, done *record) *record {
	if before == nil {
		return done
	}
	all := *done
	all.Files = slices.Clone(before.Files)
	for _, e := range done.Files {
		i := slices.IndexFunc(all.Files, func(o entry) bool { return o.Path == e.Path })
		if i < 0 {
			all.Files = append(all.Files, e)
			continue
		}
		all.Files[i].Mixed = all.Files[i].Mixed || all.Files[i].After != e.Before
		all.Files[i].After = e.After
	}
	all.Settings = slices.Clone(before.Settings)
	for _, s := range done.Settings {
		i := slices.IndexFunc(all.Settings, func(o setting) bool { return o.Service == s.Service && o.Name == s.Name })
		if i < 0 {
			all.Settings = append(all.Settings, s)
			continue
		}
		all.Settings[i].After = s.After
	}
	all.Units = before.Units
	for _, u := range done.Units {
		if !slices.ContainsFunc(all.Units, func(o unit) bool { return o.Name == u.Name }) {
			all.Units = append(all.Units, u)
		}
	}
	return &all
}
