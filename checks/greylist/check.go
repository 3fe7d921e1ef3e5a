// Package greylist defers the first mail of a client net, sender and recipient. It asks the state
// (memory.go), where triplets wait and then are known, and SPF for those that would have to wait;
// people look at what is remembered by mailweir greylist (operations.go).
package greylist

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"mailweir/internal/blocklist"
	"mailweir/internal/mailauth"
	"mailweir/internal/policy"
	"mailweir/internal/table"
	"mailweir/internal/trace"
)

// Check asks unknown senders to come back, which mail servers do and most other programs do not.
var Check = &policy.Check{
	Name:  name,
	Title: "first mail from an unknown client, sender and recipient",
	Help: `Defers the first mail of a triplet of client net, sender and recipient. A retry before ` + "`--greylist-delay`" + ` is deferred, too, and does not
start the time again; one within ` + "`--greylist-window`" + ` passes, and the triplet is then known for ` + "`--greylist-keep`" + ` from its last use. A client net from
which ` + "`--greylist-client-passes`" + ` triplets have passed is known as a whole. The sender is normalised, so that the changing parts of bounce addresses
(numbers, BATV, SRS) make no new triplet. Several recipients of one message get their own answers. Mail under the null sender is
deferred at the end of its headers, for all recipients together, and only when none of them is known: call-outs pass.

` + "`--greylist-skip-spf`" + ` lets mail pass whose sender SPF vouches for, ` + "`--greylist-bypass`" + ` clients, senders and recipients of a table;
` + "`--greylist-bypass-clients`" + ` and ` + "`--greylist-bypass-recipients`" + ` are about clients and recipients alone. A sender's
entry counts while SPF passes for him, or is none or neutral, or as ` + "`OK unverified`" + `: a name that SPF says is forged waits. Mail that another
check refuses teaches nothing. A sender who does not come back in the window is an event ` + "`not_retried`" + `.`,
	Mode:    policy.Monitor,
	Proof:   policy.AfterAWeek("it delays mail of new senders, and some of them never come back"),
	OnError: policy.Accept,
	Exempt: policy.ExemptTrusted | policy.ExemptRelay | policy.ExemptPermitClient | policy.ExemptPermitSender | policy.ExemptUnvouched |
		policy.ExemptRecipientPermit | policy.ExemptAutoAllow | policy.ExemptAlwaysAccept,
	Aggregate: policy.AggregateAll,
	Replies:   []*policy.Reply{reply},
	Setup:     setup,
}

// name is apart from the declaration, whose hooks ask for it.
const name = "greylist"

func setup(f *policy.Flags) policy.Build {
	o := &options{
		ipv4:    f.Int("ipv4", 24, "length of an IPv4 client's net"),
		ipv6:    f.Int("ipv6", 64, "length of an IPv6 client's net"),
		delay:   f.Duration("delay", time.Minute, "how long a new triplet waits"),
		window:  f.Duration("window", 12*time.Hour, "how long a retry is expected"),
		keep:    f.Duration("keep", 36*24*time.Hour, "how long a triplet is known after its last use"),
		passes:  f.Int("client-passes", 5, "passed triplets after which a client's net is known, 0 for never"),
		skipSPF: f.Bool("skip-spf", true, "senders for whom SPF passes need not wait"),
		bypass:  f.Tables("bypass", "clients, senders and recipients that need not wait", blocklist.BypassUse()),
		clients: f.Tables("bypass-clients", "clients that need not wait, and nothing else",
			table.Use{Asked: table.Clients, Values: table.Permits, Bare: "OK", Opens: true}),
		recipients: f.Tables("bypass-recipients", "recipients for whom nobody waits, and nothing else",
			table.Use{Asked: table.Addresses, Values: table.Permits, Bare: "OK", Opens: true}),
	}
	o.operations(f)
	return o.build
}

type options struct {
	ipv4, ipv6, passes  *int
	delay, window, keep *time.Duration
	skipSPF             *bool

	bypass, clients, recipients *policy.Tables
}

func (o *options) build(env *policy.Env) (policy.Hooks, error) {
	nets := nets{*o.ipv4, *o.ipv6}
	switch {
	case nets.ipv4 < 1 || nets.ipv4 > 32:
		return policy.Hooks{}, errors.New("--greylist-ipv4: the length of a net is from 1 to 32")
	case nets.ipv6 < 1 || nets.ipv6 > 128:
		return policy.Hooks{}, errors.New("--greylist-ipv6: the length of a net is from 1 to 128")
	case *o.window <= *o.delay:
		return policy.Hooks{}, errors.New("--greylist-window: no retry could pass; the window must be longer than --greylist-delay")
	case *o.keep < time.Minute:
		return policy.Hooks{}, errors.New("--greylist-keep: what is known must be kept for a minute or more")
	}
	bypass, err := o.lists(env)
	if err != nil {
		return policy.Hooks{}, err
	}
	g := &rule{
		memory: memory{store: env.State, clock: env.Clock, delay: *o.delay, window: *o.window, keep: *o.keep, passes: *o.passes},
		nets:   nets, skipSPF: *o.skipSPF, bypass: bypass, delimiter: env.Settings.Delimiter, explaining: env.Explaining,
		triplet: policy.NewQuestion[tripletState](env, env.State), listed: policy.Asks(bypass.List, bypass.Clients, bypass.Recipients),
	}
	hooks := policy.Hooks{Rcpt: g.rcpt, HeadersFor: g.headersFor, SettleRecipient: g.settle}
	if env.Mode().Refuses() {
		hooks.Tick = g.memory.tick
	}
	return hooks, nil
}

