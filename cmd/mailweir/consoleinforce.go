package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"mailweir/internal/admin"
	"mailweir/internal/config"
	"mailweir/internal/explain"
	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/internal/web"
)

// inForce tells the console what the daemon goes by.
func (d *daemon) inForce() web.InForce {
	return web.InForce{
		Settings: func() []web.Setting { return d.loaded.Load().list() },
		Policy:   d.policyInForce, Check: d.checkReload, Explain: d.explainHere,
	}
}

// list is every flag as it may be seen.
func (s *settings) list() (list []web.Setting) {
	for _, v := range s.effective() {
		list = append(list, web.Setting{Flag: v.Flag, Value: v.Value, From: v.From})
	}
	return list
}

func (d *daemon) policyInForce() web.Policy {
	p := d.runner.Policy()
	all := web.Policy{Loaded: *d.loadedAt.Load(), Digest: p.Digest()}
	for _, c := range p.Checks() {
		all.Checks = append(all.Checks, web.CheckState{
			Name: c.Check.Name, Title: c.Check.Title, Mode: stateMode(c), OnError: stateOnError(c), Off: c.Off,
		})
	}
	for _, name := range p.Files() {
		file := web.File{Name: name}
		if info, err := os.Stat(name); err != nil {
			file.Err = err.Error()
		} else {
			file.Changed, file.Octets = info.ModTime(), info.Size()
		}
		all.Files = append(all.Files, file)
	}
	return all
}

// checkReload does what "mailweir check" does, with the sources of flags that the daemon has, and
// compares what it finds with what is in force.
func (d *daemon) checkReload(ctx context.Context) (c web.Checked) {
	if err := d.oneCase(ctx); err != nil {
		return web.Checked{Err: err.Error()}
	}
	defer func() { <-d.explaining }()
	c.Files = d.runner.Policy().Changed()
	s, err := resolve(d.settings.origin)
	var report bytes.Buffer
	if err == nil {
		err = check(&report, s)
		c.Changes = changedSettings(d.loaded.Load(), s)
	}
	if err != nil {
		c.Err = config.Masked(err.Error())
	}
	c.Report = report.String()
	return c
}

// changedSettings are the flags whose values differ.
func changedSettings(before, after *settings) (list []web.SettingChange) {
	restart := after.daemonChanges(before)
	values := func(s *settings, f *pflag.Flag) (text string) {
		for _, value := range flagValues(f) {
			text += cmp.Or(shown(f.Name, value), unset(f.Name)) + "\n"
		}
		return text
	}
	after.flags.VisitAll(func(f *pflag.Flag) {
		old := values(before, before.flags.Lookup(f.Name))
		if now := values(after, f); now != old {
			list = append(list, web.SettingChange{
				Flag: "--" + f.Name, Before: old, After: now, From: after.found.Of(f.Name, 0), Restart: slices.Contains(restart, f.Name),
			})
		}
	})
	return list
}

// explainHere plays a case under a policy of the flags that are in force, with what the daemon
// remembers, one at a time. Nothing is written there.
func (d *daemon) explainHere(ctx context.Context, c *explain.Case, m *explain.Message) (*explain.Transcript, error) {
	clock, err := c.Clock()
	if err != nil {
		return nil, policy.Wrongf("%v", err)
	}
	if err := d.oneCase(ctx); err != nil {
		return nil, err
	}
	defer func() { <-d.explaining }()
	store := newTrial(d.backends.State, clock, func() error { return nil })
	x, err := newExplainer(d.loaded.Load().again(), store, clock, c.NoScanners, d.runner.Policy())
	if err != nil {
		return nil, fmt.Errorf("the policy could not be built for a case: %w", err)
	}
	defer x.close()
	x.backends.Lists.Adopt(d.backends.Lists.Status())
	t, err := explain.Play(x.policy, c, m)
	if err != nil {
		return nil, policy.Wrongf("%v", err)
	}
	if note := lostNote(state.Store(store)); note != "" {
		t.Notes = append(t.Notes, note)
	}
	return t, nil
}

// oneCase waits until no other policy is built for a person: each takes memory and time.
func (d *daemon) oneCase(ctx context.Context) error {
	select {
	case d.explaining <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &admin.UnavailableError{Text: "another case is being explained, or checked; try again"}
	}
}

// again is a second set of flags with the same values, whatever their sources say by now: a draft
// is built by one at a time.
func (s *settings) again() *settings {
	given := make(config.Given)
	s.flags.VisitAll(func(f *pflag.Flag) {
		switch list, ok := f.Value.(pflag.SliceValue); {
		case !f.Changed || f.Name == config.FileFlag || f.Name == config.DirFlag:
		case ok:
			given[f.Name] = list.GetSlice()
		default:
			given[f.Name] = []string{f.Value.String()}
		}
	})
	return resolveAll(config.Origin{Given: given})
}
