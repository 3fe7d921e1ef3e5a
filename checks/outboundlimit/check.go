// Package outboundlimit refuses what one login sends beyond its limits: transactions at once,
// counted by leases, and external recipients in a time, a share of a sliding count. Both stand in
// the state, and in this process while that is unavailable.
package outboundlimit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"mailweir/internal/address"
	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/rate"
	"mailweir/internal/state"
	"mailweir/internal/table"
	"mailweir/internal/trace"
)

// Check bounds what one login sends.
var Check = &policy.Check{
	Name:  "outbound-limit",
	Title: "logins that send too much at once, or in some time",
	Page:  "accounts",
	Help: `Counts the transactions that one login has under way, and with ` + "`--outbound-limit-rate=N/TIME`" + ` the recipients outside of our domains
to whom its messages have gone in that time (which moves on in fifths, so that it may be up to a fifth longer). A recipient counts from RCPT on, so that
messages sent at once cannot exceed the rate together, and no longer when he is refused or his message is not sent. A password that was
stolen then sends no flood. Trusted hosts without a login are limited only where ` + "`--outbound-limit-clients`" + ` lists them; local
submission never is.

The counts are shared by all hosts that share the state. While it is unavailable each host counts for itself. In monitor mode what exceeds the
rate is counted, too: the event tells how many there were.`,
	Mode:    policy.Monitor,
	Proof:   policy.AfterAWeek("how much your users send at once shows in a week of mail"),
	OnError: policy.Accept,
	Replies: []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		sessions := f.Int("sessions", 20, "transactions at once of one login, 0 for no limit")
		clients := f.Tables("clients", "trusted hosts without a login that are limited, too", table.Use{Asked: table.Clients, Values: table.Any, Bare: "OK"})
		recipients := f.String("rate", "0/1h", "N/TIME", "external recipients in a time, 0 for no limit")
		return func(env *policy.Env) (policy.Hooks, error) {
			limit, err := rate.Parse(*recipients)
			if err != nil {
				return policy.Hooks{}, fmt.Errorf("--outbound-limit-rate: %w", err)
			}
			if *sessions == 0 && limit.Limit == 0 {
				return policy.Hooks{Off: "--outbound-limit-sessions=0 and no --outbound-limit-rate"}, nil
			}
			list, err := clients.Open(env)
			if err != nil {
				return policy.Hooks{}, err
			}
			rule := &rule{store: env.State, asks: policy.Asks(env.State), listed: policy.Asks(list), clients: list, sessions: *sessions, rate: limit, most: limit.Limit}
			var hooks policy.Hooks
			if *sessions > 0 {
				hooks.Mail = rule.mail
			}
			if limit.Limit > 0 {
				rule.shared = rate.NewQuota(env.State, env.Clock, limit.Span)
				rule.local = rate.NewQuota(state.NewMemory(env.Clock, localLogins), env.Clock, limit.Span)
				hooks.Rcpt, hooks.SettleRecipient, hooks.Tick = rule.rcpt, rule.settle, rule.tick
				if !env.Mode().Refuses() {
					rule.most = math.MaxInt
				}
			}
			return hooks, nil
		}
	},
}

type rule struct {
	store    state.Store
	asks     policy.PlainQuestion
	listed   policy.PlainQuestion // is the client one of those that are limited?
	clients  *table.List
	sessions int
	rate     rate.Rate
	// shared and local count recipients, local while the state is unavailable; most is what they
	// count up to.
	shared, local *rate.Quota
	most          int
}

// The spaces of leases and counts: outbound-limit|login|bob, outbound-rate|login|bob|1h.
const (
	sessionSpace = "outbound-limit"
	rateSpace    = "outbound-rate"
)

// localLogins is of how many logins the recipients are counted while the state is unavailable.
const localLogins = 100_000

// sender tells whom the message is counted for: a login, a listed host, or nobody.
func (o *rule) sender(ctx context.Context, m *policy.Message) (kind, name string, err error) {
	switch c := m.Conn; {
	case c.Local:
	case m.Login != "":
		return "login", address.Parse(m.Login).Key(), nil
	case m.Trusted() && c.Client.IsValid():
		listed, err := c.LookUp(ctx, o.clients)
		if err != nil || !listed.Found() {
			return "", "", err
		}
		return "client", history.Net(c.Client), nil
	}
	return "", "", nil
}

