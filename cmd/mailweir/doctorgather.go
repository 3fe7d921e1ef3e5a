package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"mailweir/checks/spam"
	"mailweir/checks/virus"
	"mailweir/internal/admin"
	"mailweir/internal/config"
	"mailweir/internal/doctor"
	"mailweir/internal/mta"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
)

// socketName is the unit of systemd that listens for milters.
const socketName = "mailweir.socket"

// errLate is why something is not known that has not come to its end.
var errLate = errors.New("it was not finished within 30 seconds")

// gathering collects the facts of a report, all parts at once.
type gathering struct {
	settings *settings
	run      mta.Run
	servers  doctor.Servers
	skip     []string

	mu    sync.Mutex
	over  bool // what comes now comes too late
	facts doctor.Facts

	// policy is what the configuration on disk comes to, built once.
	policy func() (*runner.Policy, error)
	// close lets go what was opened for it.
	close func()
}

// gather returns the facts when all are there, or the context ends: then what is missing is late.
func (g *gathering) gather(ctx context.Context) *doctor.Facts {
	g.facts = doctor.Facts{
		Now: time.Now(), Again: again(), Root: g.servers.Root, NoPostfix: errLate, NoSendmail: errLate,
		Unit: doctor.NotKnown[doctor.Unit](errLate), Daemon: doctor.NotKnown[doctor.Daemon](errLate), Clock: doctor.NotKnown[doctor.Clock](errLate),
		Backends: doctor.NotKnown[[]doctor.Asked](errLate), Clients: doctor.NotKnown[doctor.Clients](errLate),
	}
	g.preparePolicy()
	parts := map[string]func(context.Context) func(*doctor.Facts){
		"configuration": g.configuration, "postfix": g.postfix, "sendmail": g.sendmail, "service": g.service, "clock": g.clock,
		"disk": g.disks, "dns-lists": g.lists, "scanners": g.scanners, "backends": g.backends, "relays": g.clients, "daemon": g.daemon,
	}
	var working sync.WaitGroup
	late := make(map[string]bool, len(parts))
	for name := range parts {
		late[name] = true
	}
	for name, part := range parts {
		working.Go(func() {
			found := part(ctx)
			g.mu.Lock()
			defer g.mu.Unlock()
			if g.over {
				return
			}
			delete(late, name)
			if found != nil {
				found(&g.facts)
			}
		})
	}
	done := make(chan struct{})
	go func() {
		working.Wait()
		close(done)
		g.close()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	for name := range late {
		g.facts.Late = append(g.facts.Late, name)
	}
	return &g.facts
}

// preparePolicy makes g.policy.
func (g *gathering) preparePolicy() {
	checked := sync.OnceValues(func() (*checked, error) { return newChecked(g.settings) })
	g.policy = func() (*runner.Policy, error) {
		c, err := checked()
		if err != nil {
			return nil, err
		}
		return c.policy, nil
	}
	g.close = func() {
		if c, err := checked(); err == nil {
			c.close()
		}
	}
}

func (g *gathering) postfix(ctx context.Context) func(*doctor.Facts) {
	found, err := g.servers.GatherPostfix(ctx)
	return func(f *doctor.Facts) { f.Postfix, f.NoPostfix = found, err }
}

func (g *gathering) sendmail(ctx context.Context) func(*doctor.Facts) {
	found, err := g.servers.GatherSendmail(ctx)
	return func(f *doctor.Facts) { f.Sendmail, f.NoSendmail = found, err }
}

func (g *gathering) service(ctx context.Context) func(*doctor.Facts) {
	unit := doctor.GatherUnit(ctx, g.run, unitName)
	return func(f *doctor.Facts) { f.Unit = unit }
}

func (g *gathering) clock(context.Context) func(*doctor.Facts) {
	clock := doctor.GatherClock()
	return func(f *doctor.Facts) { f.Clock = clock }
}

// disks are those of what is kept in files.
func (g *gathering) disks(context.Context) func(*doctor.Facts) {
	var disks []doctor.Disk
	if dir, ok := strings.CutPrefix(stateSpec(*g.settings.daemon.state), "file:"); ok {
		disks = append(disks, doctor.GatherDisk("state", dir))
	}
	if dir, ok := strings.CutPrefix(recordSpec(g.settings.daemon), "file:"); ok {
		disks = append(disks, doctor.GatherDisk("record", dir))
	}
	spool := g.settings.flags.Lookup("scan-spool").Value.String()
	if spool == "" {
		spool = os.TempDir()
	}
	disks = append(disks, doctor.GatherDisk("messages", spool))
	return func(f *doctor.Facts) { f.Disks = disks }
}

func (g *gathering) scanners(ctx context.Context) func(*doctor.Facts) {
	named := func(check string) []string { return given(g.settings, check+"-scanner") }
	found := doctor.GatherScanners(ctx, named(virus.Check.Name), named(spam.Check.Name), time.Now)
	return func(f *doctor.Facts) { f.Scanners = found }
}

// given are the values of a repeatable flag, none where it is not given.
func given(s *settings, flag string) []string {
	var values []string
	for _, v := range flagValues(s.flags.Lookup(flag)) {
		if v != "" {
			values = append(values, v)
		}
	}
	return values
}

// daemon asks the running mailweir about itself. Without --control there is nobody to ask.
func (g *gathering) daemon(ctx context.Context) func(*doctor.Facts) {
	var status doctor.Daemon
	asked, err := g.ask(ctx, daemonStatus, &status)
	if errors.Is(err, admin.ErrNotRunning) {
		err = fmt.Errorf("%w at --control=%s: mailweir does not run", doctor.ErrNotRunning, *g.settings.daemon.control)
	}
	return func(f *doctor.Facts) {
		switch {
		case err != nil:
			f.Daemon = doctor.NotKnown[doctor.Daemon](err)
		case !asked:
			f.Daemon = doctor.Fact[doctor.Daemon]{}
		default:
			f.Daemon = doctor.Known(status)
		}
	}
}

// shut is why the configuration cannot be read by this user.
func (s *settings) shut() error {
	for _, w := range s.found.Wrong {
		if errors.Is(w.Err, fs.ErrPermission) {
			return w.Err
		}
	}
	return nil
}

// ask puts an operation to the running mailweir; asked is false where no socket is configured.
func (g *gathering) ask(ctx context.Context, operation string, answer any) (asked bool, err error) {
	if err := g.settings.shut(); err != nil {
		return true, err
	}
	address := *g.settings.daemon.control
	if address == "" {
		return false, nil
	}
	client, err := dial(address)
	if err != nil {
		return true, err
	}
	defer client.Close()
	return true, at(address, client.Ask(ctx, operation, policy.Nothing{}, answer))
}

// backends are asked by the running mailweir, which asks them from within its sandbox; else here.
func (g *gathering) backends(ctx context.Context) func(*doctor.Facts) {
	var rows []inspectedRow
	if asked, err := g.ask(ctx, "backends/test", &rows); !asked || err != nil {
		p, err := g.policy()
		if err != nil {
			return func(f *doctor.Facts) { f.Backends = doctor.Fact[[]doctor.Asked]{} } // the configuration is wrong
		}
		within, cancel := context.WithTimeout(ctx, inspectWithin)
		defer cancel()
		rows = inspectedRows(p.Inspect(within))
	}
	found := make([]doctor.Asked, 0, len(rows))
	for _, row := range rows {
		one := doctor.Asked{Name: row.Name, Found: row.Found, Remarks: row.Remarks}
		if row.Err != "" {
			one.Err = errors.New(row.Err)
		}
		found = append(found, one)
	}
	return func(f *doctor.Facts) { f.Backends = doctor.Known(found) }
}

// configuration reads what is on disk.
func (g *gathering) configuration(ctx context.Context) func(*doctor.Facts) {
	if err := g.settings.shut(); err != nil {
		return func(f *doctor.Facts) { f.Config = doctor.Config{Closed: errors.New(config.Masked(err.Error()))} }
	}
	c := g.settings.doctorConfig(g.policy)
	if len(*g.settings.daemon.listen) == 0 || strings.HasPrefix((*g.settings.daemon.listen)[0], "systemd:") {
		c.Listen = append(c.Listen, doctor.GatherSocket(ctx, g.run, socketName)...)
	}
	for i, text := range c.Wrong {
		c.Wrong[i] = config.Masked(text)
	}
	return func(f *doctor.Facts) { f.Config = c }
}
