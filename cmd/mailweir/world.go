package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/rbl"
)

// stateKeys bounds what the memory store keeps.
const stateKeys = 1_000_000

// openWorld opens what policies have in common: DNS, lists and state. closeWorld closes it.
func openWorld(d *daemonFlags, log *logrus.Logger, clock func() time.Time) (*policy.World, error) {
	if *d.state != "memory:" {
		return nil, fmt.Errorf("--state: %q is not a store; the one there is: %q", *d.state, "memory:")
	}
	servers, err := dnsServers(*d.dns)
	if err != nil {
		return nil, err
	}
	dns, err := rbl.NewResolver(rbl.ResolverOptions{Servers: servers})
	if err != nil {
		return nil, fmt.Errorf("--dns: %w", err)
	}
	lists := rbl.NewLists(dns, rbl.ListsOptions{OnChange: func(c rbl.Change) { logListChange(log, c) }})
	return &policy.World{Connections: func() int { return 1 }, Clock: clock, DNS: dns, Lists: lists, State: state.NewMemory(clock, stateKeys)}, nil
}

func closeWorld(w *policy.World) {
	w.Lists.Close()
	w.DNS.Close()
	_ = w.State.Close() // the memory store has nothing to lose
}

func dnsServers(words []string) ([]string, error) {
	if len(words) == 0 {
		servers, err := rbl.SystemServers("/etc/resolv.conf")
		if err != nil {
			return nil, fmt.Errorf("--dns is not given, and %w", err)
		}
		return servers, nil
	}
	servers, err := rbl.ParseServers(strings.Join(words, ","))
	if err != nil {
		return nil, fmt.Errorf("--dns: %w", err)
	}
	return servers, nil
}

// logListChange says once that a list begins or ceases to rest.
func logListChange(log *logrus.Logger, c rbl.Change) {
	entry := log.WithFields(logrus.Fields{"zone": c.Zone, "kind": c.Kind.String(), "cause": c.Cause.String()})
	if c.Why != "" {
		entry = entry.WithField("error", c.Why)
	}
	if c.Resting {
		entry.Warn("dns list rests")
	} else {
		entry.Info("dns list works again")
	}
}
