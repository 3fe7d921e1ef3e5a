package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"mailweir/internal/admin"
	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/rbl"
)

// readWithin is how long explain waits for the daemon's first answer.
const readWithin = 5 * time.Second

// absolute is the name of a store for whoever works in another directory.
func absolute(spec string) string {
	if dir, ok := strings.CutPrefix(spec, "file:"); ok {
		if dir, err := filepath.Abs(dir); err == nil {
			return "file:" + dir
		}
	}
	return spec
}

// explainState is a store for explaining a case: it has what the daemon remembers and keeps what is
// written to itself. What only the daemon can open is read through its control socket. note says
// where it looks, or what it cannot see.
func explainState(ctx context.Context, f *daemonFlags, clock func() time.Time) (store state.Store, note string, err error) {
	spec := stateSpec(*f.state)
	if spec == "memory:" {
		if *f.control == "" {
			return nothingRemembered(clock), "", nil
		}
		return daemonState(ctx, *f.control, spec, clock)
	}
	if dir, ok := strings.CutPrefix(spec, "file:"); ok {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return nothingRemembered(clock), "there is no state yet in " + dir, nil
		}
	}
	base, err := openState(*f.state, quietLog(), time.Now) // its own time continues, whatever time the case has
	var held *state.HeldError
	switch {
	case errors.As(err, &held) && *f.control != "":
		return daemonState(ctx, *f.control, spec, clock)
	case errors.As(err, &held):
		return nothingRemembered(clock), "the running daemon holds the state: give --control, else the case is explained without what it remembers", nil
	case err != nil:
		return nil, "", err
	}
	return newTrial(base, clock, base.Close), "", nil
}

// nothingRemembered is an empty store.
func nothingRemembered(clock func() time.Time) state.Store { return state.NewMemory(clock, 1000) }

// daemonState reads what the daemon at a control socket remembers. Without an answer from the one
// that is meant, nothing is known, and the note says so.
func daemonState(ctx context.Context, address, spec string, clock func() time.Time) (state.Store, string, error) {
	path, err := admin.SocketPath(address)
	if err != nil {
		return nil, "", fail(exConfig, "--control: %w", err)
	}
	client := admin.NewClient(path)
	ask, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	var where string
	err = client.Ask(ask, admin.StateWhere, policy.Nothing{}, &where)
	if err == nil && !sameStore(spec, where) {
		err = fmt.Errorf("its state is %s, not %s", where, spec)
	}
	if err != nil {
		client.Close()
		return nothingRemembered(clock), fmt.Sprintf("%s: %v: the case is explained without what the daemon remembers", address, err), nil
	}
	view := state.NewView(func(ctx context.Context, q state.Question) (a state.Answer, err error) {
		err = client.Ask(ctx, admin.StateRead, q, &a)
		return a, err
	})
	done := func() error { client.Close(); return nil }
	return newTrial(view, clock, done), "explained with what the running daemon remembers in " + where, nil
}

// adoptSuspensions suspends the DNS lists that are suspended at the daemon by hand or for their
// hits on good mail: nobody else knows of that. note says why it could not be asked.
func adoptSuspensions(ctx context.Context, address string, lists *rbl.Lists) (note string) {
	path, err := admin.SocketPath(address)
	if err != nil {
		return ""
	}
	client := admin.NewClient(path)
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	var there []rbl.ListStatus
	switch err := client.Ask(ctx, admin.ListsStatus, policy.Nothing{}, &there); {
	case errors.Is(err, admin.ErrNotRunning):
		return ""
	case err != nil:
		return fmt.Sprintf("%s: %v: which DNS lists are suspended at the daemon is not known", address, err)
	}
	lists.Adopt(there)
	return ""
}

// sameStore reports whether a daemon's store is the one that is meant. A memory is always the
// daemon's, whatever it is called here: the default of --state depends on who asks.
func sameStore(spec, daemons string) bool {
	mine, isFile := strings.CutPrefix(spec, "file:")
	if !isFile {
		return true
	}
	theirs, isFile := strings.CutPrefix(daemons, "file:")
	a, err := os.Stat(mine)
	b, failed := os.Stat(theirs)
	return isFile && err == nil && failed == nil && os.SameFile(a, b)
}

// trial is a copy with what is to be done at its end, and what kept it from reading.
type trial struct {
	*state.Copy
	base *attentive
	done func() error
}

func newTrial(base state.Store, clock func() time.Time, done func() error) trial {
	a := &attentive{Store: base}
	return trial{state.NewCopy(a, clock), a, done}
}

// Close ends the use of what it is a copy of.
func (t trial) Close() error { return t.done() }

// lostNote says that a store was unavailable while a case was explained, "" if it was not. What
// people have entered the daemon has in its own memory as well, and goes by it meanwhile.
func lostNote(store state.Store) string {
	t, ok := store.(trial)
	if !ok {
		return ""
	}
	err := t.base.lost.Load()
	if err == nil {
		return ""
	}
	return fmt.Sprintf("%v: a running daemon still goes by the entries that it knew last (tempblock, account), and may answer otherwise; they are not known here", *err)
}

// attentive is a store that keeps in mind why it could not be read.
type attentive struct {
	state.Store
	lost atomic.Pointer[error]
}

func (a *attentive) heed(err error) {
	if errors.Is(err, state.ErrDown) {
		a.lost.CompareAndSwap(nil, &err)
	}
}

// Do does steps in the store.
func (a *attentive) Do(ctx context.Context, steps ...state.Step) ([]state.Result, error) {
	results, err := a.Store.Do(ctx, steps...)
	a.heed(err)
	return results, err
}

// List lists entries of the store.
func (a *attentive) List(ctx context.Context, prefix, after string, limit int) ([]state.Entry, error) {
	entries, err := a.Store.List(ctx, prefix, after, limit)
	a.heed(err)
	return entries, err
}
