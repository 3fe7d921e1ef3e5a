package checks

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"mailweir/internal/policy"
	"mailweir/rbl"
)

// RBL refuses clients and names that DNS lists have a bad opinion of.
var RBL = &policy.Check{
	Name:  "rbl",
	Title: "clients and names on DNS lists",
	Help: `Asks the lists of ` + "`--rbl-zone`" + ` about the client's address, and those of ` + "`--rhsbl-zone`" + ` about the domains of envelope
sender and header From, the HELO name and the client's verified name. The syntax is that of postscreen_dnsbl_sites:
` + "`ZONE=filter*weight`" + `, with negative weights for allow lists. All lists are asked at once as soon as the client is known;
the objection stands when the weights of the lists that hit reach ` + "`--rbl-threshold`" + `.

An error of a list, and any answer that the list does not document, is never a hit. Each list tests itself and rests
while it fails; see dns-lists.md. No list is in use by default.`,
	Mode:    policy.Enforce,
	OnError: policy.Accept,
	Bypass: policy.BypassTrusted | policy.BypassRelay | policy.BypassPermitClient | policy.BypassPermitSender |
		policy.BypassRecipientPermit | policy.BypassAutoAllow | policy.BypassAlwaysAccept,
	Replies: []*policy.Reply{replyRBL},
	Setup:   setupRBL,
}

