package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/config"
)

// reloadEnds is how long the end of the daemon waits for a reload that storage holds up.
const reloadEnds = 2 * time.Second

// startReloader begins to reload at SIGHUP and when lists have changed. That is a goroutine of its
// own, so that the daemon can be ended whatever a reload waits for. The function that it returns
// ends it.
func (d *daemon) startReloader() (stop func()) {
	d.hups = make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.reloads(ctx)
	}()
	return func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(reloadEnds):
			d.log.Warn("a reload has not come to its end")
		}
	}
}

func (d *daemon) reloads(ctx context.Context) {
	var tick <-chan time.Time
	if *d.settings.daemon.watch > 0 {
		ticker := time.NewTicker(*d.settings.daemon.watch)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.signs:
		case <-d.hups:
			d.failed = ""
			d.underWay(func() { d.reload("SIGHUP") })
		case answer := <-d.demands:
			d.failed = ""
			d.underWay(func() { answer <- d.reload("run-time command") })
		case <-tick:
			d.underWay(d.watch)
		}
	}
}

// underWay notes since when a reload is under way.
func (d *daemon) underWay(reload func()) {
	now := time.Now()
	d.loading.Store(&now)
	defer d.loading.Store(nil)
	reload()
}

// reload reads every source of flags again and swaps a whole new policy in. If anything is wrong,
// nothing changes.
func (d *daemon) reload(why string) reloaded {
	d.notify.Reloading()
	defer func() { d.notify.Ready(d.status()) }()
	s := resolveAll(d.settings.origin)
	if err := s.daemon.validate(); err != nil || len(s.found.Wrong) > 0 {
		err = s.mistakes(err, d.lookAt)
		d.notLoaded(why, err)
		return reloaded{Error: err.Error()}
	}
	if err := d.load(why, s); err != nil {
		return reloaded{Error: err.Error()}
	}
	changed, again := s.daemonChanges(d.settings), len(s.daemonChanges(d.read)) == 0
	d.read = s
	d.logAs(s.daemon)
	d.console.reload()
	if len(changed) > 0 && !again {
		d.log.WithField("flags", strings.Join(changed, " ")).Warn("flags of the process have changed; they take effect at the next start")
	}
	return reloaded{Restart: changed}
}

// watch loads lists that have changed, under the flags that are in force.
func (d *daemon) watch() {
	changed := d.runner.Policy().Changed()
	look := looks(changed)
	if len(changed) == 0 || look == d.failed {
		return
	}
	d.log.WithField("files", strings.Join(changed, " ")).Info("lists have changed")
	d.failed = ""
	if d.load("changed lists", d.loaded.Load()) != nil {
		d.failed = look
	}
}

// looks tells whether files have changed again.
func looks(files []string) string {
	var b strings.Builder
	for _, name := range files {
		fmt.Fprint(&b, name)
		if info, err := os.Stat(name); err == nil {
			fmt.Fprint(&b, " ", info.Size(), " ", info.ModTime().UnixNano())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (d *daemon) load(why string, s *settings) error {
	began := time.Now()
	p, err := s.draft.Build(d.backends, d.runner.Policy())
	if err != nil {
		err = s.mistakes(err, d.lookAt)
		d.notLoaded(why, err)
		return err
	}
	announceInspected(d.log, waitReady(p))
	d.record.loaded(why, p, d.runner.Policy())
	d.runner.Swap(p)
	d.warn(p)
	d.loaded.Store(s)
	d.nowLoaded()
	d.log.WithFields(logrus.Fields{"why": why, "took": time.Since(began).Round(time.Microsecond).String()}).Info("policy loaded")
	return nil
}

func (d *daemon) nowLoaded() {
	now := time.Now()
	d.loadedAt.Store(&now)
	d.reloadFailed.Store(nil)
	d.metrics.Loaded(now)
}

// notLoaded tells everything that is wrong, one thing a line.
func (d *daemon) notLoaded(why string, err error) {
	d.metrics.NotLoaded()
	text := config.Masked(err.Error())
	d.reloadFailed.Store(&text)
	for _, one := range leaves(err) {
		d.log.WithFields(logrus.Fields{"why": why, "error": config.Masked(one.Error())}).Error("the new policy is not loaded, the old one stays")
	}
}
