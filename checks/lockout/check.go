// Package lockout refuses untrusted clients that use our own domains as sender. It asks
// --local-domains, its own tables, and SPF and DKIM where these do not decide; it remembers nothing
// beyond the message.
package lockout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/blocklist"
	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Check refuses untrusted clients that send in the name of our own domains.
var Check = &policy.Check{
	Name:  "lockout",
	Title: "untrusted clients that use our own domains as sender",
	Help: `A client that is not trusted has no business with a sender in a local domain (` + "`--local-domains`" + `; without it this check
is off). ` + "`--lockout-on`" + ` chooses the sender of the envelope, of header From, or both; under the null sender only the header counts.

What passes: clients in ` + "`--lockout-clients`" + `; senders in ` + "`--lockout-senders`" + ` with ` + "`OK`" + `, whoever uses them; for the envelope, an SPF pass of that very
domain; for the header, an SPF or DKIM pass that is aligned with it. An entry of ` + "`--lockout-senders`" + ` with ` + "`via THEIR.DOMAIN`" + ` lets those
send in the name of its key for whom THEIR.DOMAIN's SPF passes, or who sign with DKIM as THEIR.DOMAIN (header only): a newsletter service,
a mailing list host.`,
	Mode:    policy.Monitor,
	Proof:   policy.AfterAWeek("forwarders and services that send in your name show in a week of mail"),
	OnError: policy.Delay,
	Exempt:  policy.ExemptTrusted | policy.ExemptRelay,
	Replies: []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		on := f.String("on", "envelope", "envelope|header|both", "which sender must not be ours")
		clients := f.Tables("clients", "clients that may use our domains", table.Use{Asked: table.Clients, Values: table.Any, Bare: "OK", Opens: true})
		senders := f.Tables("senders", "senders of ours that untrusted clients may use: OK, or via THEIR.DOMAIN",
			table.Use{Asked: table.Addresses, Values: table.Values{Name: "lockout senders", Check: validVia}, Bare: "OK"})
		return func(env *policy.Env) (policy.Hooks, error) {
			if *on != "envelope" && *on != "header" && *on != "both" {
				return policy.Hooks{}, fmt.Errorf("--lockout-on: %q is none of envelope, header, both", *on)
			}
			if env.Settings.LocalDomains == nil {
				return policy.Hooks{Off: "no --local-domains"}, nil
			}
			rule := &rule{local: env.Settings.Local, slot: policy.NewSlot[claim](env)}
			var err error
			if rule.clients, err = clients.Open(env); err != nil {
				return policy.Hooks{}, err
			}
			if rule.senders, err = senders.Open(env); err != nil {
				return policy.Hooks{}, err
			}
			local := env.Settings.LocalDomains
			rule.asked = []policy.Waiter{local, rule.clients, rule.senders}
			rule.tables = policy.Asks(rule.asked...)
			rule.wait = slices.ContainsFunc(rule.asked, policy.Waiter.Waits)
			var hooks policy.Hooks
			if *on != "header" {
				hooks.Rcpt = rule.envelope
			}
			if *on != "envelope" {
				hooks.Headers, hooks.Message = rule.headers, rule.message
			}
			return hooks, nil
		}
	},
}

// validVia allows OK and via DOMAIN.
func validVia(value string) error {
	if _, ok := viaOf(value); ok || strings.EqualFold(value, "OK") {
		return nil
	}
	return fmt.Errorf("%q is neither OK nor via DOMAIN", value)
}

func viaOf(value string) (domain string, ok bool) {
	words := strings.Fields(value)
	if len(words) != 2 || !strings.EqualFold(words[0], "via") {
		return "", false
	}
	return address.NormalDomain(words[1]), true
}

type rule struct {
	local            func(ctx context.Context, domain string) (bool, error)
	clients, senders *table.List
	asked            []policy.Waiter // by claims
	tables           policy.PlainQuestion
	wait             bool // one of them does
	slot             policy.Slot[claim]
}

// mostClaimed bounds the local senders of one header From for whom SPF and DKIM are asked.
const mostClaimed = 200

var errClaims = errors.New("header From names too many local senders, and not all were looked at")

// claim holds the local senders of header From that nothing has let pass yet.
type claim struct {
	claimed []address.Address
	unknown error // why there may be more of them
}

// add reports whether this is a new one.
func (c *claim) add(a address.Address) bool {
	switch {
	case slices.ContainsFunc(c.claimed, func(b address.Address) bool { return a.Local == b.Local && a.Domain == b.Domain }):
		return false
	case len(c.claimed) == mostClaimed:
		c.unknown = errClaims
		return false
	}
	c.claimed = append(c.claimed, a)
	return true
}

// claims reports whether this client claims an address of ours without a permit by list, and
// through whom it may.
func (l *rule) claims(ctx context.Context, c *policy.Connection, a address.Address) (via string, claims bool, err error) {
	if local, err := l.local(ctx, a.Domain); err != nil || !local {
		return "", false, err
	}
	if client, err := c.LookUp(ctx, l.clients); err != nil || client.Member() {
		return "", false, err
	}
	match, err := l.senders.Address(ctx, a)
	if err != nil || !match.Found() {
		return "", err == nil, err
	}
	via, claims = viaOf(match.Value)
	return via, claims, nil
}

