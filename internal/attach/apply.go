package attach

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mailweir/internal/mta"
)

// apply does what a plan says. Each step is in the journal before it is taken.
func (h *Host) apply(ctx context.Context, p *Plan, j *journal) error {
	up := h.baseline(ctx, p.server)
	r := &record{Server: p.server.name(), Config: p.server.config(), Address: p.place.Address, Settings: p.settings, Dir: p.place.Dir, At: h.Now().UTC()}
	for i, c := range p.changes() {
		if c.nothing() {
			continue
		}
		e, err := h.keep(c, r.At)
		if err != nil {
			return err
		}
		e.Theirs = i >= len(p.own)+len(p.dropIns)
		r.Files = append(r.Files, e)
	}
	if h.Units != "" && !p.serverOnly {
		units, err := h.unitStates(ctx)
		if err != nil {
			return err
		}
		r.Units = units
	}
	j.Pending = r
	if err := h.writeJournal(j); err != nil {
		return err
	}
	if err := h.steps(ctx, p, up); err != nil {
		return h.takeBack(context.WithoutCancel(ctx), p.server, j, up, err)
	}
	j.Attached, j.Pending = merge(j.Attached, r), nil
	if err := h.writeJournal(j); err != nil {
		return err
	}
	if !p.serverOnly {
		h.Say("mailweir is attached to %s. What was before: %s. To take it away: mailweir init --undo", p.server.name(), h.State)
	}
	return nil
}

// steps are those of a plan, in their order.
func (h *Host) steps(ctx context.Context, p *Plan, up bool) error {
	if err := write(slices.Concat(p.own, p.dropIns)); err != nil {
		return err
	}
	if h.Units != "" && !p.serverOnly {
		if err := h.startUnits(ctx, changed(p.dropIns)); err != nil {
			return err
		}
	}
	if err := h.handshake(ctx, p.server, p.place); err != nil {
		return err
	}
	if !changed(p.theirs) {
		return nil
	}
	if err := write(p.theirs); err != nil {
		return err
	}
	if !p.server.running(ctx) {
		h.Say("%s does not run, so whether it answers was not tried. Start it, then: mailweir doctor", p.server.name())
		return nil
	}
	if err := p.server.reload(ctx); err != nil {
		return err
	}
	return h.verify(ctx, p.server, up)
}

func write(changes []Change) error {
	for _, c := range changes {
		if c.nothing() {
			continue
		}
		if c.After != nil {
			if err := makeDirs(c.Path); err != nil {
				return err
			}
		}
		if err := replace(c.Path, c.After); err != nil {
			return err
		}
	}
	return nil
}

// takeBack undoes a run that has failed, and says why it has.
func (h *Host) takeBack(ctx context.Context, s mailServer, j *journal, up bool, why error) error {
	h.Say("That failed, and is taken back: %v", why)
	touched, wrong := h.restoreFiles(j.Pending)
	wrong = errors.Join(wrong, h.restart(ctx, s, j.Pending, touched, up, errors.Is(why, mta.ErrSilent)))
	if wrong != nil {
		return errors.Join(why, fmt.Errorf("not all of it could be taken back (run mailweir init --undo when this is mended; copies of all files are in %s): %w", h.State, wrong))
	}
	j.Pending = nil
	if err := h.writeJournal(j); err != nil {
		return errors.Join(why, err)
	}
	return fmt.Errorf("not attached; all files are as they were: %w", why)
}

// recover takes back a run that was interrupted. The mail server may run with anything, so it reads
// its files again whatever they are.
func (h *Host) recover(ctx context.Context, j *journal) error {
	s, err := h.again(ctx, j.Pending)
	if err != nil {
		return err
	}
	restored, wrong := h.restoreFiles(j.Pending)
	touched := restored || slices.ContainsFunc(j.Pending.Files, func(e entry) bool { return e.Theirs })
	if err := errors.Join(wrong, h.restart(ctx, s, j.Pending, touched, true, false)); err != nil {
		return err
	}
	j.Pending = nil
	return h.writeJournal(j)
}

// again finds the mail server of a record.
func (h *Host) again(ctx context.Context, r *record) (mailServer, error) {
	if r.Server == "sendmail" {
		return h.find(ctx, Choice{SendmailDir: r.Config})
	}
	return h.find(ctx, Choice{PostfixDir: r.Config})
}

