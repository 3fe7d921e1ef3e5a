package main

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"mailweir/checks"
	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/runner"
)

// known is what the daemon knows beside the state.
func (d *daemon) known() policy.Known {
	k := policy.Known{
		Checks: checks.Registry().Checks, Forgets: stateSpec(*d.settings.daemon.state) == "memory:",
		Mode:  func(check string) policy.Mode { return d.loaded.Load().mode(check) },
		Local: func(ctx context.Context, domain string) (bool, bool, error) { return d.runner.Local(ctx, domain) },
		Ours:  func(ctx context.Context, net netip.Prefix) string { return d.runner.Ours(ctx, net) },
	}
	if d.record != nil {
		k.Mail = func(ctx context.Context, c policy.MailCase) (policy.MailCount, error) {
			return countMail(ctx, d.record.store, c)
		}
	}
	return k
}

// known is what a command knows beside the state, where no daemon runs. The policy is built when it
// is first asked for: a configuration that is wrong keeps nobody from anything.
func (s *settings) known() (k policy.Known, done func()) {
	var p *runner.Policy
	var backends *policy.Backends
	built := sync.OnceValue(func() (err error) {
		if err = s.need(func(string) bool { return true }); err != nil {
			return err
		}
		if backends, err = emptyBackends(s.daemon); err == nil {
			p, err = s.draft.Build(backends, nil)
		}
		return err
	})
	k = policy.Known{
		Checks: checks.Registry().Checks, Mode: s.mode,
		Local: func(ctx context.Context, domain string) (bool, bool, error) {
			if err := built(); err != nil {
				return false, false, err
			}
			return p.Local(ctx, domain)
		},
		Ours: func(ctx context.Context, net netip.Prefix) string {
			if built() != nil {
				return ""
			}
			return p.Ours(ctx, net)
		},
	}
	if spec := recordSpec(s.daemon); spec != noRecord && s.daemon.record.validate() == nil {
		k.Mail = func(ctx context.Context, c policy.MailCase) (policy.MailCount, error) {
			store, err := opening{s.daemon.record, func(string) {}, nil, true}.store(ctx, spec)
			if err != nil {
				return policy.MailCount{}, err
			}
			defer store.Close()
			return countMail(ctx, store, c)
		}
	}
	return k, func() {
		if p != nil {
			p.Close()
		}
		if backends != nil {
			_ = closeBackends(backends) // nothing has been written
		}
	}
}

const (
	// countWithin is how long it may take to count mail: somebody waits for something else.
	countWithin = 2 * time.Second
	// mostCounted is how much of it is looked at.
	mostCounted = 1000
)

// countMail counts mail of the record.
func countMail(ctx context.Context, r record.Reader, c policy.MailCase) (n policy.MailCount, err error) {
	ctx, cancel := context.WithTimeout(ctx, countWithin)
	defer cancel()
	page, err := r.Search(ctx, record.Query{
		Kind: record.Messages, Since: time.Now().Add(-c.Within), Sender: c.Sender, Recipient: c.Recipient, Login: c.Login, Client: c.Client, Limit: mostCounted,
	})
	for _, e := range page.Entries {
		n.Messages++
		if e.Message.Fate == policy.Accepted {
			n.Accepted++
		}
	}
	n.More = page.More
	return n, err
}
