// Package recipient refuses recipients that do not exist. For each domain one or more sources say
// who exists (source.go, choice.go): tables, the next server, or nobody. What servers say is
// remembered in memory and in the state by internal/recipients; people look at it and have it
// forgotten by mailweir recipient (operations.go).
package recipient

import (
	"context"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/blocklist"
	"mailweir/internal/policy"
	"mailweir/internal/recipients"
	"mailweir/internal/table"
)

// Check refuses recipients that do not exist.
var Check = &policy.Check{
	Name:  "recipient",
	Title: "recipients that do not exist",
	Help: `Asks whether a recipient of a local domain exists. ` + "`--recipient-source DOMAIN=SOURCE`" + ` says whom to ask; ` + "`*`" + ` stands for every
local domain that has no source of its own, and an address for itself alone. A domain does not stand for its sub-domains. The sources are

- any TABLE: an address with an entry exists, whatever stands on the right
- ` + "`smtp:HOST[:PORT]`, `lmtp:HOST:PORT`, `lmtp:unix:/PATH`" + `: the server that the mail goes to next
- ` + "`dovecot:unix:/PATH`" + `: Dovecot's user database
- ` + "`send-only`" + `: nobody but postmaster

Of several sources for one domain one that says yes is enough; a recipient is refused when all of them say no. Where one cannot tell and none says
yes, ` + "`--recipient-on-error`" + ` decides: the mail is deferred, or let on. A domain without a source is not judged.

A table is asked as Postfix asks its lists of recipients: ` + "`user+ext@example.org`, `user@example.org`, `user+ext`, `user`, `@example.org`" + `. Answers of
servers count for an hour (yes) and ten minutes (no); that an address exists is kept for seven days, for the time when its server cannot be asked.
` + "`mailweir recipient forget`" + ` has them asked again at once.

` + "`--recipient-access`" + ` takes over what Postfix has in check_recipient_access: ` + "`REJECT`" + ` refuses, ` + "`OK`" + ` means that the address exists, ` + "`DUNNO`" + ` asks
the sources, ` + "`DEFER`" + ` defers. Mail to postmaster of a local domain always passes, and so does what a program on the MTA's own host submits: to refuse
one of its recipients would return the whole message.`,
	Mode:        policy.Enforce,
	Proof:       policy.AfterAWeek("an address that is missing from the directory loses mail"),
	OnError:     policy.Delay,
	Exempt:      policy.ExemptAlwaysAccept,
	Replies:     []*policy.Reply{reply, replyUnavailable},
	Unavailable: replyUnavailable,
	Setup:       setup,
}

func setup(f *policy.Flags) policy.Build {
	o := &options{
		sources: f.Strings("source", "DOMAIN=SOURCE", "who says which addresses of a domain exist; * is every local domain"),
		access: f.Tables("access", "recipients that are refused, deferred or known to exist, as in check_recipient_access",
			table.Use{Asked: table.Addresses, Values: table.Actions}),
	}
	o.operations(f)
	return o.build
}

type options struct {
	sources *[]string
	access  *policy.Tables
	// current is the rule of the policy that came into use last, for operations.
	current atomic.Pointer[rule]
}

func (o *options) build(env *policy.Env) (policy.Hooks, error) {
	access, err := o.access.Open(env)
	if err != nil {
		return policy.Hooks{}, err
	}
	if len(*o.sources) == 0 && access == nil {
		return policy.Hooks{Off: "no --recipient-source"}, nil
	}
	answers, err := policy.Resource(env, "recipients", func() (*recipients.Answers, error) {
		return recipients.New(env.State, env.Clock), nil
	})
	if err != nil {
		return policy.Hooks{}, err
	}
	rule := &rule{
		access: access, listed: policy.Asks(access), later: policy.Asks(policy.Network{}),
		settings: env.Settings, delimiter: env.Settings.Delimiter, answers: answers, explaining: env.Explaining,
	}
	if rule.choice, err = openSources(env, *o.sources); err != nil {
		return policy.Hooks{}, err
	}
	hooks := policy.Hooks{Rcpt: rule.rcpt, Remarks: rule.remarks(), Inspections: rule.choice.inspections()}
	hooks.Ready = func(context.Context) { o.current.Store(rule) }
	if slices.ContainsFunc(rule.choice.opened, func(s *source) bool { return s.server != nil }) {
		hooks.Tick = rule.tick
	}
	return hooks, nil
}

