// Package managed refuses the senders that a recipient blocks, and grants the permits of those that
// he permits. It asks the tables of --managed-list and the entries that mailweir managed makes in
// the state (entries.go); owners.go knows who has any.
package managed

import (
	"context"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"sync/atomic"

	"mailweir/internal/address"
	"mailweir/internal/blocklist"
	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/internal/table"
)

// Check goes by the senders that recipients themselves block and permit.
var Check = &policy.Check{
	Name:  "managed",
	Title: "senders that the recipient blocks",
	Help: `Each recipient may have entries of senders and domains, to block and to permit: in the tables of ` + "`--managed-list`" + `, and at run time by
` + "`mailweir managed add`" + `. The most specific entry decides (an address before its domain, a domain before its parent), and a permit when both are
equally specific. The entries of an address count for all its extensions, too.

A blocked envelope sender is refused at RCPT, for that recipient alone. A blocked address in header From is seen when the message can only be
answered as a whole: ` + "`--managed-header-action=remove`" + ` takes the recipients that block it off the message (in enforce only) and refuses when no
one remains; ` + "`reject`" + ` refuses the message for all. A permitted envelope sender passes greylisting, DNS lists and reputation for that
recipient, if SPF or a permitted client vouches for it. ` + "`--user=*`" + ` is another word for ` + "`mailweir permit`" + `, which permits for all and also passes what a
recipient has blocked. Nobody blocks for all here: that is what ` + "`mailweir block`" + ` is for.

While the state is unavailable, the tables alone apply to recipients of whom no run-time entry is known; where they may have some, a check
error is recorded, and their mail goes on. For those who are known to have some the check fails, and their mail is to come again
(` + "`--managed-on-error=accept`" + ` lets it on). It fails, too, where header From names more addresses than can be looked up: 200 in the state.
What DNS lists and reputation object to is answered temporarily meanwhile if something vouches for the sender, because he might be
permitted.`,
	Mode:      policy.Enforce,
	Proof:     policy.FirstDay("it refuses only what recipients have blocked themselves"),
	OnError:   policy.Delay,
	Exempt:    policy.ExemptPermitClient | policy.ExemptPermitSender | policy.ExemptAlwaysAccept,
	Aggregate: policy.AggregateRemove,
	Replies:   []*policy.Reply{replyAddress, replyDomain, replyHeader},
	Permits: &policy.Lift{
		Operation: "managed/add", Words: []string{"--user={to}", "--permit={sender}"}, Vouched: true,
		Says: "{to} permits {sender}, which counts while SPF or DKIM vouches for the sender.",
	},
	Measures: []policy.Lift{
		{Operation: "managed/add", Words: []string{"--user={to}", "--block={sender}"}, Says: "{to} blocks {sender}."},
		{Operation: "managed/add", Words: []string{"--user={to}", "--block={sender_domain}"}, Says: "{to} blocks the whole domain {sender_domain}."},
	},
	Setup: func(f *policy.Flags) policy.Build {
		operations(f)
		specs := f.Tables("list", "recipients and what they block and permit: block SENDER|DOMAIN … permit SENDER|DOMAIN …",
			table.Use{Asked: table.Addresses, Values: table.Values{Name: "managed senders", Check: validEntries}})
		action := f.String("header-action", "remove", "remove|reject", "what becomes of a message with several recipients of whom one blocks its header From")
		return func(env *policy.Env) (policy.Hooks, error) {
			if *action != "remove" && *action != "reject" {
				return policy.Hooks{}, fmt.Errorf("--managed-header-action: %q is neither remove nor reject", *action)
			}
			list, err := specs.Open(env)
			if err != nil {
				return policy.Hooks{}, err
			}
			m := &rule{list: list, store: env.State, delimiter: env.Settings.Delimiter, owners: owners{env.Mirror(state.MirrorOptions{Space: space, KeysOnly: true})}, tables: policy.Asks(list), entries: policy.Asks(env.State), work: policy.NewSlot[atomic.Int64](env)}
			hooks := policy.Hooks{Rcpt: m.envelope, Grant: m.grant, GrantAtOnce: !env.State.Waits() && !list.Waits(), Tick: m.owners.tick}
			if !env.Explaining { // which asks for one case, and is done
				hooks.Ready = m.ready
			}
			if *action == "remove" {
				hooks.HeadersFor = m.headersFor
			} else {
				hooks.Headers = m.headers
			}
			return hooks, nil
		}
	},
}

type rule struct {
	list      *table.List
	store     state.Store
	delimiter string
	owners    owners
	tables    policy.PlainQuestion
	entries   policy.PlainQuestion // that people have made at run time
	work      policy.Slot[atomic.Int64]
}

