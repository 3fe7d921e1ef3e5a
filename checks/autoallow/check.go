package autoallow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/internal/table"
)

// Check remembers whom our users write to, and lets the answers pass.
var Check = &policy.Check{
	Name:  "auto-allow",
	Title: "addresses that our users have written to",
	Help: `Learns, from each outbound message that is accepted (on the service submission or from a trusted net, under a local sender), that its sender
writes to its external recipients. Mail from such an address to that user then passes greylisting, DNS lists, reputation and spam filters, if SPF or a
permitted client vouches for the address. Nothing else gives way to it.

Nothing is learned from automatic answers (Auto-Submitted), bulk mail and lists (Precedence, List-…), the null sender, a message to more than 50
recipients, nor for what ` + "`--auto-allow-skip`" + ` lists. What was learned is kept for ` + "`--auto-allow-for`" + ` after the last message. In monitor mode it
learns and permits nothing. Without ` + "`--local-domains`" + ` the check is off.`,
	Mode:    policy.Enforce,
	OnError: policy.Accept,
	Setup: func(f *policy.Flags) policy.Build {
		operations(f)
		life := f.Duration("for", 120*24*time.Hour, "how long an address is known after the last message to it")
		skip := f.Tables("skip", "users and external addresses for whom nothing is learned and permitted")
		return func(env *policy.Env) (policy.Hooks, error) {
			if *life < time.Minute {
				return policy.Hooks{}, errors.New("--auto-allow-for: what is known must be kept for a minute or more; or use --auto-allow=off")
			}
			list, err := env.List("skip", *skip, table.Any)
			if err != nil {
				return policy.Hooks{}, err
			}
			if env.Settings.LocalDomains == nil {
				return policy.Hooks{Off: "no --local-domains"}, nil
			}
			a := &rule{store: env.State, clock: env.Clock, life: *life, skip: list, local: env.Settings.Local, delimiter: env.Settings.Delimiter}
			hooks := policy.Hooks{SettleMessage: a.settle}
			if env.Mode() > policy.Monitor {
				hooks.Grant = a.grant
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

// settle learns from outbound mail that was accepted, and from inbound mail which nets send what
// our users have asked for.
func (a *rule) settle(ctx context.Context, m *policy.Message, o policy.Outcome) {
	if o.Fate != policy.Accepted || m.Sender.IsNull() {
		return
	}
	if !m.Trusted() {
		if !m.Conn.InboundRelay() && m.AutoAllowHonoured(ctx) {
			// An error only means that it is not remembered this time.
			_ = history.NoteKnownNet(ctx, a.store, m.Conn.Client)
		}
		return
	}
	if keys := a.learns(ctx, m); len(keys) > 0 {
		a.remember(ctx, keys)
	}
}

// mostRecipients is the number of recipients beyond which a message says nothing about whom a
// person knows.
const mostRecipients = 50

// learns returns the pairs that a trusted message teaches: none of which a table cannot say whether
// it may be learned.
func (a *rule) learns(ctx context.Context, m *policy.Message) (keys []string) {
	ours := m.Conn.Service == policy.Submission || m.Conn.Trusted()
	if !ours || m.RecipientCount() > mostRecipients || automatic(m) {
		return nil
	}
	if local, _ := a.local(ctx, m.Sender.Domain); !local {
		return nil
	}
	for r := range m.Recipients() {
		if r.Direction != policy.Outbound {
			continue
		}
		if key, _ := a.key(ctx, m.Sender, r.Address); key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// automatic reports whether a program sent the message, or to many: an automatic answer (RFC 3834
// section 5), bulk mail, or mail of a list (RFC 2369, RFC 2919). Of a header section that was too
// long to keep, nothing is known.
func automatic(m *policy.Message) bool {
	return m.FieldsDropped || slices.ContainsFunc(m.Fields, func(f policy.Field) bool {
		name, value := strings.ToLower(f.Name), strings.ToLower(strings.TrimSpace(f.Value))
		switch {
		case name == "auto-submitted":
			word, _, _ := strings.Cut(value, ";")
			return strings.TrimSpace(word) != "no"
		case name == "precedence":
			return slices.Contains([]string{"bulk", "list", "junk", "auto_reply"}, value)
		}
		return strings.HasPrefix(name, "list-") || name == "x-autoreply" || name == "x-autorespond"
	})
}

// remember writes the pairs that are new or were last written a while ago: not all with each
// message. What is kept a little longer than asked for is never forgotten too early.
func (a *rule) remember(ctx context.Context, keys []string) {
	reads := make([]state.Step, len(keys))
	for i, key := range keys {
		reads[i] = state.Get(key)
	}
	found, err := a.store.Do(ctx, reads...)
	if err != nil {
		return // it is not remembered this time
	}
	now := a.clock()
	value := []byte(now.UTC().Format(time.DateTime))
	var steps []state.Step
	for i, key := range keys {
		if !found[i].Found || found[i].Until.Sub(now) < a.life {
			steps = append(steps, state.Put(key, value, a.life+a.life/100))
		}
	}
	if len(steps) > 0 {
		_, _ = a.store.Do(ctx, steps...)
	}
}

// Pair is an address that a user has written to.
type Pair struct {
	User    string    `json:"user"`
	Address string    `json:"address"`
	Last    string    `json:"last"` // when, in UTC
	Until   time.Time `json:"until"`
}

// Filter chooses pairs of a user and an external address, as they stand in the log. What is empty
// chooses all.
type Filter struct {
	User     string
	External string
	// Delimiter is that of the policy, by which addresses become keys.
	Delimiter string
}

// keys are the parts of keys that the filter chooses.
func (f Filter) keys() (user, external string) {
	if f.User != "" {
		user = address.Parse(f.User).Base(f.Delimiter).Key()
	}
	if f.External != "" {
		a := address.Parse(f.External)
		a.Local = address.PlainBATV(a.Local)
		external = a.Key()
	}
	return user, external
}

// List lists up to limit of the pairs that the filter chooses.
func List(ctx context.Context, store state.Store, f Filter, limit int) (list []Pair, err error) {
	prefix := state.Prefix(space)
	user, external := f.keys()
	if user != "" {
		prefix = state.Prefix(space, user)
	}
	for last := ""; len(list) < limit; {
		page, err := store.List(ctx, prefix, last, pageSize)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			last = e.Key
			_, parts := state.Parts(e.Key)
			if len(parts) == 2 && (external == "" || parts[1] == external) && len(list) < limit {
				list = append(list, Pair{User: parts[0], Address: parts[1], Last: string(e.Value), Until: e.Until})
			}
		}
		if len(page) < pageSize {
			break
		}
	}
	return list, nil
}

// pageSize is how many pairs are read at once.
const pageSize = 1000

// Remove forgets what List lists, and returns how many pairs that were.
func Remove(ctx context.Context, store state.Store, f Filter) (n int, err error) {
	for {
		list, err := List(ctx, store, f, pageSize)
		if err != nil || len(list) == 0 {
			return n, err
		}
		steps := make([]state.Step, len(list))
		for i, one := range list {
			steps[i] = state.Delete(state.Key(space, one.User, one.Address)).Entered()
		}
		if _, err := store.Do(ctx, steps...); err != nil {
			return n, err
		}
		n += len(list)
	}
}
