// Package autoallow refuses nothing: it learns whom our users write to and grants their answers a
// permit. The pairs of user and address stand in the state, written in Settle (learn.go), read by
// Grant, and managed by mailweir auto-allow (admin.go).
package autoallow

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/internal/table"
)

// Check remembers whom our users write to, and lets the answers pass.
var Check = &policy.Check{
	Name:  "auto-allow",
	Title: "addresses that our users have written to",
	Help: `Learns, from each outbound message that is accepted (on the service submission or from a trusted net, under a local sender), that its sender
writes to its external recipients. Mail from such an address to that user then passes greylisting, DNS lists and reputation, if SPF or a
permitted client vouches for the address. Nothing else gives way to it.

Nothing is learned from automatic answers (Auto-Submitted), bulk mail and lists (Precedence, List-…), the null sender, a message to more than 50
recipients, nor for what ` + "`--auto-allow-skip`" + ` lists. What was learned is kept for ` + "`--auto-allow-for`" + ` after the last message. In monitor mode it
learns and permits nothing. Without ` + "`--local-domains`" + ` the check is off.`,
	Mode:    policy.Enforce,
	Proof:   policy.FirstDay("it refuses nothing, and lets wanted answers pass"),
	OnError: policy.Accept,
	Setup: func(f *policy.Flags) policy.Build {
		operations(f)
		life := f.Duration("for", 120*24*time.Hour, "how long an address is known after the last message to it")
		skip := f.Tables("skip", "users and external addresses for whom nothing is learned and permitted",
			table.Use{Asked: table.Addresses, Values: table.Any, Bare: "OK"})
		return func(env *policy.Env) (policy.Hooks, error) {
			if *life < time.Minute {
				return policy.Hooks{}, errors.New("--auto-allow-for: what is known must be kept for a minute or more; or use --auto-allow=off")
			}
			list, err := skip.Open(env)
			if err != nil {
				return policy.Hooks{}, err
			}
			if env.Settings.LocalDomains == nil {
				return policy.Hooks{Off: "no --local-domains"}, nil
			}
			a := &rule{store: env.State, clock: env.Clock, life: *life, skip: list, local: env.Settings.Local, delimiter: env.Settings.Delimiter}
			hooks := policy.Hooks{SettleMessage: a.settle}
			if env.Mode() > policy.Monitor {
				hooks.Grant, hooks.GrantAtOnce = a.grant, !env.State.Waits() && !list.Waits()
			}
			return hooks, nil
		}
	},
}

type rule struct {
	store     state.Store
	clock     func() time.Time
	life      time.Duration
	skip      *table.List
	local     func(ctx context.Context, domain string) (bool, error)
	delimiter string
}

// space is the space of the state that holds the pairs:
// auto-allow|bob@example.org|friend@example.net.
const space = "auto-allow"

// key names the pair of a user of ours and an external address, "" where the skip list has one of
// them.
func (a *rule) key(ctx context.Context, user, external address.Address) (string, error) {
	for _, one := range []address.Address{user, external} {
		if match, err := a.skip.Address(ctx, one); err != nil || match.Found() {
			return "", err
		}
	}
	return pairKey(user.Base(a.delimiter), external), nil
}

func pairKey(user, external address.Address) string {
	external.Local = address.PlainBATV(external.Local) // whose answers carry another tag each
	return state.Key(space, user.Key(), external.Key())
}

// grant yields the permit of a recipient who has written to the sender.
func (a *rule) grant(ctx context.Context, r *policy.Recipient) ([]policy.Grant, error) {
	if r.Direction != policy.Inbound || r.Msg.Sender.IsNull() {
		return nil, nil
	}
	key, err := a.key(ctx, r.Address, r.Msg.Sender)
	if key == "" {
		return nil, err
	}
	value, found, err := a.store.Get(ctx, key)
	if err != nil || !found {
		return nil, err
	}
	return []policy.Grant{{
		By:     policy.ExemptAutoAllow,
		Source: fmt.Sprintf("auto-allow: %s wrote to %s on %s", strconv.QuoteToASCII(r.Address.Key()), strconv.QuoteToASCII(r.Msg.Sender.Key()), value),
	}}, nil
}
