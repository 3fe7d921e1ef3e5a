// Package tempblock defers clients that have behaved badly a short while ago. Rules count offences
// in the state and put a client on the list there (rules.go); judging reads a mirror of the list,
// and people change it by mailweir tempblock.
package tempblock

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/internal/trace"
)

// Check turns clients away that have behaved badly a short while ago.
var Check = &policy.Check{
	Name:  "tempblock",
	Title: "clients on the temporary block list",
	Help: `Defers all mail of a client (an IPv4 address, an IPv6 /64) that is on the temporary block list. Rules put it there,
` + "`--tempblock-rules`" + `: each is ` + "`NAME=N/TIME`" + ` and fires when the client has done N such things within that time **and** more of them than it
had recipients accepted meanwhile, not counting mail to ` + "`--always-accept`" + ` alone. (A time moves on in fifths, so that it may be up to a fifth longer.) The names:

- ` + "`invalid-rcpt`" + `: recipients that do not exist, found by the check recipient or by Postfix (5.1.1)
- ` + "`open-relay`" + `: recipients to whom an untrusted client may not relay, found by the check open-relay or by Postfix
- ` + "`concurrency`" + `: transactions over the client's own limit of the check concurrency
- ` + "`blocked`" + `: transactions that a block list, a DNS list, lockout, content or signature has refused permanently
- ` + "`auth-fail`" + `: logins that failed, of which ` + "`mailweir auth`" + ` tells (no MTA tells a milter of them). The same wrong password again is none

Nothing is counted for what mailweir or others cause: our own temporary answers, objections that are only monitored, mail under the null
sender, connections that end before MAIL. Never blocked are trusted clients, permitted ones and inbound relays. A client (an IPv4 address, an IPv6 /64) from which in the last 36
days a message has passed greylisting, not counting bounces, or was awaited by a user, is blocked only when the bad is more than ten times the good.

A block begins with the client's next connection and lasts ` + "`--tempblock-for`" + `; one that follows soon after another lasts ` + "`--tempblock-factor`" + `
times longer, at most ` + "`--tempblock-max`" + `. Where ` + "`mailweir auth`" + ` asks, a client that is blocked cannot log in either, but for logins that have
succeeded from there in the last 30 days. ` + "`mailweir tempblock list|add|rm`" + ` shows and changes the list on all hosts that share the state.`,
	Mode:    policy.Monitor,
	Proof:   policy.AfterAWeek("forwarders and lists with dead addresses look like attacks until they are listed"),
	OnError: policy.Accept,
	Exempt:  policy.ExemptTrusted | policy.ExemptRelay | policy.ExemptPermitClient | policy.ExemptAlwaysAccept,
	Replies: []*policy.Reply{reply},
	Measures: []policy.Lift{
		{Operation: "tempblock/add", Words: []string{"{client}"}, Says: "Puts {client} on the temporary block list: while this check is enforced it is turned away from its next connection on."},
	},
	Setup: func(f *policy.Flags) policy.Build {
		operations(f)
		rules := f.Words("rules", []string{"invalid-rcpt=20/5m", "open-relay=5/5m", "concurrency=3/5m", "auth-fail=10/10m", "blocked=20/1h"},
			"NAME=N/TIME,…", "what puts a client on the list")
		life := f.Duration("for", 5*time.Minute, "how long a client stays on the list")
		factor := f.String("factor", "1", "NUMBER", "how many times longer each block is than the one before")
		longest := f.Duration("max", 24*time.Hour, "how long a block is at most")
		return func(env *policy.Env) (policy.Hooks, error) {
			list := &Blocker{Store: env.State, Clock: env.Clock, Life: *life, Longest: *longest}
			var err error
			if list.Rules, err = ParseRules(*rules); err != nil {
				return policy.Hooks{}, fmt.Errorf("--tempblock-rules: %w", err)
			}
			if list.Factor, err = parseFactor(*factor); err != nil {
				return policy.Hooks{}, fmt.Errorf("--tempblock-factor: %w", err)
			}
			if list.Life <= 0 || list.Longest < list.Life {
				return policy.Hooks{}, fmt.Errorf("--tempblock-for is %s and --tempblock-max %s: want more than nothing, and a greatest time that is no shorter", list.Life, list.Longest)
			}
			rule := &rule{
				list: list, store: env.State, known: env.Mirror(state.MirrorOptions{Space: listSpace, Every: listAge, Most: listMost}), changes: policy.Asks(env.State),
				seen: history.NewTransactions(env),
			}
			return policy.Hooks{
				Connect: rule.connect, SettleRecipient: rule.seen.Recipient, SettleMessage: rule.settle,
				Login: rule.login, SettleLogin: rule.settleLogin,
			}, nil
		}
	},
}

