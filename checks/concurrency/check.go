// Package concurrency refuses transactions beyond what one client, or one account, may have under
// way at once. It counts by leases of the state, which end with the message or recipient that holds
// them.
package concurrency

import (
	"context"
	"strconv"
	"sync/atomic"

	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/internal/table"
)

// Check bounds the transactions that untrusted clients have under way at once.
var Check = &policy.Check{
	Name:  "concurrency",
	Title: "too many transactions at once of one client or into one account",
	Help: `Counts the transactions of untrusted clients that are under way: those of one client (an IPv4 address, an IPv6 /64) from MAIL on, and those
into one account, which is the recipient's domain, from the first recipient on that is accepted there. A transaction counts until it ends, however
it does, and once for a domain, however many of its recipients it has. One whose recipients are all refused or deferred takes none
in their domain. Connections that are idle count nothing.

The counts are shared by all hosts that share the state, and what a host that dies held is free again within 30 seconds. While the
state is unavailable each host counts for itself. ` + "`--concurrency-exempt`" + ` lists clients to whom neither limit applies. A client that is over
its own limit three times in five minutes goes on the temporary block list (` + "`tempblock`" + `); one that meets a full account does not.`,
	Mode:    policy.Monitor,
	Proof:   policy.AfterAWeek("how many transactions at once are usual here shows in a week of mail"),
	OnError: policy.Accept,
	Exempt:  policy.ExemptTrusted | policy.ExemptRelay | policy.ExemptPermitClient | policy.ExemptAlwaysAccept,
	Replies: []*policy.Reply{replyDomain, replyClient},
	Setup: func(f *policy.Flags) policy.Build {
		domain := f.Int("domain", 20, "inbound transactions at once into one local domain, 0 for no limit")
		client := f.Int("client", 20, "transactions at once of one client, 0 for no limit")
		exempt := f.Tables("exempt", "clients to whom the limits do not apply", table.Use{Asked: table.Clients, Values: table.Any, Bare: "OK", Opens: true})
		return func(env *policy.Env) (policy.Hooks, error) {
			if *domain == 0 && *client == 0 {
				return policy.Hooks{Off: "--concurrency-domain=0 and --concurrency-client=0"}, nil
			}
			list, err := exempt.Open(env)
			if err != nil {
				return policy.Hooks{}, err
			}
			rule := &rule{store: env.State, asks: policy.Asks(env.State), listed: policy.Asks(list), domain: *domain, client: *client, exempt: list, leases: policy.NewSlot[atomic.Bool](env)}
			var hooks policy.Hooks
			if *client > 0 {
				hooks.Mail = rule.mail
			}
			if *domain > 0 {
				hooks.Rcpt = rule.rcpt
			}
			return hooks, nil
		}
	},
}

type rule struct {
	store          state.Store
	asks           policy.PlainQuestion
	listed         policy.PlainQuestion // is the client exempt?
	domain, client int
	exempt         *table.List
	// leases tells of a recipient that he holds a lease for his transaction in his account, or is
	// asking for one.
	leases policy.Slot[atomic.Bool]
}

// space is the space of the leases: concurrency|client|192.0.2.1,
// concurrency|domain|example.org.
const space = "concurrency"

// mail takes one of the client's leases.
func (c *rule) mail(m *policy.Message) (policy.Verdict, error) {
	if !m.Conn.Client.IsValid() {
		return policy.Pass, nil
	}
	net := history.Net(m.Conn.Client)
	return c.unlessExempt(m.Conn, func(ctx context.Context) (policy.Verdict, error) {
		ok, err := policy.Acquire(ctx, c.store, m, state.Key(space, "client", net), c.client)
		if err != nil || ok {
			return policy.Pass, err
		}
		return policy.Object(replyClient).Because("%s has %d transactions under way", net, c.client), nil
	}), nil
}

// unlessExempt has a client judged to whom the limits apply. Where a table cannot tell, they do,
// and what is refused is refused temporarily in any case.
func (c *rule) unlessExempt(conn *policy.Connection, judge func(context.Context) (policy.Verdict, error)) policy.Verdict {
	return c.listed.Later(func(ctx context.Context) (policy.Verdict, error) {
		if exempt, _ := conn.LookUp(ctx, c.exempt); exempt.Member() {
			return policy.Pass, nil
		}
		return c.asks.Later(judge), nil
	})
}

// rcpt takes one of the account's leases, unless an earlier recipient has. It is the recipient's
// and not the message's: whoever refuses or defers him gives it back with that, so that nobody
// fills an account with recipients who are not accepted.
func (c *rule) rcpt(r *policy.Recipient) (policy.Verdict, error) {
	if r.Direction != policy.Inbound || c.taken(r) {
		return policy.Pass, nil
	}
	account, mine := r.Address.Domain, c.leases.Of(r)
	mine.Store(true) // on an exempt client's recipients nobody looks
	return c.unlessExempt(r.Conn(), func(ctx context.Context) (policy.Verdict, error) {
		ok, err := policy.Acquire(ctx, c.store, r, state.Key(space, "domain", account), c.domain)
		if !ok {
			mine.Store(false)
		}
		if err != nil || ok {
			return policy.Pass, err
		}
		return policy.Object(replyDomain).Because("%d transactions into %s are under way", c.domain, strconv.QuoteToASCII(account)), nil
	}), nil
}

// taken reports whether another accepted recipient has the transaction's lease in the account.
// Where he is still asking for it, nobody has to wait for the finding: the check is monitored.
func (c *rule) taken(r *policy.Recipient) bool {
	return r.Msg.AnyRecipient(func(other *policy.Recipient) bool {
		return other != r && other.Direction == policy.Inbound && other.Address.Domain == r.Address.Domain && c.leases.Of(other).Load()
	})
}

var replyDomain = &policy.Reply{
	ID: "concurrency", Row: "T9", Code: 451, Enhanced: "4.7.0", Text: "Account service temporarily unavailable",
	Description: "As many transactions as are allowed go into the recipient's domain at this moment, from all untrusted clients together.",
	Resolution:  "Nothing for the sender: the mail is tried again. If it happens often, the administrator raises --concurrency-domain, or looks for a flood.",
	Advice:      "Your mail server tries again by itself, so you need not do anything.",
	Lifts: []policy.Lift{
		{Says: "Nothing need be done: it passes as soon as fewer messages to this domain are under way."},
		{Setting: "concurrency-domain", Says: "Raises the limit of each local domain."},
	},
}

var replyClient = &policy.Reply{
	ID: "concurrency-client", Row: "T9", Offence: policy.OffenceConcurrency, Code: 451, Enhanced: "4.7.0", Text: "Account service temporarily unavailable",
	Description: "The sending host has as many transactions under way at this moment as one client is allowed.",
	Resolution:  "Nothing for the sender: the mail is tried again. The administrator raises --concurrency-client, or exempts a host that sends much wanted mail with --concurrency-exempt.",
	Advice:      "Your mail server tries again by itself, so you need not do anything.",
	Lifts: []policy.Lift{
		{Table: "concurrency-exempt", Entry: "{client} OK", Says: "Exempts {client} from the limits of this check."},
		{Setting: "concurrency-client", Says: "Raises the limit of each client."},
	},
}
