package openrelay

import (
	"context"
	"strconv"

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
sender's address alone proves nothing.

The MTA has rules of its own, which come first. What Postfix refuses is seen and recorded as refused by the MTA; what Sendmail
refuses is not seen.`,
	Mode:    policy.Enforce,
	Exempt:  policy.ExemptTrusted,
	Replies: []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		clients := f.Tables("clients", "clients that may relay")
		senders := f.Tables("senders", "senders that may relay, where SPF or a permitted client vouches for them")
		exceptions := f.Tables("exceptions", "recipients and domains to which anyone may relay")
		return func(env *policy.Env) (policy.Hooks, error) {
			if env.Settings.LocalDomains == nil {
				return policy.Hooks{Off: "no --local-domains"}, nil
			}
			var rule rule
			for _, l := range []struct {
				noun  string
				specs []string
				list  **table.List
			}{{"clients", *clients, &rule.clients}, {"senders", *senders, &rule.senders}, {"exceptions", *exceptions, &rule.exceptions}} {
				list, err := env.List(l.noun, l.specs, table.Any)
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
	c := r.Conn()
	if c.Client.IsValid() {
		if table.Member(o.clients.Client(c.Client, c.ConnectFacts.Name)) {
			return policy.Pass, nil
		}
	}
	if table.Member(o.exceptions.Address(r.Address)) {
		return policy.Pass, nil
	}
	refusal := policy.Object(reply).Because("%s is not a local domain", strconv.QuoteToASCII(r.Address.Domain))
	m := r.Msg
	if m.Sender.IsNull() || !table.Member(o.senders.Address(m.Sender)) {
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
}