// postmaster is the local part that every domain has (RFC 5321 section 4.5.1).
const postmaster = "postmaster"

type rule struct {
	choice     choice
	access     *table.List
	answers    *recipients.Answers
	settings   *policy.Settings
	delimiter  string
	told       map[suspension]bool // what tick has told
	explaining bool
	listed     policy.PlainQuestion // in --recipient-access?
	later      policy.PlainQuestion // to sources
}

func (c *rule) rcpt(r *policy.Recipient) (policy.Verdict, error) {
	a := r.Address
	if r.Conn().Local || a.Domain == "" || a.Local == postmaster || !c.judges(r) {
		return policy.Pass, nil
	}
	q := query{to: a, client: netip.AddrPortFrom(r.Conn().Client, r.Conn().Port), helo: r.Msg.Helo.Name}
	if c.access == nil {
		return c.ask(q)
	}
	if !c.access.Waits() && !c.explaining {
		m, _ := c.access.Address(context.Background(), a)
		return c.byAccess(q, m)
	}
	return c.listed.Later(func(ctx context.Context) (policy.Verdict, error) {
		m, err := c.access.Address(ctx, a)
		if err != nil {
			return policy.Pass, err
		}
		return c.byAccess(q, m)
	}), nil
}

// judges reports whether the recipient is one of ours. Where nobody knows which domains are local,
// those are that have a source.
func (c *rule) judges(r *policy.Recipient) bool {
	switch r.Direction {
	case policy.Inbound, policy.Internal:
		return true
	case policy.Outbound:
		return c.settings.LocalDomains == nil && c.choice.names(r.Address.Domain)
	}
	return false
}

// byAccess goes by the entry of --recipient-access, if there is one, else by the sources.
func (c *rule) byAccess(q query, m table.Match) (policy.Verdict, error) {
	switch m.Action.Verb {
	case table.OK:
		if !c.explaining {
			return policy.Pass, nil
		}
		return c.pass("%s matches %s", strconv.QuoteToASCII(m.Key), m.Where()), nil
	case table.Reject:
		return blocklist.Verdict(reply, m), nil
	case table.Defer:
		return blocklist.Verdict(replyUnavailable, m), nil
	}
	return c.ask(q)
}

// pass says why, for whoever wants to know.
func (c *rule) pass(format string, args ...any) policy.Verdict {
	if !c.explaining {
		return policy.Pass
	}
	return policy.Pass.Because(format, args...)
}

// within is how long all sources together may take; it leaves time for the answer.
const within = 7 * time.Second

// ask asks the sources. What is known at once is asked first: if it says yes, nobody waits.
func (c *rule) ask(q query) (policy.Verdict, error) {
	list := c.choice.of(q.to, c.delimiter, c.settings.LocalDomains != nil)
	if len(list) == 0 {
		return c.pass("no source for %q", q.to.Domain), nil
	}
	var waits int
	for _, s := range list {
		if s.ours(q) {
			// A yes tells the source that it asks itself, and then it is used for nothing.
			return c.pass("this is our own question to %s", s.spec), nil
		}
		if why := s.suspended(q.to.Domain); why != "" {
			return c.anybody(s, why), nil
		}
		switch exists, known := s.known(c.answers, q.to, c.delimiter); {
		case !known:
			waits++
		case exists && !c.explaining:
			return policy.Pass, nil
		}
	}
	if waits == 0 && !c.explaining {
		return c.no(q, list), nil
	}
	share := within / time.Duration(max(waits, 1))
	return c.later.Later(func(ctx context.Context) (policy.Verdict, error) { return c.verdict(ctx, q, list, share) }), nil
}

