package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/admin"
	"mailweir/internal/config"
	"mailweir/internal/events"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
	"mailweir/internal/state"
	"mailweir/internal/systemd"
	"mailweir/milter"
)

// daemon is the running milter.
type daemon struct {
	settings    *settings                 // what the process was started with
	program     string                    // path of the file that it was started from
	loaded      atomic.Pointer[settings]  // what the current policy was built from
	loadedAt    atomic.Pointer[time.Time] // when that was
	read        *settings                 // what was read last, whether or not it needs another start
	log         *logrus.Logger
	metrics     *events.Metrics
	recorder    *events.Recorder
	backends    *policy.Backends
	runner      *runner.Runner
	server      *milter.Server
	sockets     *sockets
	notify      *systemd.Notifier
	http        *httpServer
	console     *console
	service     *admin.Service
	record      *recording    // nil where nothing is recorded
	state       *state.Switch // the state, where only one process can hold it
	predecessor *predecessor  // nil where there is none

	upgrading sync.Mutex    // held while an upgrade is under way, and after one
	handed    chan struct{} // closed when the successor serves
	successor *successor    // then
	inspector inspector
	warned    map[string]bool    // what the log has said of the policy, as wide open
	started   []runner.Inspected // what the first policy found of what it depends on
	begun     time.Time          // when the process was

	addresses    atomic.Pointer[[]string] // where it listens
	reloadFailed atomic.Pointer[string]   // why the last reload has changed nothing

	hups    chan struct{}             // SIGHUPs to act on
	demands chan chan<- reloaded      // reloads that somebody waits for
	signs   chan struct{}             // a sign of life of whoever reloads is wanted
	loading atomic.Pointer[time.Time] // since when a reload is under way; nil while none is
	// explaining has room for one case at a time.
	explaining chan struct{}
	stops      []func() // end what is served beside the MTAs
	failed     string   // what changed lists looked like that could not be loaded, so that each change is tried once
}

// newDaemon builds everything that does not listen. An error means that the configuration is wrong.
func newDaemon(s *settings, before *predecessor, out io.Writer) (*daemon, error) {
	log, err := newLogger(s.daemon, out)
	if err != nil {
		return nil, &exitError{exConfig, err}
	}
	if err := s.daemon.validate(); err != nil {
		return nil, &exitError{exConfig, s.mistakes(err, lookAtPolicy)}
	}
	takeStandardLog(log)
	d := &daemon{begun: time.Now(), settings: s, read: s, predecessor: before, handed: make(chan struct{}), demands: make(chan chan<- reloaded), signs: make(chan struct{}), explaining: make(chan struct{}, 1)}
	if d.notify, err = systemd.NewNotifier(func(err error) { log.Warn(err.Error()) }); err != nil {
		return nil, &exitError{exConfig, err}
	}
	defer d.notify.Loading("loading state, lists and tables")()
	d.loaded.Store(s)
	store, err := d.openState(log)
	if err != nil {
		return nil, err
	}
	backends, err := openBackends(s.daemon, log, time.Now, store)
	if err != nil {
		_ = store.Close() // nothing has been written
		return nil, &exitError{exConfig, err}
	}
	backends.Connections = func() int { return d.server.Connections() }
	d.metrics = events.NewMetrics(version)
	backends.Observer = d.metrics.Observe(log, config.Masked)
	backends.Scanned, backends.Signatures = d.metrics.Scanned, d.metrics.Signatures
	p, err := s.draft.Build(backends, nil)
	if err != nil {
		_ = closeBackends(backends) // nothing has been written
		return nil, &exitError{exConfig, s.mistakes(err, lookAtPolicy)}
	}
	d.started = waitReady(p)
	d.log, d.backends = log, backends
	if d.record, err = openRecording(s.daemon, before, log, d.metrics.ObserveRecord(log, config.Masked)); err != nil {
		_ = closeBackends(backends) // nothing has been written
		return nil, err
	}
	d.service = d.newService()
	d.metrics.WatchLists(backends.Lists, backends.DNS)
	d.metrics.WatchState(backends.State)
	d.nowLoaded()
	d.recorder = events.NewRecorder(events.Options{Log: log, Metrics: d.metrics, Clock: time.Now, Host: hostName(), Sinks: d.record.sinks()})
	d.logAs(s.daemon)
	if d.record != nil {
		d.metrics.Registry.MustRegister(d.record.sink.Collector(), d.record.weighed)
	}
	d.runner = runner.NewRunner(p, d.recorder, runner.DefaultLimits)
	d.metrics.WatchMonitored(func() int { return len(d.runner.Orders()) })
	d.metrics.WatchSpool(d.runner.SpoolUsed, d.runner.SpoolMax)
	for _, c := range p.Checks() {
		d.metrics.ExpectFailures(c.Check.Name)
	}
	d.record.loaded("start", p, nil)
	from, _ := listenFrom(*s.daemon.listenFrom) // it has been validated
	d.server = &milter.Server{
		NewSession: func() milter.Session { return d.runner.NewSession() },
		From:       from,
		OnDegraded: func(what string) { log.Warn(what) },
		ErrorLog:   func(err error) { log.WithError(err).Warn("milter connection") },
		OnGiveUp:   d.metrics.GaveUp,
		IdleGrace:  min(idleGrace, *s.daemon.drain),
	}
	return d, nil
}

