package checks

import (
	"context"
	"fmt"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/internal/table"
)

// OutboundLimit bounds what one login sends.
var OutboundLimit = &policy.Check{
	Name:  "outbound-limit",
	Title: "logins that send too much at once, or in some time",
	Help: `Counts the transactions that one login has under way, and with ` + "`--outbound-limit-rate=N/TIME`" + ` the recipients outside of our domains
that its messages have reached in that time (which moves on in fifths, so that it may be up to a fifth longer). A password that was
stolen then sends no flood. Trusted hosts without a login are limited only where ` + "`--outbound-limit-clients`" + ` lists them; local
submission never is.

The counts are shared by all hosts that share the state. While it is out of reach each host counts transactions for itself,
and the rate is not looked at.`,
	Mode:    policy.Monitor,
	OnError: policy.Accept,
	Replies: []*policy.Reply{replyOutboundLimit},
	Setup: func(f *policy.Flags) policy.Build {
		sessions := f.Int("sessions", 20, "transactions at once of one login, 0 for no limit")
		clients := f.Tables("clients", "trusted hosts without a login that are limited, too")
		recipients := f.String("rate", "0/1h", "N/TIME", "external recipients in a time, 0 for no limit")
		return func(env *policy.Env) (policy.Hooks, error) {
			limit, err := parseRate(*recipients)
			if err != nil {
				return policy.Hooks{}, fmt.Errorf("--outbound-limit-rate: %w", err)
			}
			if *sessions == 0 && limit.limit == 0 {
				return policy.Hooks{Off: "--outbound-limit-sessions=0 and no --outbound-limit-rate"}, nil
			}
			list, err := env.List("clients", *clients, table.Any)
			if err != nil {
				return policy.Hooks{}, err
			}
			rule := &outboundLimit{store: env.State, clock: env.Clock, clients: list, sessions: *sessions, rate: limit}
			var hooks policy.Hooks
			if *sessions > 0 {
				hooks.Mail = rule.mail
			}
			if limit.limit > 0 {
				hooks.Rcpt, hooks.SettleMessage = rule.rcpt, rule.settle
			}
			return hooks, nil
		}
	},
}

type outboundLimit struct {
	store    state.Store
	clock    func() time.Time
	clients  *table.List
	sessions int
	rate     rate
}

// The spaces of leases and counters: outbound-limit|login|bob, outbound-rate|login|bob|1h|8214.
const (
	outboundLimitSpace = "outbound-limit"
	outboundRateSpace  = "outbound-rate"
)

// outboundTimeout is how long it may take to write down what was sent.
const outboundTimeout = 10 * time.Second

// sender tells whom the message is counted for: a login, a listed host, or nobody.
func (o *outboundLimit) sender(m *policy.Message) (kind, name string, ok bool) {
	switch c := m.Conn; {
	case c.Local:
		return "", "", false
	case m.Login != "":
		return "login", address.Parse(m.Login).Key(), true
	case m.Trusted() && c.Client.IsValid():
		_, listed := o.clients.Client(c.Client, c.ConnectFacts.Name)
		return "client", clientNet(c.Client), listed
	}
	return "", "", false
}

// mail takes one of the sender's places.
func (o *outboundLimit) mail(m *policy.Message) (policy.Verdict, error) {
	kind, name, ok := o.sender(m)
	if !ok {
		return policy.Pass, nil
	}
	refusal := policy.Object(replyOutboundLimit).Because("%s %s has %d transactions under way", kind, quoted(name), o.sessions)
	return policy.Later(func(ctx context.Context) (policy.Verdict, error) {
		ok, err := policy.Acquire(ctx, o.store, m, state.Key(outboundLimitSpace, kind, name), o.sessions)
		if err != nil || ok {
			return policy.Pass, err
		}
		return refusal, nil
	}), nil
}

// rcpt compares what has been sent, with what this message adds, to the rate.
func (o *outboundLimit) rcpt(r *policy.Recipient) (policy.Verdict, error) {
	kind, name, ok := o.sender(r.Msg)
	if !ok || r.Direction != policy.Outbound {
		return policy.Pass, nil
	}
	adds := external(r.Msg)
	keys := window(o.clock(), o.rate.span, outboundRateSpace, kind, name)
	return policy.Later(func(ctx context.Context) (policy.Verdict, error) {
		results, err := o.store.Do(ctx, gets(keys)...)
		if err != nil {
			return policy.Pass, err
		}
		if n := sum(results) + adds; n > o.rate.limit {
			return policy.Object(replyOutboundLimit).Because("%d recipients of %s %s, limit %s", n, kind, quoted(name), o.rate), nil
		}
		return policy.Pass, nil
	}), nil
}

// external counts the recipients outside of our domains; one who is being judged is among them.
func external(m *policy.Message) (n int) {
	for _, r := range m.Recipients {
		if r.Direction == policy.Outbound {
			n++
		}
	}
	return n
}

// settle counts the recipients of a message that went out.
func (o *outboundLimit) settle(m *policy.Message, outcome policy.Outcome) {
	kind, name, ok := o.sender(m)
	n := external(m)
	if !ok || n == 0 || outcome.Fate != policy.Accepted {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), outboundTimeout)
	defer cancel()
	// Without the state nothing is counted, and nobody is refused for it.
	_, _ = o.store.Add(ctx, present(o.clock(), o.rate.span, outboundRateSpace, kind, name), int64(n), partLife(o.rate.span))
}

var replyOutboundLimit = &policy.Reply{
	ID: "outbound-limit", Row: "P13", Code: 550, Enhanced: "5.7.0", Text: "Exceeding outbound thread limit",
	Description: "A login, or a host that is limited like one, sends more messages at once, or to more recipients in some time, than it is allowed.",
	Resolution:  "The user sends fewer messages at once, or waits. The administrator looks whether the password was stolen (mailweir account off), or raises the limit that the event names.",
}
