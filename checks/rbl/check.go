// Package rbl refuses clients and names that DNS lists have a bad opinion of. The lists are asked,
// judged and watched by mailweir/rbl, which also keeps what they answered; this package turns the
// results into verdicts.
package rbl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/trace"
	"mailweir/rbl"
)

// Check refuses clients and names that DNS lists have a bad opinion of.
var Check = &policy.Check{
	Name:  "rbl",
	Title: "clients and names on DNS lists",
	Help: `Asks the lists of ` + "`--rbl-zone`" + ` about the client's address, and those of ` + "`--rhsbl-zone`" + ` about the domains of envelope
sender and header From, the HELO name and the client's verified name. The syntax is that of postscreen_dnsbl_sites:
` + "`ZONE=filter*weight`" + `, with negative weights for allow lists. All lists are asked at once as soon as the client is known;
the objection stands when the weights of the lists that hit reach ` + "`--rbl-threshold`" + `.

An error of a list, and any answer that the list does not document, is never a hit. Each list tests itself and is
suspended while it fails; see docs/checks/rbl.md. No list is in use by default.`,
	Mode:    policy.Enforce,
	Proof:   policy.AfterAWeek("a list may have servers that you hear from"),
	OnError: policy.Accept,
	Exempt: policy.ExemptTrusted | policy.ExemptRelay | policy.ExemptPermitClient | policy.ExemptPermitSender |
		policy.ExemptRecipientPermit | policy.ExemptAutoAllow | policy.ExemptAlwaysAccept,
	Replies: []*policy.Reply{reply},
	Measures: []policy.Lift{
		{
			Operation: "rbl/rest", Words: []string{"{zone}"}, Says: "Stops asking {zone}, for all mail.",
			Cause: regexp.MustCompile(`^\S+: score -?\d+ \((?P<zone>[^ ,()]+) \+`),
		},
	},
	Setup: setup,
}

func setup(f *policy.Flags) policy.Build {
	operations(f)
	o := &options{
		zones:     f.Strings("zone", "ZONE[=FILTER][*WEIGHT]", "list of addresses"),
		names:     f.Named("rhsbl").Strings("zone", "ZONE[=FILTER][*WEIGHT]", "list of domain names"),
		keys:      f.Strings("key", "NAME=FILE", "key of a paid zone, {NAME} in the zone stands for it"),
		monitored: f.Strings("monitor-zone", "ZONE", "list that is asked and recorded, without a say"),
		untested:  f.Strings("untested-zone", "ZONE", "list without the test entries of RFC 5782 section 5"),
		threshold: f.Int("threshold", 1, "sum of weights from which a client or name is listed"),
		timeout:   f.Duration("timeout", 3*time.Second, "what all lists together may take"),
	}
	return o.build
}

// rule is the check within one policy.
type rule struct {
	lists            *rbl.Lists
	addresses, names *rbl.Set // nil when not in use
	threshold        int
	timeout          time.Duration
	explaining       bool
	client           policy.Question[[]*rbl.Result] // what the lists say about it
}

func (b *rule) hooks(env *policy.Env) policy.Hooks {
	hooks := policy.Hooks{Close: b.close, Ready: b.wait}
	if b.addresses != nil {
		hooks.Connect = b.connect
		if env.Settings.PermitSenders != nil || env.Settings.LocalDomains != nil { // without either, no mail is known to be good
			hooks.SettleMessage = b.settle
		}
	}
	if b.names != nil {
		hooks.Helo = func(c *policy.Connection) (policy.Verdict, error) { return b.few(c.HeloFacts.Name), nil }
		hooks.Mail = func(m *policy.Message) (policy.Verdict, error) {
			return b.few(m.Sender.Domain, m.Conn.ConnectFacts.Name), nil
		}
		hooks.Headers = b.headers
	}
	return hooks
}

// wait lets the lists end their first test: until then they are suspended.
func (b *rule) wait(ctx context.Context) {
	for _, set := range []*rbl.Set{b.addresses, b.names} {
		if set != nil {
			_ = set.Ready(ctx) // a test that takes longer ends while the policy is in use
		}
	}
}

func (b *rule) close() {
	for _, set := range []*rbl.Set{b.addresses, b.names} {
		if set != nil {
			set.Close()
		}
	}
}

// connect asks about the client as soon as it is known; the answer is due at RCPT.
func (b *rule) connect(c *policy.Connection) (policy.Verdict, error) {
	if !c.Client.IsValid() {
		return policy.Pass, nil
	}
	client := c.Client
	return b.ask(b.addresses, func(ctx context.Context) []*rbl.Result {
		return []*rbl.Result{b.addresses.Lookup(ctx, client)}
	}, func(f question) policy.Verdict { return b.client.Later(c, f) }, nil), nil
}

// mostDomains bounds the names that one header From has looked up: the sender chose them.
const mostDomains = 10

var errDomains = errors.New("header From names too many domains, and not all were looked up")

// headers asks about the domains of header From.
func (b *rule) headers(m *policy.Message) (policy.Verdict, error) {
	var keys []string
	for a := range m.HeaderFrom().Authors() {
		key, err := rbl.DomainKey(a.Domain)
		switch {
		case err != nil || slices.Contains(keys, key):
		case len(keys) == mostDomains:
			return b.domains(keys, errDomains), nil
		default:
			keys = append(keys, key)
		}
	}
	if m.FromDropped {
		return b.domains(keys, errDomains), nil
	}
	return b.domains(keys, nil), nil
}