// anybody is the verdict where a source is used for nothing: it would have taken the recipient, and
// what the others do not know may be just what it alone knew.
func (c *rule) anybody(s *source, why string) policy.Verdict {
	return c.pass("nobody of the domain is refused, because %s is used for nothing: %s", s.spec, why)
}

// no is the verdict where all sources are known to say no. It asks nobody.
func (c *rule) no(q query, list []*source) policy.Verdict {
	var why []string
	for _, s := range list {
		why = append(why, s.no(c.answers, q.to))
	}
	return refuse(q, why)
}

func refuse(q query, why []string) policy.Verdict {
	return policy.Object(reply).Because("%s: %s", strconv.QuoteToASCII(q.to.Key()), strings.Join(why, "; "))
}

// verdict asks one source after the other until one says yes; each has its share of the time.
func (c *rule) verdict(ctx context.Context, q query, list []*source, share time.Duration) (policy.Verdict, error) {
	var no []string
	var failure error
	for _, s := range list {
		exists, why, err := s.ask(ctx, c.answers, q.to, c.delimiter, share)
		if why := s.unused(ctx, q.to.Domain); why != "" { // it may have found out just now
			return c.anybody(s, why), nil
		}
		switch {
		case err != nil && failure == nil:
			failure = err
		case err != nil:
		case exists:
			return c.pass("%s", why), nil
		default:
			no = append(no, why)
		}
	}
	if failure != nil {
		return policy.Pass, failure
	}
	return refuse(q, no), nil
}

// suspension is a server that is used for nothing for a domain.
type suspension struct{ source, domain, why string }

// tick tells of servers that are no longer used.
func (c *rule) tick(_ context.Context, tell func(*policy.Event)) {
	told := map[suspension]bool{}
	for _, s := range c.choice.opened {
		for domain, why := range s.suspensions() {
			one := suspension{s.spec, domain, why}
			if told[one] = true; !c.told[one] {
				tell(&policy.Event{Stage: policy.StageRcpt, Action: policy.ActionError, Err: s.spec + " is used for nothing for " + domain + ": " + why})
			}
		}
	}
	c.told = told
}

// query is one recipient, and who asks for him.
type query struct {
	to     address.Address
	client netip.AddrPort
	helo   string
}

var reply = &policy.Reply{
	ID: "recipient", Row: "P12", Offence: policy.OffenceInvalidRcpt, Code: 550, Enhanced: "5.1.1", Text: "Invalid Recipient",
	Description: "The recipient does not exist: no source of --recipient-source for the domain knows the address, or --recipient-access rejects it.",
	Resolution:  "The sender looks for a typing error in the address. The administrator sees in the event which source has said no and why; after a new mailbox has been made, mailweir recipient forget has a server asked again at once.",
	Advice:      "The address does not exist here; please look for a typing error.",
	Lifts: []policy.Lift{
		{Operation: "recipient/forget", Words: []string{"{to}"}, Cause: regexp.MustCompile(`^"[^"]*": `), Says: "If the mailbox has been made meanwhile: has the server asked again at once. Without the mailbox nothing helps."},
		{Table: "recipient-access", Entry: "{to} OK", Says: "Says that {to} exists, whatever the sources say."},
	},
}

var replyUnavailable = &policy.Reply{
	ID: "recipient-unavailable", Row: "T11", Code: 451, Enhanced: "4.4.3", Text: "Recipient Temporarily Unavailable",
	Description: "Whether the recipient exists could not be found out: a directory, a database or the next server does not answer, or an entry of --recipient-access defers.",
	Resolution:  "Nothing for the sender: the mail is tried again. The administrator sees in the event which source has failed; --recipient-on-error=accept lets such mail on.",
	Advice:      "Your mail server tries again by itself, so you need not do anything.",
	Lifts: []policy.Lift{
		{Table: "recipient-access", Entry: "{to} OK", Says: "Says that {to} exists, so that no source is asked; else it passes as soon as the source answers."},
	},
}
