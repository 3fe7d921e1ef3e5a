package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"

	checkauth "mailweir/checks/auth"
	"mailweir/internal/auth"
	"mailweir/internal/backend"
	"mailweir/internal/events"
	"mailweir/internal/logins"
	"mailweir/internal/passwords"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
	"mailweir/internal/systemd"
)

// authDaemon is the running service that looks at passwords.
type authDaemon struct {
	flags    *authFlags
	mode     policy.Mode
	log      *logrus.Logger
	metrics  *events.Metrics
	observer *backend.Observer // of metrics alone: the lines here say what it means for logins
	recorder *events.Recorder
	upstream *auth.Upstream  // nil with a password file
	file     *passwords.File // nil with a Dovecot
	milter   *logins.Client  // nil without --auth-milter
	relay    *logins.Relay   // to the milter's record
	server   *auth.Server
	sockets  *sockets
	notify   *systemd.Notifier
	evicted  evictions

	inspector inspector
}

// newAuthDaemon builds everything that does not listen. An error means that the configuration is
// wrong.
func newAuthDaemon(s *settings, out io.Writer) (*authDaemon, error) {
	a := s.daemon.auth
	log, err := newLogger(s.daemon, out)
	if err == nil {
		err = a.validate()
	}
	if err != nil {
		return nil, &exitError{exConfig, s.placedAll(err)}
	}
	takeStandardLog(log)
	d := &authDaemon{flags: a, log: log, mode: s.mode(checkauth.Check.Name)}
	if d.notify, err = systemd.NewNotifier(func(err error) { log.Warn(err.Error()) }); err != nil {
		return nil, &exitError{exConfig, err}
	}
	wrong, reason, err := authReply(s)
	if err != nil {
		return nil, &exitError{exConfig, s.placedAll(err)}
	}
	d.metrics = events.NewMetrics(version)
	d.observer = d.metrics.Observe(unheard(), func(s string) string { return s })
	judge, err := d.openJudge()
	if err != nil {
		return nil, err
	}
	recording := events.Options{Log: log, Metrics: d.metrics, Clock: time.Now, Host: hostName()}
	if *a.milter != "" {
		d.milter = d.openMilter(strings.TrimPrefix(*a.milter, "unix:"))
		recording.Sinks = append(recording.Sinks, d.relay)
	}
	d.recorder = events.NewRecorder(recording)
	d.metrics.ExpectFailures(checkauth.Check.Name)
	d.metrics.Loaded(time.Now())
	counts := auth.NewCounts()
	counts.Register(d.metrics.Registry)
	d.evicted = evictions{log: log}
	options := auth.Options{
		Judge: judge, Mode: d.mode, Check: checkauth.Check.Name, Wrong: wrong, Unavailable: checkauth.Unavailable, Reason: reason,
		Recorder: d.recorder, Clock: time.Now, Streams: *a.streams, Evicted: d.evicted.one, Counts: counts,
		Defect: func(stack []byte) {
			d.recorder.Defect(fmt.Errorf("panic while a login was judged\n%s", stack))
		},
	}
	if d.milter != nil {
		options.Milter = d.milter
	}
	d.server = auth.NewServer(options)
	return d, nil
}

// unheard is a log that nobody reads.
func unheard() *logrus.Logger {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return log
}

// openJudge opens whoever knows the passwords.
func (d *authDaemon) openJudge() (auth.Judge, error) {
	switch a := d.flags; {
	case *a.passwords != "":
		file, err := passwords.Open(*a.passwords, d.fileChanged)
		if err != nil {
			return nil, &exitError{exConfig, fmt.Errorf("--auth-passwords: %w", err)}
		}
		d.file = file
		return auth.NewFile(file, *a.parallel), nil
	case *a.upstream != "":
		network, address, err := a.upstreamAddress()
		if err != nil {
			return nil, &exitError{exConfig, err}
		}
		offer, err := auth.ParseMechanisms(*a.mechanisms)
		if err != nil {
			return nil, fail(exConfig, "--auth-mechanisms: %v", err)
		}
		d.upstream = auth.NewUpstream(auth.UpstreamOptions{
			Name: "dovecot:" + *a.upstream, Offer: offer, Dial: dialer(network, address),
			Watch: d.watch("Dovecot does not answer; clients that log in are to try again (454)", "Dovecot answers again"),
		})
		return d.upstream, nil
	}
	return nil, fail(exConfig, "who knows the passwords? Name a Dovecot (--auth-upstream) or a password file (--auth-passwords)")
}

// dialer connects to an address.
func dialer(network, address string) func(context.Context) (net.Conn, error) {
	var d net.Dialer
	return func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, network, address) }
}

// openMilter opens the way to the milter, which need not be there.
func (d *authDaemon) openMilter(socket string) *logins.Client {
	var c *logins.Client
	d.metrics.Registry.MustRegister(auth.ReportsDropped.NewCounterFunc(func() float64 { return float64(c.Dropped()) }))
	c = logins.NewClient(socket, d.watch(
		"the milter does not answer; logins go on, nobody is blocked, and what comes of them is dropped", "the milter answers again",
	))
	d.relay = logins.NewRelay(c)
	d.metrics.Registry.MustRegister(auth.EventsDropped.NewCounterFunc(func() float64 { return float64(d.relay.Dropped()) }))
	return c
}

// watch has a backend tell, in the log and in the metrics, when it goes and when it returns.
func (d *authDaemon) watch(down, up string) func(backend.Options) backend.Options {
	return func(o backend.Options) backend.Options {
		name := o.Name
		o.OnDown = func(err error) { d.log.WithField("backend", name).WithError(err).Error(down) }
		o.OnUp = func() { d.log.WithField("backend", name).Info(up) }
		return d.observer.Watch(o)
	}
}