// openState opens the state. What the predecessor holds is asked of it, until that is released.
func (d *daemon) openState(log *logrus.Logger) (state.Store, error) {
	flag := *d.settings.daemon.state
	if d.predecessor.hasState(stateSpec(flag)) {
		d.state = state.NewSwitch(d.predecessor.uses())
		return d.state, nil
	}
	store, err := openState(flag, log, time.Now)
	if err != nil || store.Waits() {
		return store, err // several processes share it
	}
	d.state = state.NewSwitch(store)
	return d.state, nil
}

// hostName names this host in the record, "" where nobody knows.
func hostName() string {
	name, _ := os.Hostname()
	return name
}

// readyWithin is how long a new policy may take to be as good as it will be, before it is used all
// the same.
const readyWithin = 2 * time.Second

// waitReady waits until a policy is as good as it will be, and asks what it depends on meanwhile.
func waitReady(p *runner.Policy) []runner.Inspected {
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	var asking sync.WaitGroup
	var found []runner.Inspected
	asking.Go(func() { found = p.Inspect(ctx) })
	p.Ready(ctx)
	asking.Wait()
	return found
}

// close ends what newDaemon began, once nothing listens any more.
func (d *daemon) close() {
	d.predecessor.leave()
	d.runner.Close()
	d.recorder.Close()
	if err := d.record.close(); err != nil {
		d.log.WithError(err).Error("the record was not closed in order")
	}
	if err := closeBackends(d.backends); err != nil {
		d.log.WithError(err).Error("the state was not closed in order")
	}
	if d.successor != nil {
		d.successor.peer.Close()
	}
}

// run serves until SIGTERM, SIGINT or the end of the context.
func (d *daemon) run(ctx context.Context, listeners []net.Listener, signals <-chan os.Signal) error {
	var err error
	if d.http, err = d.sockets.openHTTP(*d.settings.daemon.http, d.metrics.Registry, d.inspect); err != nil {
		return fail(exUnavailable, "--http: %v", err)
	}
	defer d.stop()
	d.stops = append(d.stops, d.http.stop)
	commands, err := d.openControl(*d.settings.daemon.control)
	if err != nil {
		return fail(exUnavailable, "%v", err)
	}
	if commands != nil {
		d.stops = append(d.stops, func() {
			d.record.endFollowing()
			stopCommands(commands)
		})
	}
	asked, err := d.openLogins(d.settings.daemon.auth)
	if err != nil {
		return fail(exUnavailable, "%v", err)
	}
	if asked != nil {
		d.stops = append(d.stops, func() { stopLogins(asked) })
	}
	if d.console, err = d.openConsole(); err != nil {
		return err
	}
	d.stops = append(d.stops, d.console.stop)
	if d.predecessor != nil {
		if err := d.succeed(); err != nil {
			return err
		}
		d.sockets.settle()
		go d.predecessor.watchOver(d.log)
	}
	d.sockets.begin()
	served := make(chan error, 1)
	var serving sync.WaitGroup
	defer serving.Wait()
	ticking, stop := context.WithCancel(context.Background())
	defer stop()
	defer d.startReloader()() // before anybody can see that it serves
	serving.Go(func() { d.tick(ticking) })
	serving.Go(func() { served <- d.server.Serve(listeners...) })
	serving.Go(func() { d.watchdog(ticking) })
	d.announce(listeners)
	return d.wait(ctx, signals, served)
}

