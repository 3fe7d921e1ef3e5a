package main

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"mailweir/internal/config"
	"mailweir/internal/doctor"
	"mailweir/internal/policy"
)

// daemonStatus is the operation by which the running mailweir says how it is, for doctor.
const daemonStatus = "daemon/status"

// statusWithin bounds what is asked of storage for it.
const statusWithin = 2 * time.Second

func statusOperations(status func(context.Context) doctor.Daemon) policy.OperationGroup {
	run := func(ctx context.Context, _ *policy.Call, _ policy.Nothing) (doctor.Daemon, error) {
		return status(ctx), nil
	}
	return policy.OperationGroup{Name: "daemon", Operations: []policy.Operation{
		policy.NewOperation(policy.About{Name: "status", Hidden: true, Quiet: true, Daemon: true}, policy.Unasked, run, nil),
	}}
}

// itself says how this process is.
func (d *daemon) itself(ctx context.Context) doctor.Daemon {
	ctx, cancel := context.WithTimeout(ctx, statusWithin)
	defer cancel()
	s := doctor.Daemon{
		Version: version, PID: os.Getpid(), Started: d.begun, Listen: d.listening(), Replaced: replaced(),
		Loaded: *d.loadedAt.Load(), State: config.Masked(stateSpec(*d.settings.daemon.state)), Record: noRecord, Monitored: d.monitoredByHand(),
	}
	if failed := d.reloadFailed.Load(); failed != nil {
		s.ReloadFailed = *failed
	}
	s.Changed, s.Restart, s.Wrong = d.onDisk()
	stats, err := d.backends.State.Stats(ctx)
	switch {
	case err != nil:
		s.StateLost = config.Masked(err.Error())
	case stats.Unwritten:
		s.StateLost = "it cannot be written; what is remembered is in memory, and lost at a restart"
	}
	d.statusOfRecord(ctx, &s)
	s.Descriptors, s.Open = descriptors()
	return s
}

func (d *daemon) statusOfRecord(ctx context.Context, s *doctor.Daemon) {
	if d.record == nil {
		return
	}
	s.Record = d.record.where()
	stats := d.record.sink.Stats()
	s.Dropped = stats.DroppedDecisions + stats.DroppedMessages + stats.DroppedChanges
	extent, err := d.record.store.Extent(ctx)
	switch {
	case err != nil:
		s.RecordLost = config.Masked(err.Error())
	case stats.Failing:
		s.RecordLost = "the last entries could not be written"
	}
	s.Newest = extent.Newest
}

// onDisk compares the flags on disk with those in use: those that a reload would change, those that
// a restart would, and what is wrong with them.
func (d *daemon) onDisk() (changed, restart []string, wrong string) {
	s := resolveAll(d.settings.origin)
	if err := s.need(func(string) bool { return true }); err != nil {
		return nil, nil, config.Masked(err.Error())
	}
	process := make(map[string]bool)
	set := pflag.NewFlagSet("process", pflag.ContinueOnError)
	registerDaemon(set)
	set.VisitAll(func(f *pflag.Flag) { process[f.Name] = true })
	loaded := d.loaded.Load()
	s.flags.VisitAll(func(f *pflag.Flag) {
		used := loaded
		if process[f.Name] {
			used = d.settings
		}
		switch {
		case used.flags.Lookup(f.Name).Value.String() == f.Value.String():
		case process[f.Name]:
			restart = append(restart, f.Name)
		default:
			changed = append(changed, f.Name)
		}
	})
	return changed, restart, ""
}

// listening are the addresses of its sockets.
func (d *daemon) listening() []string {
	if addresses := d.addresses.Load(); addresses != nil {
		return *addresses
	}
	return nil
}

// replaced reports whether the program on disk is another one than this process runs.
func replaced() bool {
	path, err := os.Executable()
	if err != nil {
		return false
	}
	running, err := os.Stat("/proc/self/exe")
	if err != nil {
		return false // elsewhere than on Linux nobody tells
	}
	// The kernel says so of a file that is gone.
	onDisk, err := os.Stat(strings.TrimSuffix(path, " (deleted)"))
	return err == nil && !os.SameFile(running, onDisk)
}
