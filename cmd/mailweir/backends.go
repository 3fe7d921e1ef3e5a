package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/dns"
	"mailweir/internal/policy"
	"mailweir/internal/resource"
	"mailweir/internal/state"
	"mailweir/internal/table"
	"mailweir/internal/table/ldap"
	"mailweir/internal/table/remote"
	"mailweir/internal/table/served"
	"mailweir/internal/table/sql"
	"mailweir/rbl"
)

// openBackends opens what policies have in common: DNS, lists and the store, which it takes over.
// closeBackends closes it.
func openBackends(d *daemonFlags, log *logrus.Logger, clock func() time.Time, store state.Store) (*policy.Backends, error) {
	servers, err := dnsServers(*d.dns)
	if err != nil {
		return nil, err
	}
	resolver, err := dns.NewResolver(dns.ResolverOptions{Servers: servers})
	if err != nil {
		return nil, fmt.Errorf("--dns: %w", err)
	}
	lists := rbl.NewLists(resolver, rbl.ListsOptions{OnChange: func(c rbl.Change) { logListChange(log, c) }})
	b := &policy.Backends{Connections: func() int { return 1 }, Clock: clock, DNS: resolver, Lists: lists, State: state.Traced(store)}
	b.Mailboxes = func(held *resource.Holder, kind, source string) (policy.Mailboxes, error) {
		return openMailboxes(b, held, kind, source)
	}
	tables := remote.Opener{Kinds: tableKinds(), CacheFor: *d.tableCache}
	b.Tables = func(held *resource.Holder, kind, source string) (table.Waiting, error) {
		return tables.Open(held, b.Observer, kind, source)
	}
	return b, nil
}

// tableKinds are the types of tables that live elsewhere.
func tableKinds() []remote.Kind {
	return []remote.Kind{
		ldap.Kind(),
		served.Socketmap(),
		served.TCP(),
		sql.MySQL(),
		sql.PgSQL(),
		sql.SQLite(),
	}
}

func closeBackends(w *policy.Backends) error {
	w.Lists.Close()
	w.DNS.Close()
	return w.State.Close()
}

// emptyBackends remember nothing, for commands that judge no mail.
func emptyBackends(d *daemonFlags) (*policy.Backends, error) {
	return openBackends(d, quietLog(), time.Now, state.NewMemory(time.Now, 1000))
}

func dnsServers(words []string) ([]string, error) {
	if len(words) == 0 {
		servers, err := dns.SystemServers("/etc/resolv.conf")
		if err != nil {
			return nil, fmt.Errorf("--dns is not given, and %w", err)
		}
		return servers, nil
	}
	servers, err := dns.ParseServers(strings.Join(words, ","))
	if err != nil {
		return nil, fmt.Errorf("--dns: %w", err)
	}
	return servers, nil
}

// logListChange says once that a cause of suspension has come or gone, and what that makes of the
// list: it works again when the last one has gone.
func logListChange(log *logrus.Logger, c rbl.Change) {
	entry := log.WithFields(logrus.Fields{"zone": c.Zone, "kind": c.Kind.String(), "cause": c.Cause.String()})
	if c.Why != "" {
		entry = entry.WithField("error", c.Why)
	}
	switch {
	case c.Suspended:
		entry.Warn("dns list suspended")
	case c.Asked:
		entry.Info("dns list works again")
	default:
		entry.Info("dns list still suspended for another cause")
	}
}
