package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/checks"
	"mailweir/internal/auth"
	"mailweir/internal/backend"
	"mailweir/internal/config"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/why"
	"mailweir/internal/web"
	"mailweir/internal/web/door"
	"mailweir/milter"
)

// console is the running viewer and console: who may come in, and the server.
type console struct {
	flags  *consoleFlags
	tables *consoleTables
	users  *door.Users    // nil without --console-users
	pair   *certificate   // nil without TLS
	asked  *auth.Upstream // nil without --console-auth
	server *door.Server   // nil where only the files were to be looked at
}

// openConsoleFiles reads what says who may come in. An error means that the configuration is wrong.
func openConsoleFiles(flags *consoleFlags, backends *policy.Backends, log *logrus.Logger) (*console, error) {
	c := &console{flags: flags}
	wrong := func(err error) {
		log.WithField("error", config.Masked(err.Error())).Error("the console goes on with the logins, roles and certificate of before")
	}
	var err error
	if c.tables, err = openConsoleTables(flags, backends, wrong); err != nil {
		return nil, err
	}
	if *flags.users != "" {
		if c.users, err = door.OpenUsers(*flags.users, usersChanged(log)); err != nil {
			return nil, errors.Join(fmt.Errorf("--console-users: %w", err), c.close())
		}
	}
	if *flags.certificate != "" {
		if c.pair, err = openCertificate(*flags.certificate, *flags.privateKey, backends.Clock, wrong); err != nil {
			return nil, errors.Join(fmt.Errorf("--console-cert, --console-key: %w", err), c.close())
		}
	}
	return c, nil
}

// usersChanged says what has become of the file of logins.
func usersChanged(log *logrus.Logger) func(entries int, err error) {
	return func(entries int, err error) {
		if err != nil {
			log.WithField("error", err.Error()).Error("the file of --console-users is not read, the logins of before stay")
			return
		}
		log.WithField("logins", entries).Info("the file of --console-users is read again")
	}
}

// openConsole opens what --console names; nil without it.
func (d *daemon) openConsole() (*console, error) {
	flags := d.settings.daemon.console
	if *flags.listen == "" {
		return nil, nil
	}
	if *flags.users != "" || *flags.auth != "" {
		if err := hideMemory(); err != nil { // passwords come by
			return nil, fail(exSoftware, "%v", err)
		}
	}
	c, err := openConsoleFiles(flags, d.backends, d.log)
	if err != nil {
		return nil, &exitError{exConfig, err}
	}
	options, err := socketOptions("console", *flags.mode, *flags.group)
	if err != nil {
		return nil, errors.Join(&exitError{exConfig, err}, c.close())
	}
	l, err := d.sockets.listen(flags.address(), options)
	if err != nil {
		return nil, errors.Join(fail(exUnavailable, "--console=%s: %v", *flags.listen, err), c.close())
	}
	pages := web.New(d.consoleParts())
	o := door.Options{
		Listener: l, Routes: pages.Routes(), Pages: pages.Door(), Hosts: *flags.hosts, Audit: d.service.Audit, Clock: d.backends.Clock,
		Identity: c.identity(d.backends.Observer),
		Trouble: func(err error) {
			d.log.WithField("error", config.Masked(err.Error())).Warn("the console cannot find out who somebody is, or what he may do")
		},
		Defect: func(err error) { d.log.WithError(err).Error("a defect of the console; please report it") },
	}
	if c.pair != nil {
		o.Certificate = c.pair.get
	}
	c.server = door.New(o)
	c.server.Start(func(err error) { d.log.WithError(err).Error("the console has ended") })
	return c, nil
}

// identity is how the door finds out who asks.
func (c *console) identity(observer *backend.Observer) door.Identity {
	i := door.Identity{Header: *c.flags.proxyHeader, Roles: c.tables.roles(), Users: c.users}
	i.Proxies, i.ProxyUIDs, _ = c.flags.proxyList() // it has been validated
	if *c.flags.auth == "" {
		return i
	}
	network, address, _ := milter.ParseAddress(*c.flags.auth) // it has been validated
	c.asked = auth.NewUpstream(auth.UpstreamOptions{Name: "dovecot:" + *c.flags.auth, Dial: dialer(network, address), Watch: observer.Watch})
	i.Password = func(ctx context.Context, login string, password []byte, client netip.Addr) (string, bool, error) {
		return c.asked.Plain(ctx, "mailweir", login, password, client)
	}
	return i
}

// consoleParts are what the pages show and work with.
func (d *daemon) consoleParts() web.Parts {
	parts := web.Parts{
		InForce: d.inForce(), Admin: d.service, Clock: d.backends.Clock, Host: hostName(), Version: version, Registry: checks.Registry(),
		Teller: func(r record.Reader) *why.Teller { return d.loaded.Load().teller(r) },
	}
	if d.record != nil {
		parts.Record, parts.Watch = d.record.store, d.record.sink.Watch
	}
	return parts
}

// reload reads logins and roles again.
func (c *console) reload() {
	if c == nil {
		return
	}
	c.tables.Reload()
	if c.users != nil {
		c.users.Reload()
	}
	if c.pair != nil {
		c.pair.reload()
	}
}

// address is where the console listens, "off" without one.
func (c *console) address() string {
	if c == nil {
		return "off"
	}
	return c.server.Address()
}

// stop ends the console, after requests in progress.
func (c *console) stop() {
	if c == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), consoleWithin)
	defer cancel()
	c.server.Stop(ctx)
	_ = c.close()
}

// consoleWithin is how long requests in progress may take when the daemon ends.
const consoleWithin = 5 * time.Second

func (c *console) close() error {
	if c.asked != nil {
		c.asked.Close()
	}
	if c.tables == nil {
		return nil
	}
	return c.tables.Close()
}