func (d *authDaemon) fileChanged(entries int, err error) {
	if err != nil {
		d.metrics.NotLoaded()
		d.log.WithError(err).Error("the password file has changed and cannot be used; what was read before stays in force")
		return
	}
	d.metrics.Loaded(time.Now())
	d.log.WithField("logins", entries).Info("password file loaded")
}

// close ends what newAuthDaemon began, once nothing listens any more.
func (d *authDaemon) close() {
	if d.upstream != nil {
		d.upstream.Close()
	}
	d.recorder.Close()
	if d.milter != nil {
		d.relay.Close()
		d.milter.Close()
	}
}

// run serves until a signal or the end of the context.
func (d *authDaemon) run(ctx context.Context, listeners []net.Listener, signals <-chan os.Signal) error {
	web, err := d.sockets.openHTTP(*d.flags.http, d.metrics.Registry, d.conditions)
	if err != nil {
		return fail(exUnavailable, "--auth-http: %v", err)
	}
	defer web.stop()
	d.seek(ctx)
	served := make(chan error, len(listeners))
	var serving sync.WaitGroup
	defer serving.Wait()
	ticking, stop := context.WithCancel(ctx)
	defer stop()
	serving.Go(func() { d.sweep(ticking) })
	serving.Go(func() {
		d.notify.Watch(ticking, func(err error) { d.log.WithError(err).Error("mailweir auth hangs") },
			systemd.Part{Name: "accepting connections", Moves: d.sockets.moves})
	})
	for _, l := range listeners {
		serving.Go(func() { served <- d.server.Serve(l) })
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.Background(), authEnds)
		defer cancel()
		d.notify.Stopping("finishing answers in progress", authEnds)
		d.sockets.close() // they are not needed any more
		d.server.Shutdown(ending)
	}()
	web.ready(true)
	d.announce(listeners, web.address())
	return d.wait(ctx, signals, served)
}

// authEnds is how long answers in progress may take at the end.
const authEnds = 10 * time.Second

func (d *authDaemon) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			d.recorder.Sweep()
		}
	}
}

// seek waits a moment for Dovecot to say what it can do, and for the milter to be there; the log
// has it where one is not.
func (d *authDaemon) seek(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	var seeking sync.WaitGroup
	if d.upstream != nil {
		seeking.Go(func() { _ = d.upstream.Seek(ctx) })
	}
	if d.milter != nil {
		seeking.Go(func() { _ = d.milter.Greet(ctx) })
	}
	seeking.Wait()
}

func (d *authDaemon) announce(listeners []net.Listener, web string) {
	if os.Geteuid() == 0 {
		d.log.Warn("mailweir auth runs as root; give it a user of its own")
	}
	if d.milter == nil {
		d.log.Warn("without --auth-milter nobody is blocked, and failures are counted nowhere")
	}
	for _, remark := range d.flags.remarks() {
		d.log.Warn(remark)
	}
	var addresses, mechanisms []string
	for _, l := range listeners {
		addresses = append(addresses, listenAddress(l.Addr()))
	}
	fields := logrus.Fields{"version": version, "http": web, "listen": strings.Join(addresses, " "), "mode": d.mode.String()}
	if d.file != nil {
		fields["passwords"], fields["logins"] = *d.flags.passwords, d.file.Len()
	} else {
		fields["upstream"] = *d.flags.upstream
		for _, m := range d.upstream.Mechanisms() {
			mechanisms = append(mechanisms, m.Name)
		}
		fields["mechanisms"] = strings.Join(mechanisms, " ")
	}
	d.log.WithFields(fields).Info("mailweir auth is ready")
	d.notify.Ready("version " + version + "; answers about logins")
}

// wait acts on signals until the service is to end.
func (d *authDaemon) wait(ctx context.Context, signals <-chan os.Signal, served <-chan error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case sig := <-signals:
			if sig == syscall.SIGHUP {
				d.hup()
				continue
			}
			d.log.WithField("signal", sig.String()).Info("draining")
			return nil
		case err := <-served:
			return fail(exUnavailable, "listening failed: %v", err)
		}
	}
}

// hup has the password file read again. Flags are those of the start.
func (d *authDaemon) hup() {
	if d.file != nil {
		d.file.Reload()
	}
	d.log.Info("flags of mailweir auth take effect at the next start")
}

// conditions says how those are whom logins depend on, for /readyz?verbose.
func (d *authDaemon) conditions(ctx context.Context) []condition {
	return d.inspector.ask(ctx, d.inspect)
}

// inspect asks those whom logins depend on.
func (d *authDaemon) inspect(ctx context.Context) []runner.Inspected {
	var found []runner.Inspected
	ask := func(name string, greet func(context.Context) error) {
		one := runner.Inspected{Name: name, Err: greet(ctx)}
		one.Text = "it answers"
		found = append(found, one)
	}
	if d.upstream != nil {
		ask(*d.flags.upstream, d.upstream.Greet)
	}
	if d.milter != nil {
		ask(*d.flags.milter, d.milter.Greet)
	}
	return found
}

// evictions says, once a minute at most, that streams had to make room for new ones.
type evictions struct {
	log *logrus.Logger

	mu    sync.Mutex
	told  time.Time
	count int
}

func (e *evictions) one() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.count++
	if now := time.Now(); now.Sub(e.told) >= time.Minute {
		e.log.WithField("closed", e.count).Warn("more smtpd processes than --auth-streams are connected; the one that was idle for longest makes room")
		e.told, e.count = now, 0
	}
}
