package attach

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Undo takes away what init has done: our part of the mail server's configuration, drop-ins,
// 50-init.conf and its tables; mailweir runs afterwards if it did before. Who has changed a file
// since keeps the change, and is told what stays. It can be run again, also after it was
// interrupted; where init has done nothing, neither does it. The error is a [*StillAskedError]
// where all is taken back, and a mail server asks mailweir by lines of somebody else.
func (h *Host) Undo(ctx context.Context) error {
	was, err := h.undo(ctx)
	if err != nil {
		return err
	}
	return h.stillAsked(ctx, was)
}

// undo returns what was attached, nil for nothing.
func (h *Host) undo(ctx context.Context) (was *record, err error) {
	unlock, err := h.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	j, err := h.readJournal()
	if err != nil {
		return nil, err
	}
	if j.Pending != nil {
		if err := h.recover(ctx, j); err != nil {
			return nil, err
		}
	}
	if j.Attached == nil {
		h.Say("mailweir init has attached nothing here, so there is nothing to take back.")
		return nil, nil
	}
	resumed := j.Undoing
	j.Undoing = true
	if err := h.writeJournal(j); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	if err := h.undoServer(ctx, j.Attached, resumed); err != nil {
		return nil, err
	}
	if err := h.undoOwn(ctx, j.Attached); err != nil {
		return nil, err
	}
	if err := h.writeJournal(&journal{}); err != nil {
		return nil, err
	}
	h.Say("mailweir is no longer attached to %s. Copies of all files are in %s.", j.Attached.Server, h.State)
	return j.Attached, nil
}

// undoServer takes our part out of the mail server's files, and asks it whether it answers. One
// that was resumed may have been interrupted before the mail server has read them.
func (h *Host) undoServer(ctx context.Context, r *record, resumed bool) error {
	s, err := h.again(ctx, r)
	if notInstalled(err) {
		h.Say("%s is not on this host any more: its files are left as they are.", r.Server)
		return nil
	}
	if err != nil {
		return err
	}
	up := h.baseline(ctx, s)
	changes, left, err := h.restored(ctx, s, r)
	if err != nil {
		return err
	}
	for _, l := range left {
		h.Say("%s", l)
	}
	if !changed(changes) && !resumed {
		return nil
	}
	if err := write(changes); err != nil {
		return err
	}
	if !s.running(ctx) {
		return nil
	}
	return h.revive(ctx, s, up, false)
}

// restored are the files of the mail server without us: the copy where nobody has changed them
// since, else setting by setting, also where another file has taken the place of one: "postconf -e"
// does so with a symbolic link.
func (h *Host) restored(ctx context.Context, s mailServer, r *record) (changes []Change, left []string, err error) {
	mixed, err := s.moved(r)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range r.Files {
		if !e.Theirs {
			continue
		}
		c, err := readChange(e.Path)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case sum(c.Before) == e.Before:
			continue
		case sum(c.Before) != e.After || e.Mixed:
			mixed = true
			continue
		}
		if c.After, err = readFile(e.Copy); err != nil {
			return nil, nil, err
		}
		if sum(c.After) != e.Before {
			mixed = true // the copy is gone or no longer what it was
			continue
		}
		changes = append(changes, c)
	}
	if !mixed {
		return changes, nil, nil
	}
	others, left, err := s.detach(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range others {
		if !slices.ContainsFunc(changes, func(o Change) bool { return o.Path == c.Path }) {
			changes = append(changes, c)
		}
	}
	return changes, left, nil
}

// undoOwn takes away what init has written for mailweir, and makes the units what they were: lines
// of somebody's own may ask a mailweir that ran before.
func (h *Host) undoOwn(ctx context.Context, r *record) error {
	for _, name := range []string{serverUnit, socketUnit} {
		i := slices.IndexFunc(r.Units, func(u unit) bool { return u.Name == name })
		if i < 0 {
			continue
		}
		end := []string{"disable", "--now", name}
		if r.Units[i].Enabled {
			end = []string{"stop", name}
		}
		if _, err := h.systemctl(ctx, end...); err != nil {
			h.Say("%v", err) // the unit may be gone
		}
	}
	for _, e := range r.Files {
		if e.Theirs {
			continue
		}
		if err := h.undoFile(e); err != nil {
			return err
		}
	}
	h.removeDirs(r)
	if len(r.Units) == 0 {
		return nil
	}
	if _, err := h.systemctl(ctx, "daemon-reload"); err != nil {
		return err
	}
	for _, u := range r.Units {
		if !u.Active {
			continue
		}
		if _, err := h.systemctl(ctx, "start", u.Name); err != nil {
			h.Say("%v", err)
		}
	}
	return nil
}

// undoFile takes a file of ours away, or makes it what was there before. One that somebody has
// changed is kept beside the copies.
func (h *Host) undoFile(e entry) error {
	now, err := readFile(e.Path)
	if err != nil || now == nil || sum(now) == e.Before {
		return err
	}
	if sum(now) != e.After {
		kept, err := h.keep(Change{Path: e.Path, Before: now}, h.Now())
		if err != nil {
			return err
		}
		h.Say("%s was changed since; as it was last it is %s", e.Path, kept.Copy)
	}
	return putBack(e)
}

// SetDefaultAction has the mail server do action, accept or tempfail, while mailweir does not
// answer, and reload. Other milters keep theirs. changed is false where that is so already, and
// where init has not attached mailweir.
func (h *Host) SetDefaultAction(ctx context.Context, action string) (changed bool, err error) {
	if action != "accept" && action != "tempfail" {
		return false, fmt.Errorf("%q is neither accept nor tempfail", action)
	}
	unlock, err := h.lock()
	if err != nil {
		return false, err
	}
	defer unlock()
	j, err := h.readJournal()
	if err != nil || j.Attached == nil {
		return false, err
	}
	if j.Pending != nil || j.Undoing {
		return false, errors.New("a run of mailweir init was interrupted; finish it first: mailweir init, or mailweir init --undo")
	}
	s, err := h.again(ctx, j.Attached)
	if err != nil {
		return false, err
	}
	changes, settings, err := s.setAction(ctx, j.Attached.Address, action)
	if err != nil || !slices.ContainsFunc(changes, func(c Change) bool { return !c.nothing() }) {
		return false, err
	}
	at := s.socket(h)
	at.Address = j.Attached.Address
	return true, h.apply(ctx, &Plan{server: s, place: at, theirs: changes, settings: settings, serverOnly: true}, j)
}
