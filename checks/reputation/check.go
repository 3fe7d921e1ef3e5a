// Package reputation refuses or defers clients by what they have done here before. Their history
// stands in the state, learned in Settle and halved by time (score.go).
package reputation

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"time"

	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/state"
)

// Check judges clients by what they have sent here before.
var Check = &policy.Check{
	Name:  "reputation",
	Title: "clients with a bad history here",
	Help: `Scores each client (an IPv4 address, an IPv6 /64) from 0 to 100 by what it did here, and nowhere else:

    score = 100 × (bad − good) / (bad + good + min-events), at least 0

` + "`bad`" + ` adds up recipients that do not exist and transactions refused permanently by a block list, a DNS list, lockout, content or
signature; ` + "`good`" + ` is recipients whose mail was accepted, but not where it went to ` + "`--always-accept`" + ` alone. All of them lose half of their weight every ` + "`--reputation-half-life`" + `. A client with fewer
than ` + "`--reputation-min-events`" + ` of them, so weighed, is not judged. From ` + "`--reputation-defer-at`" + ` on the mail is deferred, from
` + "`--reputation-reject-at`" + ` on it is refused.

The same as for tempblock is never counted (our own temporary answers, monitored objections, the null sender, connections that end before
MAIL), and the same clients are never judged: trusted and permitted ones and inbound relays. A client (an IPv4 address, an IPv6 /64) from which in the
last 36 days a message has passed greylisting, not counting bounces, or was awaited by a user, is judged only when the bad is more than ten times the good. ` + "`mailweir reputation show ADDRESS`" + ` explains a score, ` + "`mailweir reputation forget ADDRESS`" + ` clears its history.`,
	Mode:    policy.Monitor,
	Proof:   policy.AfterAWeek("scores need some days of mail before they mean anything"),
	OnError: policy.Accept,
	Exempt: policy.ExemptTrusted | policy.ExemptRelay | policy.ExemptPermitClient | policy.ExemptPermitSender |
		policy.ExemptRecipientPermit | policy.ExemptAutoAllow | policy.ExemptAlwaysAccept,
	Replies: []*policy.Reply{replyRefused, ReplyUnavailable},
	Setup: func(f *policy.Flags) policy.Build {
		deferAt := f.Int("defer-at", 40, "score from which mail is deferred, more than 100 for never")
		rejectAt := f.Int("reject-at", 80, "score from which mail is refused, more than 100 for never")
		halfLife := f.Duration("half-life", 24*time.Hour, "in what time events lose half of their weight")
		least := f.Int("min-events", 20, "how many events it takes to be judged")
		operations(f, halfLife, least)
		return func(env *policy.Env) (policy.Hooks, error) {
			switch {
			case *deferAt < 1 || *rejectAt < *deferAt:
				return policy.Hooks{}, fmt.Errorf("--reputation-defer-at is %d and --reputation-reject-at %d: want at least 1, and the second no lower", *deferAt, *rejectAt)
			case *halfLife < time.Minute:
				return policy.Hooks{}, fmt.Errorf("--reputation-half-life: %s is less than a minute", *halfLife)
			}
			rule := &rule{
				asks:    policy.Asks(env.State),
				deferAt: *deferAt, rejectAt: *rejectAt, explaining: env.Explaining, seen: history.NewTransactions(env),
				book: Book{Store: env.State, Clock: env.Clock, HalfLife: *halfLife, MinEvents: *least},
			}
			return policy.Hooks{Connect: rule.connect, SettleRecipient: rule.seen.Recipient, SettleMessage: rule.settle}, nil
		}
	},
}

type rule struct {
	book              Book
	asks              policy.PlainQuestion
	deferAt, rejectAt int
	// explaining says that somebody wants to know why mail passes.
	explaining bool
	seen       history.Transactions
}

// connect reads the client's history as soon as it is known; the answer is due at RCPT.
func (p *rule) connect(c *policy.Connection) (policy.Verdict, error) {
	if !c.Client.IsValid() {
		return policy.Pass, nil
	}
	client := c.Client
	return p.asks.Later(func(ctx context.Context) (policy.Verdict, error) {
		r, err := p.book.Show(ctx, client)
		if err != nil {
			return policy.Pass, err
		}
		return p.verdict(r), nil
	}), nil
}

func (p *rule) verdict(r Summary) policy.Verdict {
	score := int(r.Score)
	switch {
	case len(r.Parts) == 0:
		return policy.Pass // nothing is known
	case !r.Judged || score < p.deferAt:
		if !p.explaining {
			return policy.Pass // what nobody reads is not written
		}
		return policy.Pass.Because("%s", r)
	case score < p.rejectAt:
		return policy.Object(ReplyUnavailable).Because("%s, deferred from %d", r, p.deferAt)
	}
	return policy.Object(replyRefused).Because("%s, refused from %d", r, p.rejectAt)
}

// settle adds what the transaction has shown.
func (p *rule) settle(ctx context.Context, m *policy.Message, o policy.Outcome) {
	done, ok := p.seen.Message(m, o)
	if !ok {
		return
	}
	// Without the state nothing is learned, and nobody is refused for it.
	_ = p.book.learn(ctx, m.Conn.Client, done)
}

// historyKey is the key of a client's history in the state: reputation|192.0.2.1.
func historyKey(client netip.Addr) string { return state.Key(historySpace, history.Net(client)) }

// forgottenKey is where it stands who has cleared a client's history:
// reputation-forgotten|192.0.2.1.
func forgottenKey(client netip.Addr) string { return state.Key(forgottenSpace, history.Net(client)) }

const (
	historySpace   = "reputation"
	forgottenSpace = "reputation-forgotten"
)

var replyRefused = &policy.Reply{
	ID: "reputation", Row: "P9", Code: 550, Enhanced: "5.7.1", Text: "Local CT IP Reputation - (reject)",
	Description: "Nearly all that the sending host has tried here lately was bad: refused by lists or scanners, or for recipients that do not exist.",
	Resolution:  "The administrator sees the score and its parts with mailweir reputation show, and permits a host that is wanted with --permit-clients. The score falls with time.",
	Advice:      "Mail from your mail server {client} is not accepted here because of what it has sent lately; please have its administrator write to our postmaster.",
	Lifts: []policy.Lift{
		{Operation: "reputation/forget", Words: []string{"{client}"}, Says: "Forgets the history of {client}: it begins again without a score."},
	},
}

// ReplyUnavailable is the reply of every check that has failed before DATA and whose on-error is
// defer (checks.Registry). It stands in the row of reputation, which gives it to clients that are
// not bad enough to be refused: they are not to tell the one from the other.
var ReplyUnavailable = &policy.Reply{
	ID: "unavailable", Row: "T4", Code: 451, Enhanced: "4.7.1", Text: "Internal resource temporarily unavailable",
	Description: "The check that the event names could not judge this recipient, because what it relies on did not answer, and its on-error is defer. Where that check is reputation and no error stands there, much of what the sending host has tried here lately was bad, though not so much that it is refused.",
	Resolution:  "Nothing for the sender: the mail is tried again. The event has the check's error, which the administrator mends, or the score of the sending host.",
	Advice:      "Your mail server tries again by itself, so you need not do anything.",
	Lifts: []policy.Lift{
		{Operation: "reputation/forget", Words: []string{"{client}"}, Cause: regexp.MustCompile(`, deferred from \d+`), Says: "Forgets the history of {client}: it begins again without a score."},
	},
}