func setupRBL(f *policy.Flags) policy.Build {
	o := &rblFlags{
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

type rblFlags struct {
	zones, names, keys, monitored, untested *[]string
	threshold                               *int
	timeout                                 *time.Duration
}

func (o *rblFlags) build(env *policy.Env) (policy.Hooks, error) {
	if len(*o.zones)+len(*o.names) == 0 {
		return policy.Hooks{Off: "no --rbl-zone and no --rhsbl-zone"}, nil
	}
	if *o.threshold < 1 {
		return policy.Hooks{}, fmt.Errorf("--rbl-threshold: a threshold of 0 would refuse everybody; use 1 or more")
	}
	keys := make(map[string]rbl.Secret)
	for _, spec := range *o.keys {
		name, key, err := rbl.ParseKey(spec)
		if err != nil {
			return policy.Hooks{}, fmt.Errorf("--rbl-key: %w", err)
		}
		keys[name] = key
	}
	options := rbl.SetOptions{
		Threshold: *o.threshold, Keys: keys, NoSelfTest: *o.untested, Monitor: *o.monitored, Complete: env.Explaining,
	}
	addresses, err := newSet(env, "rbl-zone", rbl.Addresses, *o.zones, options)
	if err != nil {
		return policy.Hooks{}, err
	}
	names, err := newSet(env, "rhsbl-zone", rbl.Domains, *o.names, options)
	if err != nil {
		if addresses != nil {
			addresses.Close()
		}
		return policy.Hooks{}, err
	}
	rule := &rblRule{
		lists: env.Lists, addresses: addresses, names: names, timeout: *o.timeout, ready: env.Explaining,
		client: policy.NewSlot[atomic.Pointer[rbl.Result]](env),
	}
	return rule.hooks(env), nil
}

func newSet(env *policy.Env, flag string, kind rbl.Kind, specs []string, options rbl.SetOptions) (*rbl.Set, error) {
	if len(specs) == 0 {
		return nil, nil
	}
	entries, err := rbl.Parse(kind, specs)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	set, err := env.Lists.NewSet(entries, options)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	return set, nil
}

// rblRule is the check within one policy.
type rblRule struct {
	lists            *rbl.Lists
	addresses, names *rbl.Set // nil when not in use
	timeout          time.Duration
	ready            bool // wait for the lists' first test
	client           policy.Slot[atomic.Pointer[rbl.Result]]
}

func (b *rblRule) hooks(env *policy.Env) policy.Hooks {
	hooks := policy.Hooks{Close: b.close}
	if b.addresses != nil {
		hooks.Connect = b.connect
		if env.Settings.PermitSenders != nil {
			hooks.SettleMessage = b.settle
		}
	}
	if b.names != nil {
		hooks.Helo = func(c *policy.Connection) (policy.Verdict, error) { return b.domains(c.HeloFacts.Name), nil }
		hooks.Mail = func(m *policy.Message) (policy.Verdict, error) {
			return b.domains(m.Sender.Domain, m.Conn.ConnectFacts.Name), nil
		}
		hooks.Headers = b.headers
	}
	return hooks
}

func (b *rblRule) close() {
	for _, set := range []*rbl.Set{b.addresses, b.names} {
		if set != nil {
			set.Close()
		}
	}
}

// connect asks about the client as soon as it is known; the answer is due at RCPT.
func (b *rblRule) connect(c *policy.Connection) (policy.Verdict, error) {
	if !c.Client.IsValid() {
		return policy.Pass, nil
	}
	client, result := c.Client, b.client.Of(c)
	return b.ask(func(ctx context.Context) *rbl.Result {
		if b.ready {
			_ = b.addresses.Ready(ctx) // a list whose test has not ended rests, and the result says so
		}
		r := b.addresses.Lookup(ctx, client)
		result.Store(r)
		return r
	}), nil
}

// headers asks about the domains of header From.
func (b *rblRule) headers(m *policy.Message) (policy.Verdict, error) {
	var domains []string
	for _, a := range m.HeaderFrom().Addresses {
		domains = append(domains, a.Domain)
	}
	return b.domains(domains...), nil
}

// domains asks about several names; the first that is listed counts.
func (b *rblRule) domains(names ...string) policy.Verdict {
	var keys []string
	for _, name := range names {
		if key, err := rbl.DomainKey(name); err == nil {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return policy.Pass
	}
	return b.ask(func(ctx context.Context) *rbl.Result {
		if b.ready {
			_ = b.names.Ready(ctx)
		}
		var unknown, last *rbl.Result
		for _, key := range keys {
			last = b.names.LookupDomain(ctx, key)
			if last.Verdict == rbl.Listed {
				return last
			}
			if last.Verdict == rbl.Unknown {
				unknown = last
			}
		}
		if unknown != nil {
			return unknown
		}
		return last
	})
}

// ask turns a look-up into a verdict, with every question noted.
func (b *rblRule) ask(lookup func(context.Context) *rbl.Result) policy.Verdict {
	return policy.Later(func(ctx context.Context) (policy.Verdict, error) {
		ctx, cancel := context.WithTimeout(ctx, b.timeout)
		defer cancel()
		r := lookup(ctx)
		for _, x := range r.Exchanges {
			policy.Note(ctx, x.Question.String(), x.Answer.String())
		}
		switch {
		case r.Verdict == rbl.Listed:
			return policy.Object(replyRBL, r.Zone, r.Reason).Because("%s: %s", r.Subject, describe(r)), nil
		case r.Verdict == rbl.Unknown:
			return policy.Pass, fmt.Errorf("dns lists: %w", r.Err())
		case r.Would != r.Score:
			return policy.Object(replyRBL, monitoredZone(r)...).Because("%s: %s", r.Subject, describe(r)).Monitored(), nil
		}
		return policy.Pass, nil
	})
}

// monitoredZone names the first list that hit, though it has no say.
func monitoredZone(r *rbl.Result) []string {
	for _, l := range r.Lists {
		if l.State == rbl.Hit && l.Monitored {
			return []string{l.Zone, l.Reason}
		}
	}
	return []string{r.Zone, r.Reason}
}

// describe lists what each list said, for the administrator.
func describe(r *rbl.Result) string {
	text := ""
	for _, l := range r.Lists {
		if l.State == rbl.Hit {
			if text != "" {
				text += ", "
			}
			text += fmt.Sprintf("%s %+d", l.Zone, l.Score)
			for _, c := range l.Codes {
				text += " " + c.Addr.String()
			}
		}
	}
	return fmt.Sprintf("score %d (%s)", r.Score, text)
}

// settle tells the lists of a client whose mail is known to be good, so that one that lists such clients is found out.
func (b *rblRule) settle(m *policy.Message, o policy.Outcome) {
	r := b.client.Of(m.Conn).Load()
	if r == nil || o.Fate != policy.Accepted || m.Trusted() || m.Conn.InboundRelay() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), b.timeout)
	defer cancel()
	if m.PermitHonoured(ctx) {
		b.lists.KnownGood(m.Conn.Client, r.Hits())
	}
}

var replyRBL = &policy.Reply{
	ID: "rbl", Row: "P11", Code: 550, Enhanced: "5.7.1", Text: "{zone} Blocked - see {reason}", Args: []string{"zone", "reason"},
	Description: "The sending host's address, or a domain name in the mail, is on a DNS list that the administrator trusts. The text is the list's own.",
	Resolution:  "The sender asks the list named in the reply for removal. The administrator can permit the client (--permit-clients) or the sender (--permit-senders) meanwhile.",
}