func (l *rule) envelope(r *policy.Recipient) (policy.Verdict, error) {
	m := r.Msg
	if m.Sender.IsNull() {
		return policy.Pass, nil
	}
	return l.tables.Later(func(ctx context.Context) (policy.Verdict, error) {
		via, claims, err := l.claims(ctx, m.Conn, m.Sender)
		if err != nil || !claims {
			return policy.Pass, err
		}
		return l.unlessSPF(m, via), nil
	}), nil
}

// unlessSPF refuses a local sender for whom no SPF passes.
func (l *rule) unlessSPF(m *policy.Message, via string) policy.Verdict {
	refusal := policy.Object(reply).Because("%s is a local sender", strconv.QuoteToASCII(m.Sender.Key()))
	return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
		result, err := m.SPF(ctx)
		if result == mailauth.SPFPass && err == nil {
			return policy.Pass, nil
		}
		if via != "" {
			other, viaErr := m.SPFOf(ctx, via)
			if other == mailauth.SPFPass && viaErr == nil {
				return policy.Pass, nil
			}
			err = errors.Join(err, viaErr)
		}
		if err != nil {
			return policy.Pass, err
		}
		return refusal, nil
	})
}

// headers finds local senders in header From, and has the body kept where a signature could vouch
// for one. Where a table waits, anybody may be one until it has been asked.
func (l *rule) headers(m *policy.Message) (policy.Verdict, error) {
	state := l.slot.Of(m)
	authors, unknown := blocklist.Authors(m, false, l.asked...)
	state.unknown = unknown
	ctx, end := blocklist.InTime(context.Background(), m, l.asked...)
	defer end()
	for a := range authors {
		if l.wait {
			state.add(a)
			continue
		}
		if ctx.Err() != nil {
			state.unknown = context.Cause(ctx)
			break
		}
		if via, claims, _ := l.claims(ctx, m.Conn, a); claims && state.add(a) { // in memory: it cannot fail
			m.KeepSigned(a.Domain, via)
		}
	}
	if l.wait && len(state.claimed) > 0 {
		m.KeepSigned()
		m.Keep() // whoever signed, there may be an entry about him
	}
	return policy.Pass, nil
}

// message judges header From, now that SPF and DKIM can be known.
func (l *rule) message(m *policy.Message) (policy.Verdict, error) {
	claimed, unknown := l.slot.Of(m).claimed, l.slot.Of(m).unknown
	if len(claimed) == 0 {
		return policy.Pass, unknown
	}
	return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
		for _, a := range claimed {
			via, claims, err := l.claims(ctx, m.Conn, a)
			proven := !claims
			if err == nil && claims {
				proven, err = l.proven(ctx, m, a, via)
			}
			switch {
			case err != nil:
				return policy.Pass, err
			case !proven:
				return policy.Object(reply).Because("%s in header From is local, and neither SPF nor DKIM passes for it", strconv.QuoteToASCII(a.Key())), nil
			}
		}
		return policy.Pass, unknown
	}), nil
}

// proven reports whether SPF or DKIM shows that the address, or those through whom it may be used,
// sent the mail. An error means that what is known proves nothing, and that not all is known.
func (l *rule) proven(ctx context.Context, m *policy.Message, a address.Address, via string) (bool, error) {
	signed, dkimErr := m.SignedBy(ctx, a.Domain, via)
	if signed {
		return true, nil
	}
	result, spfErr := m.SPF(ctx)
	if spfErr == nil && result == mailauth.SPFPass && !m.Sender.IsNull() &&
		(mailauth.Aligned(m.Sender.Domain, a.Domain) || via != "" && mailauth.Aligned(m.Sender.Domain, via)) {
		return true, nil
	}
	var viaErr error
	if via != "" {
		if result, viaErr = m.SPFOf(ctx, via); viaErr == nil && result == mailauth.SPFPass {
			return true, nil
		}
	}
	return false, errors.Join(dkimErr, spfErr, viaErr)
}

var reply = &policy.Reply{
	ID: "lockout", Row: "P4", Offence: policy.OffenceBlocked, Code: 550, Enhanced: "5.7.1", Text: "Administrative Lockout - Inbound not allowed",
	Description: "A host that is not ours used an address of one of our domains as sender, and neither SPF nor DKIM shows that it may.",
	Resolution:  "The administrator adds the host to --lockout-clients, or the service that sends for us to --lockout-senders (via THEIR.DOMAIN), or to our SPF record.",
	Advice:      "Your message used an address of ours as sender; please send it through our own mail server.",
	Lifts: []policy.Lift{
		{Table: "lockout-clients", Entry: "{client} OK", Says: "Lets {client} use all our domains as sender."},
		{Table: "lockout-senders", Entry: "{sender} OK", Says: "Lets everybody use {sender} as sender; with via THEIR.DOMAIN only those for whom that domain vouches."},
	},
}
