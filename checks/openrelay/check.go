// Package openrelay refuses mail from untrusted clients to domains that are not ours. It asks
// tables, and SPF for the senders of --open-relay-senders; it remembers nothing.
package openrelay

import (
	"context"
	"strconv"

	"mailweir/internal/blocklist"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Check refuses mail from untrusted clients to domains that are not ours.
var Check = &policy.Check{
	Name:  "open-relay",
	Title: "mail from untrusted clients to other people's domains",
	Help: `A client that is not trusted may send to local domains only (` + "`--local-domains`" + `; without it this check is off).
` + "`--open-relay-clients`" + ` lists hosts that may relay all the same, ` + "`--open-relay-exceptions`" + ` recipients and domains to which
anyone may, ` + "`--open-relay-senders`" + ` senders who may, where SPF passes for them or the client is permitted: a
sender's address alone proves nothing, and no entry says that it does.

The MTA has rules of its own, which come first. What Postfix refuses is seen and recorded as refused by the MTA; what Sendmail
refuses is not seen.`,
	Mode:    policy.Enforce,
	Proof:   policy.FirstDay("it puts off only mail that is not for you, of clients that are not yours"),
	Exempt:  policy.ExemptTrusted,
	Replies: []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		clients := f.Tables("clients", "clients that may relay", table.Use{Asked: table.Clients, Values: table.Any, Bare: "OK", Opens: true})
		senders := f.Tables("senders", "senders that may relay, where SPF or a permitted client vouches for them",
			table.Use{Asked: table.Addresses, Values: table.Any, Bare: "OK", Opens: true})
		exceptions := f.Tables("exceptions", "recipients and domains to which anyone may relay", table.Use{Asked: table.Addresses, Values: table.Any, Bare: "OK", Opens: true})
		return func(env *policy.Env) (policy.Hooks, error) {
			if env.Settings.LocalDomains == nil {
				return policy.Hooks{Off: "no --local-domains"}, nil
			}
			var rule rule
			for _, l := range []struct {
				tables *policy.Tables
				list   **table.List
			}{{clients, &rule.clients}, {senders, &rule.senders}, {exceptions, &rule.exceptions}} {
				list, err := l.tables.Open(env)
				if err != nil {
					return policy.Hooks{}, err
				}
				*l.list = list
			}
			return policy.Hooks{Rcpt: rule.judge}, nil
		}
	},
}

type rule struct {
	clients, senders, exceptions *table.List
}

func (o rule) judge(r *policy.Recipient) (policy.Verdict, error) {
	if r.Direction != policy.Relay {
		return policy.Pass, nil
	}
	return policy.Asks(o.clients, o.senders, o.exceptions).Later(func(ctx context.Context) (policy.Verdict, error) { return o.exceptional(ctx, r) }), nil
}

// exceptional refuses the relaying unless a list allows it. Where one cannot tell, the refusal
// stands: it is a temporary one.
func (o rule) exceptional(ctx context.Context, r *policy.Recipient) (policy.Verdict, error) {
	m := r.Msg
	refusal := policy.Object(reply).Because("%s is not a local domain", strconv.QuoteToASCII(r.Address.Domain))
	client, err := m.Conn.LookUp(ctx, o.clients)
	if err != nil {
		return blocklist.Unsure(refusal, err)
	}
	recipient, err := o.exceptions.Address(ctx, r.Address)
	if err != nil {
		return blocklist.Unsure(refusal, err)
	}
	if client.Member() || recipient.Member() {
		return policy.Pass, nil
	}
	sender, err := o.senders.Address(ctx, m.Sender)
	switch {
	case m.Sender.IsNull():
		return refusal, nil
	case err != nil:
		return blocklist.Unsure(refusal, err)
	case !sender.Member():
		return refusal, nil
	}
	return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
		// An error of SPF leaves the sender unproven. The refusal is a temporary one, so nothing is
		// lost by it.
		if ok, _ := m.Vouched(ctx); ok {
			return policy.Pass, nil
		}
		return refusal, nil
	}), nil
}

var reply = &policy.Reply{
	ID: "open-relay", Row: "T6", Offence: policy.OffenceOpenRelay, Code: 451, Enhanced: "4.7.1", Text: "Open relay not allowed",
	Description: "Neither the sender's host nor the recipient's domain is one that this system serves.",
	Resolution:  "The sender uses the mail server of its own provider. The administrator adds our own hosts to --trusted-nets, our domains to --local-domains, or an exception.",
	Advice:      "Our mail server does not send mail on to other domains; please use the mail server of your own provider.",
	Lifts: []policy.Lift{
		{Table: "open-relay-clients", Entry: "{client} OK", Says: "Lets {client} send to every domain through us: only for hosts of your own."},
		{Table: "open-relay-exceptions", Entry: "{to_domain} OK", Says: "Lets everybody send to {to_domain} through us: only for domains that you serve."},
	},
}