// mail takes one of the sender's leases.
func (o *rule) mail(m *policy.Message) (policy.Verdict, error) {
	return o.listed.Later(func(ctx context.Context) (policy.Verdict, error) {
		kind, name, err := o.sender(ctx, m)
		if err != nil || kind == "" {
			return policy.Pass, err
		}
		return o.asks.Later(func(ctx context.Context) (policy.Verdict, error) {
			ok, err := policy.Acquire(ctx, o.store, m, state.Key(sessionSpace, kind, name), o.sessions)
			if err != nil || ok {
				return policy.Pass, err
			}
			return policy.Object(reply).Because("%s %s has %d transactions under way", kind, strconv.QuoteToASCII(name), o.sessions), nil
		}), nil
	}), nil
}

// rcpt counts a recipient in advance, until it is known that nothing is sent to him: whatever many
// sessions do at once, the rate holds.
func (o *rule) rcpt(r *policy.Recipient) (policy.Verdict, error) {
	return o.listed.Later(func(ctx context.Context) (policy.Verdict, error) {
		key, of, err := o.counted(ctx, r)
		if err != nil || key == "" {
			return policy.Pass, err
		}
		return o.asks.Later(func(ctx context.Context) (policy.Verdict, error) { return o.count(ctx, r, key, of) }), nil
	}), nil
}

func (o *rule) count(ctx context.Context, r *policy.Recipient, key, of string) (policy.Verdict, error) {
	n, one, err := o.take(ctx, key)
	if err != nil {
		return policy.Pass, err
	}
	if one != nil && !policy.Reserve(r, one.GiveBack) {
		_ = one.Settle(ctx) // else the next recipient does
	}
	if n > o.rate.Limit {
		return policy.Object(reply).Because("%d recipients of %s, limit %s", n, of, o.rate), nil
	}
	return policy.Pass, nil
}

// counted is under which key a recipient is counted, and whom for; "" when he is not.
func (o *rule) counted(ctx context.Context, r *policy.Recipient) (key, of string, err error) {
	if r.Direction != policy.Outbound {
		return "", "", nil
	}
	kind, name, err := o.sender(ctx, r.Msg)
	if err != nil || kind == "" {
		return "", "", err
	}
	return state.Key(rateSpace, kind, name, rate.Name(o.rate.Span)), kind + " " + strconv.QuoteToASCII(name), nil
}

// take counts a recipient, on this host alone while the state is unavailable.
func (o *rule) take(ctx context.Context, key string) (int, *rate.Share, error) {
	n, one, err := o.shared.Take(ctx, key, o.most)
	if err == nil || errors.Is(err, trace.ErrNotRecorded) {
		return n, one, err
	}
	trace.Add(ctx, "state "+rateSpace, err.Error()+"; counted on this host alone")
	return o.local.Take(context.WithoutCancel(ctx), key, o.most)
}

// settle tells the other hosts of a recipient to whom nothing was sent.
func (o *rule) settle(ctx context.Context, r *policy.Recipient, outcome policy.Outcome) {
	if outcome.Fate == policy.Accepted {
		return
	}
	key, _, err := o.counted(ctx, r)
	if key == "" || err != nil {
		return
	}
	for _, q := range []*rate.Quota{o.shared, o.local} {
		_ = q.Settle(ctx, key) // what cannot be written now, the next recipient's count takes along, or tick
	}
}

// tick tells the other hosts what they could not be told when it happened: a login that sends
// nothing more here would be counted too high there.
func (o *rule) tick(ctx context.Context, _ func(*policy.Event)) {
	_ = o.shared.SettleAll(ctx) // the next time
}

var reply = &policy.Reply{
	ID: "outbound-limit", Row: "P13", Code: 550, Enhanced: "5.7.0", Text: "Exceeding outbound thread limit",
	Description: "A login, or a host that is limited like one, sends more messages at once, or to more recipients in some time, than it is allowed.",
	Resolution:  "The user sends fewer messages at once, or waits. The administrator looks whether the password was stolen (mailweir account off), or raises the limit that the event names.",
	Advice:      "Too many of your messages are under way; please wait some minutes and send fewer at once.",
	Lifts: []policy.Lift{
		{Says: "Nothing for one login: it passes when fewer messages are under way. Look whether the password was stolen."},
		{Setting: "outbound-limit-sessions", Says: "Raises the limit for every login, where the cause names messages at once; --outbound-limit-rate where it names recipients."},
	},
}