// few asks about a few names, whatever they are.
func (b *rule) few(names ...string) policy.Verdict {
	var keys []string
	for _, name := range names {
		if key, err := rbl.DomainKey(name); err == nil && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return b.domains(keys, nil)
}

// domains asks about several names at once; the first that is listed counts. The error is why there
// are others.
func (b *rule) domains(keys []string, unknown error) policy.Verdict {
	if len(keys) == 0 && unknown == nil {
		return policy.Pass
	}
	return b.ask(b.names, func(ctx context.Context) []*rbl.Result {
		return b.names.LookupDomains(ctx, keys...)
	}, func(f question) policy.Verdict {
		return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
			_, v, err := f(ctx)
			return v, err
		})
	}, unknown)
}

// question looks something up in a set. Its results are kept, whatever is judged of them.
type question = func(context.Context) ([]*rbl.Result, policy.Verdict, error)

// ask turns a look-up in a set into a verdict, by way of later. Lists without a say have a finding
// of their own, for which nobody waits. An error says that not everything is looked up.
func (b *rule) ask(set *rbl.Set, lookup func(context.Context) []*rbl.Result, later func(question) policy.Verdict, unknown error) policy.Verdict {
	said := make(chan []*rbl.Result, 1)
	judge := b.judge
	apart := !b.explaining && set.Monitors()
	if apart {
		judge = b.judgeEnforced
	}
	verdict := later(func(ctx context.Context) ([]*rbl.Result, policy.Verdict, error) {
		ctx, cancel := context.WithTimeout(ctx, b.timeout)
		defer cancel()
		results := lookup(ctx)
		said <- slices.Clone(results)
		note(ctx, results)
		return results, policy.Asks().Later(func(context.Context) (policy.Verdict, error) {
			v, err := judge(results)
			if err == nil && !v.Objects() {
				err = unknown
			}
			return v, err
		}), nil
	})
	if !apart {
		return verdict
	}
	return verdict.And(policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
		select {
		case results := <-said:
			for i, r := range results {
				results[i] = r.Complete(ctx)
			}
			note(ctx, results)
			return b.judgeMonitored(results), nil
		case <-ctx.Done():
			return policy.Pass, nil
		}
	}).Monitored())
}

// judge makes the verdict of the check from what the lists said of several subjects.
func (b *rule) judge(results []*rbl.Result) (policy.Verdict, error) {
	v, err := b.judgeEnforced(results)
	if err == nil && !v.Objects() {
		v = b.judgeMonitored(results)
	}
	if err == nil && !v.Objects() && b.explaining {
		return policy.Pass.Because("%s", describeAll(results)), nil
	}
	return v, err
}

// judgeEnforced is the verdict of the lists that have a say.
func (b *rule) judgeEnforced(results []*rbl.Result) (policy.Verdict, error) {
	r := first(results, func(r *rbl.Result) bool { return r.Verdict == rbl.Listed })
	if r != nil {
		return policy.Object(reply, public(r.Zone), r.Reason).Because("%s", b.describe(r, results)), nil
	}
	r = first(results, func(r *rbl.Result) bool { return r.Verdict == rbl.Unknown })
	switch {
	case r == nil:
		return policy.Pass, nil
	case b.explaining:
		return policy.Pass, errors.New(describeAll(results))
	}
	return policy.Pass, fmt.Errorf("dns lists: %w", cmp.Or(r.Err(), errEnded))
}

// judgeMonitored is what would be said if every list had a say, where that is not said anyway.
func (b *rule) judgeMonitored(results []*rbl.Result) policy.Verdict {
	if first(results, func(r *rbl.Result) bool { return r.Verdict == rbl.Listed }) != nil {
		return policy.Pass
	}
	r := first(results, func(r *rbl.Result) bool { return r.Would >= b.threshold })
	if r == nil {
		return policy.Pass
	}
	return policy.Object(reply, monitoredZone(r)...).Because("%s", b.describe(r, results)).Monitored()
}

// note keeps every question with its answer for the event.
func note(ctx context.Context, results []*rbl.Result) {
	for _, r := range results {
		for _, x := range r.Exchanges {
			trace.Add(ctx, x.Question.String(), x.Answer.String())
		}
	}
}

// first is the first result that is so, nil if none is.
func first(results []*rbl.Result, is func(*rbl.Result) bool) *rbl.Result {
	if i := slices.IndexFunc(results, is); i >= 0 {
		return results[i]
	}
	return nil
}

// errEnded stands for what kept lists from answering when none of them failed.
var errEnded = errors.New("the look-up was ended")

// monitoredZone names the first list that hit, though it has no say.
func monitoredZone(r *rbl.Result) []string {
	for _, l := range r.Lists {
		if l.State == rbl.Hit && l.Monitored {
			return []string{public(l.Zone), l.Reason}
		}
	}
	return []string{public(r.Zone), r.Reason}
}

// settle tells the lists of a client whose mail is known to be good, so that one that lists such
// clients is found out.
func (b *rule) settle(ctx context.Context, m *policy.Message, o policy.Outcome) {
	results, ok := b.client.Of(m.Conn)
	if !ok || o.Fate != policy.Accepted || m.Trusted() || m.Conn.InboundRelay() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	if m.PermitHonoured(ctx) || m.AutoAllowHonoured(ctx) {
		b.lists.KnownGood(m.Conn.Client, m.Sender.Domain, results[0].Hits())
	}
}

var reply = &policy.Reply{
	ID: "rbl", Row: "P11", Offence: policy.OffenceListed, Code: 550, Enhanced: "5.7.1", Text: "{zone} Blocked - see {reason}", Args: []string{"zone", "reason"},
	Description: "The sending host's address, or a domain name in the mail, is on a DNS list that the administrator trusts. The text is the list's own.",
	Resolution:  "The sender asks the list named in the reply for removal. The administrator can permit the client (--permit-clients) or the sender (--permit-senders) meanwhile.",
	Advice:      "The address of your mail server, or a domain in your mail, is on a public block list that the reply names; please have the administrator of your mail server ask there for removal.",
}