// stop ends what is served beside the MTAs, all at once, after requests in progress.
func (d *daemon) stop() {
	var ending sync.WaitGroup
	for _, stop := range d.stops {
		ending.Go(stop)
	}
	ending.Wait()
	d.stops = nil
}

// tickEvery is how often checks do what is due without any mail, sweepEvery how late the log may
// tell of events that were alike.
const (
	tickEvery  = 30 * time.Second
	sweepEvery = time.Second
)

func (d *daemon) tick(ctx context.Context) {
	ticker, sweeper, shower := time.NewTicker(tickEvery), time.NewTicker(sweepEvery), time.NewTicker(statusEvery)
	defer ticker.Stop()
	defer sweeper.Stop()
	defer shower.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			d.runner.Tick(ctx)
		case <-sweeper.C:
			d.recorder.Sweep()
		case <-shower.C:
			d.notify.Status(d.status())
		}
	}
}

func (d *daemon) announce(listeners []net.Listener) {
	for _, u := range d.settings.found.Unknown {
		d.log.WithField("variable", u.Name).Warn(u.String())
	}
	for _, remark := range d.settings.found.Remarks {
		d.log.Warn(remark)
	}
	for _, remark := range d.settings.daemon.placeRemarks() {
		d.log.Warn(remark)
	}
	if remark := d.settings.daemon.forgets(); remark != "" {
		d.log.Warn(remark)
	}
	for _, remark := range d.settings.daemon.openRemarks() {
		d.log.Warn(remark)
	}
	d.warn(d.runner.Policy())
	announceInspected(d.log, d.started)
	if d.record != nil {
		d.log.WithField("record", d.record.where()).Info("decisions are recorded")
	}
	var addresses []string
	for _, l := range listeners {
		addresses = append(addresses, listenAddress(l.Addr()))
	}
	d.addresses.Store(&addresses)
	d.http.ready(true)
	if byHand := d.monitoredByHand(); byHand != "" {
		d.log.WithField("checks", byHand).Warn("checks are monitored by hand and refuse nothing; mailweir monitor list says who and why")
	}
	d.log.WithFields(logrus.Fields{
		"version": version, "listen": strings.Join(addresses, " "), "http": d.http.address(), "state": d.stateInUse(),
		"console": d.console.address(),
	}).Info("mailweir is ready")
	d.notify.Ready(d.status())
}

// listenAddress writes an address as --listen does.
func listenAddress(a net.Addr) string {
	if a.Network() == "unix" {
		return "unix:" + a.String()
	}
	return "inet:" + a.String()
}

// wait acts on signals until the daemon is to end.
func (d *daemon) wait(ctx context.Context, signals <-chan os.Signal, served <-chan error) error {
	for {
		select {
		case <-ctx.Done():
			return d.drain()
		case sig := <-signals:
			if sig != syscall.SIGHUP {
				d.log.WithField("signal", sig.String()).Info("draining")
				return d.drain()
			}
			select {
			case d.hups <- struct{}{}:
			default: // one is waiting already, and will see what is new
			}
		case err := <-served:
			return fail(exUnavailable, "listening failed: %v", err)
		case <-d.handed:
			return d.outlive(ctx, signals)
		}
	}
}

// drain lets messages in progress finish, and says how many did not.
func (d *daemon) drain() error {
	d.http.ready(false)
	d.notify.Stopping(fmt.Sprintf("draining %d connections", d.server.Connections()), *d.settings.daemon.drain+endsWithin)
	ctx, cancel := context.WithTimeout(context.Background(), *d.settings.daemon.drain)
	defer cancel()
	defer d.predecessor.awaitEnd(ctx) // it remembers through this process
	if err := d.server.Shutdown(ctx); err != nil {
		d.log.WithError(err).Warn("drain ended early")
		return nil
	}
	d.log.Info("drained")
	return nil
}

// idleGrace is how long a drain leaves connections on which no message is in progress. Nobody new
// can connect meanwhile, so it is short; a client whose connection is closed comes back.
const idleGrace = 3 * time.Second