// ready finds out who has entries, and hands over those for everybody that an older version has
// made. What cannot be done now is done with the next policy.
func (m *rule) ready(ctx context.Context) {
	_ = adopt(ctx, m.store)
	m.owners.refresh(ctx)
}

// envelope judges the envelope sender for one recipient.
func (m *rule) envelope(r *policy.Recipient) (policy.Verdict, error) {
	sender := r.Msg.Sender
	if sender.IsNull() {
		return policy.Pass, nil
	}
	one := func(...policy.Waiter) (iter.Seq[address.Address], error) {
		return slices.Values([]address.Address{sender}), nil
	}
	return m.judge([]*policy.Recipient{r}, question{senders: one, reply: func(entry *hit) *policy.Reply {
		if entry.isDomain() {
			return replyDomain
		}
		return replyAddress
	}}), nil
}

// headersFor judges header From for one recipient.
func (m *rule) headersFor(r *policy.Recipient) (policy.Verdict, error) {
	return m.header(r.Msg, []*policy.Recipient{r}), nil
}

// headers judges header From for the message as a whole: one recipient who blocks it is enough.
func (m *rule) headers(msg *policy.Message) (policy.Verdict, error) {
	return m.header(msg, slices.Collect(msg.Recipients())), nil
}

func (m *rule) header(msg *policy.Message, recipients []*policy.Recipient) policy.Verdict {
	authors := func(asked ...policy.Waiter) (iter.Seq[address.Address], error) {
		return blocklist.Authors(msg, false, asked...)
	}
	return m.judge(recipients, question{senders: authors, reply: func(*hit) *policy.Reply { return replyHeader }, work: m.work.Of(msg)})
}

// grant yields the recipient's permit of the envelope sender. Something has to vouch for the
// sender.
func (m *rule) grant(ctx context.Context, r *policy.Recipient) ([]policy.Grant, error) {
	if r.Msg.Sender.IsNull() {
		return nil, nil
	}
	own, err := m.ownOf(ctx, r.Address)
	if err != nil {
		return nil, err
	}
	entry, err := m.find(ctx, own, r.Msg.Sender)
	if err != nil || entry == nil || !entry.permits {
		return nil, err
	}
	return []policy.Grant{{By: policy.ExemptRecipientPermit, Source: entry.String()}}, nil
}

var replyAddress = &policy.Reply{
	ID: "managed-address", Row: "P5", Code: 550, Enhanced: "5.7.1", Text: "Envelope blocked - User Entry",
	Description: "The recipient has blocked the address of the envelope sender.",
	Resolution:  "The recipient takes the entry back that the event names, or permits the address (mailweir managed, or the list).",
	Advice:      "The recipient does not take mail from this address.",
	Lifts: []policy.Lift{
		{Operation: "managed/add", Words: []string{"--user={owner}", "--permit={sender}"}, Cause: regexp.MustCompile(`^"(?P<owner>[^"\\]+)" blocks "(?P<subject>[^"\\]+)"`), Says: "{owner} permits {sender}, which decides over every block that is no more specific."},
	},
}

var replyDomain = &policy.Reply{
	ID: "managed-domain", Row: "P6", Code: 550, Enhanced: "5.7.1", Text: "Envelope blocked - User Domain Entry",
	Description: "The recipient has blocked the domain of the envelope sender, or a domain above it.",
	Resolution:  "The recipient takes the entry back that the event names, or permits this one address of the domain (mailweir managed, or the list).",
	Advice:      "The recipient does not take mail from this domain.",
	Lifts: []policy.Lift{
		{Operation: "managed/add", Words: []string{"--user={owner}", "--permit={sender}"}, Cause: regexp.MustCompile(`^"(?P<owner>[^"\\]+)" blocks "(?P<subject>[^"\\]+)"`), Says: "{owner} permits {sender} alone; the rest of the domain stays blocked."},
	},
}

var replyHeader = &policy.Reply{
	ID: "managed-header", Row: "P10", Code: 550, Enhanced: "5.7.1", Text: "Rejected by header based manually Blocked Senders - block for manual block",
	Description: "Every recipient of the message, or with --managed-header-action=reject one of them, has blocked an address of header From.",
	Resolution:  "The recipient takes the entry back that the event names, or permits the address (mailweir managed, or the list).",
	Advice:      "The recipient does not take mail from this address.",
	Lifts: []policy.Lift{
		{Operation: "managed/add", Words: []string{"--user={owner}", "--permit={subject}"}, Cause: regexp.MustCompile(`^"(?P<owner>[^"\\]+)" blocks "(?P<subject>[^"\\]+)"`), Says: "{owner} permits {subject}. Where several recipients have blocked it, each needs that."},
	},
}