// restart has the mail server, where its files were touched, and systemd read what was put back.
func (h *Host) restart(ctx context.Context, s mailServer, r *record, touched, up, silent bool) (wrong error) {
	if touched && s.running(ctx) {
		wrong = h.revive(ctx, s, up, silent)
	}
	switch {
	case len(r.Units) == 0:
	case h.undisturbed(r):
		// It runs with what it had, or with what is put back: no message waits for a restart.
		if _, err := h.systemctl(ctx, "reload", serverUnit); err != nil {
			h.Say("%v", err)
		}
	default:
		wrong = errors.Join(wrong, h.restoreUnits(ctx, r.Units))
		h.removeDirs(r)
	}
	return wrong
}

// removeDirs removes directories that were made for the files of a record alone, as far as they are
// empty.
func (h *Host) removeDirs(r *record) {
	for _, e := range r.Files {
		if dir := filepath.Dir(e.Path); e.Before == "" && !e.Theirs && strings.HasSuffix(dir, ".d") && dir != h.Fragments {
			_ = os.Remove(dir)
		}
	}
	if r.Dir != "" {
		_ = os.Remove(r.Dir)
	}
}

// undisturbed reports whether a run has found both units active and left their drop-ins alone.
func (h *Host) undisturbed(r *record) bool {
	return !slices.ContainsFunc(r.Units, func(u unit) bool { return !u.Active || !u.Enabled }) &&
		!slices.ContainsFunc(r.Files, func(e entry) bool {
			return filepath.Base(e.Path) == dropIn && !e.Theirs && filepath.Dir(e.Path) != h.Fragments
		})
}

// restoreFiles puts the copies back, the last that was written first. A file that is neither what
// was before nor what init has written is somebody's work and stays.
func (h *Host) restoreFiles(r *record) (touched bool, wrong error) {
	for i := len(r.Files) - 1; i >= 0; i-- {
		e := r.Files[i]
		now, err := readFile(e.Path)
		if err != nil {
			wrong = errors.Join(wrong, err)
			continue
		}
		switch sum(now) {
		case e.Before:
			continue
		case e.After:
		default:
			wrong = errors.Join(wrong, fmt.Errorf("%s was changed meanwhile, and stays; what was before is %s", e.Path, e.Copy))
			continue
		}
		if err := putBack(e); err != nil {
			wrong = errors.Join(wrong, err)
			continue
		}
		touched = touched || e.Theirs
	}
	return touched, wrong
}

// putBack makes a file what it was.
func putBack(e entry) error {
	if e.Copy == "" {
		return replace(e.Path, nil)
	}
	data, err := os.ReadFile(e.Copy)
	if err != nil {
		return err
	}
	if sum(data) != e.Before {
		return fmt.Errorf("%s, the copy of %s, was changed: put it back by hand", e.Copy, e.Path)
	}
	return replace(e.Path, data)
}

// revive has the mail server read its files again, and starts it again where it is silent, now or
// then: an smtpd that could not start is not tried again at once.
func (h *Host) revive(ctx context.Context, s mailServer, up, silent bool) error {
	if !silent {
		if err := s.reload(ctx); err != nil {
			h.Say("%v", err)
		}
		if !up || s.probe() == nil {
			return nil
		}
		if _, err := s.probe().Run(ctx); err == nil {
			return nil
		}
	}
	h.Say("%s is silent: it is stopped and started.", s.name())
	if err := s.restart(ctx); err != nil {
		return err
	}
	if _, err := h.await(ctx, *s.probe()); err != nil {
		return err
	}
	h.Say("%s answers again.", s.name())
	return nil
}

// await probes a server that is just being started.
func (h *Host) await(ctx context.Context, p mta.Probe) (a mta.Answers, err error) {
	ctx, cancel := context.WithTimeout(ctx, mta.ProbeWithin)
	defer cancel()
	for {
		if a, err = p.Run(ctx); err == nil {
			return a, nil
		}
		select {
		case <-ctx.Done():
			return a, err
		case <-time.After(200 * time.Millisecond):
		}
	}
}
