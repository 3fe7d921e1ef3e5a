package main

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	options, err := socketOptions("console", *flags.mode, *flags.group)
	if err != nil {
		return c, err
	}
	l, err := milter.Listen(flags.address(), options)
	if err != nil {
		return c, fmt.Errorf("--console=%s: %w", *flags.listen, err)
	}
	pages := web.New(d.consoleParts())
	c.server = door.New(door.Options{
		Listener: l, Routes: pages.Routes(), Pages: pages.Door(), Hosts: *flags.hosts, Identity: identity, Audit: d.service.Audit, Clock: d.backends.Clock,
	})
	c.server.Start(func(err error) { d.log.WithError(err).Error("the console has ended") })
	return c, nil
}

// consoleParts are what the pages show and work with.
func (d *daemon) consoleParts() web.Parts {
	return web.Parts{Admin: d.service, Clock: d.backends.Clock, Host: hostName(), Version: version}
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
	if c.tables == nil {
		return nil
	}
	return c.tables.Close()
}
