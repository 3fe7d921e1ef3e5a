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
	"mailweir/internal/systemd"
	"mailweir/milter"
)

// daemon is the running milter.
type daemon struct {
	settings  *settings                 // what the process was started with
	loaded    atomic.Pointer[settings]  // what the current policy was built from
	loadedAt  atomic.Pointer[time.Time] // when that was
	read      *settings                 // what was read last, whether or not it needs another start
	log       *logrus.Logger
	metrics   *events.Metrics
	recorder  *events.Recorder
	backends  *policy.Backends
	runner    *runner.Runner
	server    *milter.Server
	sockets   *sockets
	notify    *systemd.Notifier
	http      *httpServer
	console   *console
	service   *admin.Service
	record    *recording // nil where nothing is recorded
	inspector inspector
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
	failed     string // what changed lists looked like that could not be loaded, so that each change is tried once
}

// newDaemon builds everything that does not listen. An error means that the configuration is wrong.
func newDaemon(s *settings, out io.Writer) (*daemon, error) {
	log, err := newLogger(s.daemon, out)
	if err != nil {
		return nil, &exitError{exConfig, err}
	}
	if err := s.daemon.validate(); err != nil {
		return nil, &exitError{exConfig, s.mistakes(err, lookAtPolicy)}
	}
	takeStandardLog(log)
	d := &daemon{begun: time.Now(), settings: s, read: s, demands: make(chan chan<- reloaded), signs: make(chan struct{}), explaining: make(chan struct{}, 1)}
	if d.notify, err = systemd.NewNotifier(func(err error) { log.Warn(err.Error()) }); err != nil {
		return nil, &exitError{exConfig, err}
	}
	defer d.notify.Loading("loading state, lists and tables")()
	d.loaded.Store(s)
	store, err := openState(*s.daemon.state, log, time.Now)
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
	if d.record, err = openRecording(s.daemon, log, d.metrics.ObserveRecord(log, config.Masked)); err != nil {
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
		d.metrics.Registry.MustRegister(d.record.sink.Collector())
	}
	d.runner = runner.NewRunner(p, d.recorder, runner.DefaultLimits)
	d.record.loaded("start", p, nil)
	from, _ := listenFrom(*s.daemon.listenFrom) // it has been validated
	d.server = &milter.Server{
		NewSession: func() milter.Session { return d.runner.NewSession() },
		From:       from,
		OnDegraded: func(what string) { log.Warn(what) },
		ErrorLog:   func(err error) { log.WithError(err).Warn("milter connection") },
		IdleGrace:  min(idleGrace, *s.daemon.drain),
	}
	return d, nil
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
	d.runner.Close()
	d.recorder.Close()
	if err := d.record.close(); err != nil {
		d.log.WithError(err).Error("the record was not closed in order")
	}
	if err := closeBackends(d.backends); err != nil {
		d.log.WithError(err).Error("the state was not closed in order")
	}
}

// run serves until SIGTERM, SIGINT or the end of the context.
func (d *daemon) run(ctx context.Context, listeners []net.Listener, signals <-chan os.Signal) error {
	var err error
	if d.http, err = d.sockets.openHTTP(*d.settings.daemon.http, d.metrics.Registry, d.inspect); err != nil {
		return fail(exUnavailable, "--http: %v", err)
	}
	defer d.http.stop()
	commands, err := d.openControl(*d.settings.daemon.control)
	if err != nil {
		return fail(exUnavailable, "%v", err)
	}
	if commands != nil {
		defer stopCommands(commands)
		defer d.record.endFollowing()
	}
	asked, err := d.openLogins(d.settings.daemon.auth)
	if err != nil {
		return fail(exUnavailable, "%v", err)
	}
	if asked != nil {
		defer stopLogins(asked)
	}
	if d.console, err = d.openConsole(); err != nil {
		return err
	}
	defer d.console.stop()
	served := make(chan error, 1)
	var serving sync.WaitGroup
	defer serving.Wait()
	ticking, stop := context.WithCancel(context.Background())
	defer stop()
	serving.Go(func() { d.tick(ticking) })
	serving.Go(func() { served <- d.server.Serve(listeners...) })
	serving.Go(func() { d.watchdog(ticking) })
	d.announce(listeners)
	return d.wait(ctx, signals, served)
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
	defer d.startReloader()()
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
		}
	}
}

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

// drain lets messages in progress finish, and says how many did not.
func (d *daemon) drain() error {
	d.http.ready(false)
	d.notify.Stopping(fmt.Sprintf("draining %d connections", d.server.Connections()), *d.settings.daemon.drain+endsWithin)
	ctx, cancel := context.WithTimeout(context.Background(), *d.settings.daemon.drain)
	defer cancel()
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
