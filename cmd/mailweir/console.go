package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"mailweir/internal/auth"
	"mailweir/internal/config"
	"mailweir/internal/web"
	"mailweir/internal/web/door"
	"mailweir/milter"
)

// console is the running viewer and console.
type console struct {
	server *door.Server
	users  *door.Users
	tables *consoleTables
	pair   *certificate   // nil without TLS
	asked  *auth.Upstream // nil without --console-auth
}

// openConsole opens what --console names; nil without it.
func (d *daemon) openConsole() (c *console, err error) {
	flags := d.settings.daemon.console
	if *flags.listen == "" {
		return nil, nil
	}
	c = &console{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	wrong := func(err error) {
		d.log.WithField("error", config.Masked(err.Error())).Error("the console goes on with the logins and roles of before")
	}
	if c.tables, err = openConsoleTables(flags, d.backends, wrong); err != nil {
		return c, err
	}
	identity := door.Identity{Header: *flags.proxyHeader, Roles: c.tables.roles()}
	if identity.Proxies, identity.ProxyUIDs, err = flags.proxyList(); err != nil {
		return c, err
	}
	if *flags.users != "" {
		if c.users, err = door.OpenUsers(*flags.users, d.consoleUsers); err != nil {
			return c, fmt.Errorf("--console-users: %w", err)
		}
		identity.Users = c.users
	}
	if *flags.auth != "" {
		c.asked = d.askDovecot(*flags.auth)
		identity.Password = func(ctx context.Context, login string, password []byte, client netip.Addr) (string, bool, error) {
			return c.asked.Plain(ctx, "mailweir", login, password, client)
		}
	}
	var certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	if *flags.certificate != "" {
		wrong := func(err error) { d.log.WithError(err).Error("the console goes on with the certificate of before") }
		if c.pair, err = openCertificate(*flags.certificate, *flags.privateKey, d.backends.Clock, wrong); err != nil {
			return c, fmt.Errorf("--console-cert, --console-key: %w", err)
		}
		certificate = c.pair.get
	}
	options, err := socketOptions("console", *flags.mode, *flags.group)
	if err != nil {
		return c, err
	}
	l, err := milter.Listen(flags.address(), options)
	if err != nil {
		return c, fmt.Errorf("--console=%s: %w", *flags.listen, err)
	}
	defect := func(err error) { d.log.WithError(err).Error("a defect of the console; please report it") }
	pages := web.New(d.consoleParts())
	c.server = door.New(door.Options{
		Listener: l, Routes: pages.Routes(), Pages: pages.Door(), Hosts: *flags.hosts, Identity: identity, Certificate: certificate, Audit: d.service.Audit, Clock: d.backends.Clock, Defect: defect,
	})
	c.server.Start(func(err error) { d.log.WithError(err).Error("the console has ended") })
	return c, nil
}

// consoleParts are what the pages show and work with.
func (d *daemon) consoleParts() web.Parts {
	return web.Parts{InForce: d.inForce(), Admin: d.service, Clock: d.backends.Clock, Host: hostName(), Version: version}
}

// askDovecot is who knows the passwords that --console-users does not list.
func (d *daemon) askDovecot(address string) *auth.Upstream {
	network, host, _ := milter.ParseAddress(address) // it has been validated
	return auth.NewUpstream(auth.UpstreamOptions{Name: "dovecot:" + address, Dial: dialer(network, host), Watch: d.backends.Observer.Watch})
}

// consoleUsers says what has become of the file of logins.
func (d *daemon) consoleUsers(entries int, err error) {
	if err != nil {
		d.log.WithField("error", err.Error()).Error("the file of --console-users is not read, the logins of before stay")
		return
	}
	d.log.WithField("logins", entries).Info("the file of --console-users is read again")
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
