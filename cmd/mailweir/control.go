package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"mailweir/internal/admin"
	"mailweir/internal/byhand"
	"mailweir/internal/doctor"
	"mailweir/internal/events"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
	"mailweir/milter"
)

// openControl opens the socket of --control, for every operation; "" opens none.
func (d *daemon) openControl(address string) (*admin.Server, error) {
	if address == "" {
		return nil, nil
	}
	if _, err := admin.SocketPath(address); err != nil {
		return nil, fmt.Errorf("--control: %w", err)
	}
	l, err := d.sockets.listen(address, milter.ListenOptions{Mode: 0o600})
	if err != nil {
		return nil, fmt.Errorf("--control: %w", err)
	}
	s := admin.NewServer(l, d.service)
	s.Start()
	return s, nil
}

// newService makes what carries run-time operations out, for the control socket and the console.
func (d *daemon) newService() *admin.Service {
	return &admin.Service{
		Backends: d.backends, Offer: func() admin.Offer { return d.loaded.Load().offer() },
		Own: ownOperations(ownParts{
			store: absolute(stateSpec(*d.settings.daemon.state)), reload: d.reloadNow, upgrade: d.upgrade,
			mode:     func(check string) policy.Mode { return d.loaded.Load().mode(check) },
			standing: func() standing { return d.loaded.Load().standing() },
			record:   func() *recording { return d.record },
			sums:     func() { d.recorder.SumNow() },
			backends: d.metrics.Backends, inspect: d.inspectBackends, itself: d.itself,
		}),
		May: admin.ByRole, Audit: d.audit(), Known: d.known(),
	}
}

// audit is told of every use of an operation: the log has each, the record what changes something.
func (d *daemon) audit() func(admin.Record) {
	log := admin.LogAudit(d.log)
	return func(r admin.Record) {
		log(r)
		if d.record == nil || !r.Kept() {
			return
		}
		d.record.sink.Change(changeOf(r))
	}
}

// commandsWithin is how long operations in progress may take when the daemon ends.
const commandsWithin = 5 * time.Second

func stopCommands(s *admin.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), commandsWithin)
	defer cancel()
	s.Stop(ctx)
}

// ownParts are what [ownOperations] work with. Where only commands are made of them there is none.
type ownParts struct {
	store   string                                  // names the state
	reload  func(context.Context) (reloaded, error) // loads the daemon's configuration
	upgrade func(context.Context) upgraded          // hands over to another process
	mode    func(check string) policy.Mode          // in which a check runs
	// standing is how checks stand, and by what.
	standing func() standing

	record func() *recording // what is recorded, nil for nothing
	sums   func()            // has the sums of events told that are still open

	backends func() []events.BackendState             // how they have fared
	inspect  func(context.Context) []runner.Inspected // asks each
	itself   func(context.Context) doctor.Daemon      // how the process is
}

// ownOperations are those that belong to no check.
func ownOperations(parts ownParts) []policy.OperationGroup {
	about := policy.About{
		Name: "reload", Effect: policy.Changes, Daemon: true,
		Title: "Have the daemon read configuration and lists again, as SIGHUP does",
		Help: `Reads every source of flags and every list again. If anything is wrong, the command says what, the daemon continues as before, and
the exit code is 78 (EX_CONFIG).`,
	}
	run := func(ctx context.Context, c *policy.Call, _ policy.Nothing) (reloaded, error) {
		r, err := parts.reload(ctx)
		if r.Error != "" {
			c.Fail(r.Error)
		}
		return r, err
	}
	return append(admin.Operations(parts.store),
		policy.OperationGroup{Operations: []policy.Operation{policy.NewOperation(about, policy.Unasked, run, showReloaded), upgradeOperation(parts.upgrade)}},
		byhand.ListOperations(byhand.Block), byhand.ListOperations(byhand.Permit), byhand.MonitorOperations(),
		backendOperations(parts),
		statusOperations(parts.itself),
		policy.OperationGroup{Name: "checks", Operations: []policy.Operation{modeOperation(parts.mode), standingOperation(parts.standing)}},
		recordOperations(parts.record, parts.sums))
}

// reloaded is what came of a reload.
type reloaded struct {
	// Error is what is wrong, "" when the new policy is in use.
	Error string `json:"error,omitempty"`
	// Restart names the flags that take effect at the next start only.
	Restart []string `json:"restart,omitempty"`
}

func showReloaded(out io.Writer, r reloaded) error {
	if r.Error != "" {
		return &exitError{exConfig, errors.New(r.Error)}
	}
	if len(r.Restart) > 0 {
		_, err := fmt.Fprintf(out, "note: --%s: takes effect at the next start\n", strings.Join(r.Restart, ", --"))
		return err
	}
	return nil
}

// reloadNow has the reload done by whoever does all of them, and waits for it.
func (d *daemon) reloadNow(ctx context.Context) (reloaded, error) {
	answer := make(chan reloaded, 1)
	select {
	case d.demands <- answer:
	case <-ctx.Done():
		return reloaded{}, ctx.Err()
	}
	select {
	case r := <-answer:
		return r, nil
	case <-ctx.Done():
		return reloaded{}, ctx.Err()
	}
}