// lists opens the lists of what need not wait.
func (o *options) lists(env *policy.Env) (blocklist.Bypass, error) {
	all, err := o.bypass.Open(env)
	clients, clientsErr := o.clients.Open(env)
	recipients, recipientsErr := o.recipients.Open(env)
	bypass := blocklist.Bypass{List: all, Clients: clients, Recipients: recipients, Unvouched: true}
	return bypass, errors.Join(err, clientsErr, recipientsErr)
}

type rule struct {
	memory    memory
	nets      nets
	skipSPF   bool
	bypass    blocklist.Bypass
	listed    policy.PlainQuestion // in the bypass?
	delimiter string
	// explaining says that somebody wants to know why mail passes.
	explaining bool
	triplet    policy.Question[tripletState]
}

func (g *rule) rcpt(r *policy.Recipient) (policy.Verdict, error) {
	if r.Msg.Sender.IsNull() {
		return policy.Pass, nil // a call-out must get its answer; see headersFor
	}
	return g.look(r), nil
}

func (g *rule) headersFor(r *policy.Recipient) (policy.Verdict, error) {
	if !r.Msg.Sender.IsNull() {
		return policy.Pass, nil
	}
	return g.look(r), nil
}

// spfTimeout leaves time for the answer: a sender whose DNS is slow waits like everybody else.
const spfTimeout = 5 * time.Second

// look finds out what is known of the recipient's triplet, unless the mail is in --greylist-bypass.
// A table that cannot tell exempts nobody: all that it costs is another try, and the query trace
// shows why. What a record does not tell is left open.
func (g *rule) look(r *policy.Recipient) policy.Verdict {
	return g.listed.Later(func(ctx context.Context) (policy.Verdict, error) {
		return g.bypass.Lists(ctx, r.Msg, []*policy.Recipient{r}, func(by string, err error) (policy.Verdict, error) {
			switch {
			case by != "":
				return policy.Pass.Because("bypass: %s", by), nil
			case errors.Is(err, trace.ErrNotRecorded):
				return policy.Pass, err
			}
			return g.ask(r), nil
		})
	})
}

func (g *rule) ask(r *policy.Recipient) policy.Verdict {
	t := triplet{
		net:       g.nets.of(r.Conn().Client),
		sender:    r.Msg.Sender.SenderKey(),
		recipient: r.Address.Base(g.delimiter).Key(),
	}
	imported := unextended(t, r.Msg.Sender)
	return g.triplet.Later(r, func(ctx context.Context) (tripletState, policy.Verdict, error) {
		s, err := g.memory.look(ctx, t, imported)
		if err != nil || !s.waits() || !g.skipSPF {
			return s, g.judge(s), err
		}
		return s, g.unlessVouched(r, s), nil
	})
}

// unlessVouched judges a triplet that would wait: for SPF the DNS is asked, which only few of all
// triplets need.
func (g *rule) unlessVouched(r *policy.Recipient, s tripletState) policy.Verdict {
	return g.triplet.PutTo(policy.Network{}).Later(r, func(ctx context.Context) (tripletState, policy.Verdict, error) {
		ctx, cancel := context.WithTimeout(ctx, spfTimeout)
		defer cancel()
		if result, err := r.Msg.SPF(ctx); err == nil && result == mailauth.SPFPass {
			s.vouched = true
			return s, policy.Pass.Because("spf passes"), nil
		}
		return s, g.judge(s), nil
	})
}

func (g *rule) judge(s tripletState) policy.Verdict {
	switch {
	case s.waits():
		return policy.Object(reply).Because("%s", s.words(g.memory))
	case g.explaining:
		return policy.Pass.Because("%s", s.words(g.memory))
	}
	return policy.Pass // what nobody reads is not written
}

// settle learns from what became of the recipient.
func (g *rule) settle(ctx context.Context, r *policy.Recipient, o policy.Outcome) {
	s, ok := g.triplet.Of(r)
	if !ok || s.vouched || o.Fate == policy.RefusedByMTA || o.Bad() && o.Check != name {
		return // refused by another check: neither learned nor renewed
	}
	switch {
	case s.waits() && (o.Bad() || slices.Contains(o.Would, name)):
		g.memory.waited(ctx, s, o.Bad())
	case !s.waits() && o.Fate == policy.Accepted:
		client := r.Conn().Client
		if r.Msg.Sender.IsNull() {
			client = netip.Addr{} // what is bad under the null sender is not counted either
		}
		g.memory.passed(ctx, s, client)
	}
}

var reply = &policy.Reply{
	ID: "greylist", Row: "T3", Code: 451, Enhanced: "4.7.1", Text: "Internal resource temporarily unavailable",
	Description: "Mail from this client's net, this sender and to this recipient was not known yet, or came back too soon.",
	Resolution:  "Nothing: a mail server tries again and is then known. The administrator can let it pass at once with mailweir greylist pass, or permanently with --greylist-bypass.",
	Advice:      "Your mail server tries again by itself, so you need not do anything.",
	Lifts: []policy.Lift{
		{Operation: "greylist/pass", Words: []string{"--client={client}", "--from={envelope}", "--to={to}"}, Says: "Lets the next attempt pass, from the net of {client}, from {envelope} to {to}, and is remembered as long as mail that has waited."},
		{Table: "greylist-bypass", Entry: "{client} OK", Says: "Mail from {client} never waits again."},
	},
}