type rule struct {
	list    *Blocker
	store   state.Store
	known   *state.Mirror
	changes policy.PlainQuestion
	seen    history.Transactions
}

const (
	// listAge is how long a block by the rules of one host may be unknown to the others.
	listAge = 2 * time.Second
	// listMost is how much of the list is at hand. Every host reads it again and again, so a flood
	// that makes it long must not make that costly; beyond it the state is asked about each client.
	listMost = 2000
	// listTimeout is how long a connection waits to hear of changes before it goes by what is
	// known.
	listTimeout = 2 * time.Second
)

func (t *rule) connect(c *policy.Connection) (policy.Verdict, error) { return t.judge(c.Client) }

// judge looks the client up. The list is at hand, so that this takes no time, unless a person has
// just changed it.
func (t *rule) judge(client netip.Addr) (policy.Verdict, error) {
	if !client.IsValid() {
		return policy.Pass, nil
	}
	net := history.Net(client)
	if t.known.Fresh() {
		return t.verdict(net)
	}
	return t.changes.Later(func(ctx context.Context) (policy.Verdict, error) {
		ctx, cancel := context.WithTimeout(ctx, listTimeout)
		defer cancel()
		if err := t.known.Refresh(ctx); err != nil {
			trace.Add(ctx, "state "+listSpace, err.Error()+"; the last known entries stay in force")
		}
		return t.verdict(net)
	}), nil
}

// verdict goes by the list as it is known. Of who is not on it nothing is known while it cannot be
// read. Where it is longer than the copy, the state is asked.
func (t *rule) verdict(net string) (policy.Verdict, error) {
	row, ok, err := t.known.Find(listKey(net))
	if errors.Is(err, state.ErrPartial) {
		return t.changes.Later(func(ctx context.Context) (policy.Verdict, error) {
			found, err := t.store.Do(ctx, state.Get(listKey(net)))
			if err != nil || !found[0].Found {
				return policy.Pass, err
			}
			return listed(net, state.Entry{Value: found[0].Value, Until: found[0].Until}), nil
		}), nil
	}
	if err != nil || !ok {
		return policy.Pass, err
	}
	return listed(net, row), nil
}

// listed refuses a client that is on the list.
func listed(net string, row state.Entry) policy.Verdict {
	return policy.Object(reply).Because("%s", readEntry(net, row).String())
}

// settle counts what the transaction has shown.
func (t *rule) settle(ctx context.Context, m *policy.Message, o policy.Outcome) {
	done, ok := t.seen.Message(m, o)
	if !ok {
		return
	}
	t.count(ctx, m.Conn.Client, done, o.At)
}

// count puts the client on the list here at once, if a rule fires.
func (t *rule) count(ctx context.Context, client netip.Addr, done history.Transaction, at time.Time) {
	entry, err := t.list.count(ctx, client, done, at)
	if err == nil && entry != nil {
		t.known.Add(state.Entry{Key: listKey(entry.Net), Value: entry.value(), Until: entry.Until})
	}
	// Without the state nothing is counted, and nobody is blocked for it.
}

var reply = &policy.Reply{
	ID: "tempblock", Row: "T10", Code: 451, Enhanced: "4.7.1", Text: "Recipient Temporarily Unavailable",
	Description: "The sending host is on the temporary block list: it has tried too many recipients that do not exist, or sent too much that was refused, a short while ago.",
	Resolution:  "Nothing for the sender: the block ends by itself. The administrator finds the rule in the event, ends the block with mailweir tempblock rm, and permits a host that is wanted with --permit-clients.",
	Advice:      "Your mail server tries again by itself, so you need not do anything.",
	Lifts: []policy.Lift{
		{Operation: "tempblock/rm", Words: []string{"{client}"}, Says: "Takes {client} off the temporary block list, and forgets what was counted against it."},
	},
}
