package account

import (
	"context"
	"slices"
	"strings"
	"time"

	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/terminal"
)

// operations are what people can do with accounts.
func operations(f *policy.Flags) {
	f.Operations("Switch the outbound or inbound mail of accounts off",
		policy.NewOperation(policy.About{
			Name: "off", Effect: policy.Enters, Undo: switchedOn,
			Title: "Switch an account off, at once and on every host that shares the state",
			Help: `Outbound mail of an account includes its mail to local recipients: a stolen password writes to colleagues first. --also-internal=off leaves
that alone. Bounces (the null sender) always pass.`,
			Example: `  mailweir account off --outbound=bob --for=1h --note='stolen password'
  mailweir account off --inbound=example.org --note='moving the mailboxes'`,
		}, offAccount, switchOff, entry.ShowNotes),
		policy.NewOperation(policy.About{
			Name: "on", Effect: policy.Changes, Undo: policy.UndoneBy("off"),
			Title: "Switch an account on again that was switched off with account off",
		}, oneAccount, switchOn, nil),
		policy.NewList(policy.About{
			Name:  "list",
			Title: "List the accounts that are switched off at run time, by whom, why and until when",
		}, policy.Unasked, list, listing),
	)
}

// switchedOn takes back what such words have switched off.
func switchedOn(words []string) []string {
	return append([]string{"on"}, slices.DeleteFunc(slices.Clone(words), func(w string) bool { return strings.HasPrefix(w, "--also-internal") })...)
}

// request is about one side of one account.
type request struct {
	Side string `json:"side"`
	Name string `json:"name"`
	// ExternalOnly leaves internal mail alone.
	ExternalOnly bool `json:"external_only,omitempty"`
}

// Validate reports an account that there cannot be.
func (r request) Validate() error {
	if r.Side != Outbound && r.Side != Inbound || r.Name == "" {
		return policy.Wrongf("give either --outbound=LOGIN|DOMAIN|* or --inbound=DOMAIN|*")
	}
	if err := validate(r.Side, r.Name); err != nil {
		return policy.Wrongf("%v", err)
	}
	return nil
}

// offAccount is oneAccount with what is to be switched off.
func offAccount(f *policy.Flags) func([]string) (request, error) {
	read := oneAccount(f)
	internal := f.Bool("also-internal", true, "whether --outbound stops mail to local recipients, too")
	return func(args []string) (request, error) {
		r, err := read(args)
		r.ExternalOnly = r.Side == Outbound && !*internal
		return r, err
	}
}

// oneAccount reads how an account is named.
func oneAccount(f *policy.Flags) func([]string) (request, error) {
	outbound := f.String("outbound", "", "LOGIN|DOMAIN|*", "outbound mail of this login or domain, * for all")
	inbound := f.String("inbound", "", "DOMAIN|*", "inbound mail of this domain, * for all")
	return func(args []string) (request, error) {
		if err := policy.NoArguments(args); err != nil {
			return request{}, err
		}
		if *outbound != "" && *inbound != "" {
			return request{}, policy.Wrongf("give one of --outbound and --inbound at a time")
		}
		r := request{Side: Outbound, Name: *outbound}
		if *inbound != "" {
			r = request{Side: Inbound, Name: *inbound}
		}
		return r, r.Validate()
	}
}

// String names the account for the audit.
func (r request) String() string { return r.Side + " " + r.Name }

// Before tells the audit how the account stands now.
func (r request) Before(ctx context.Context, c *policy.Call) (string, error) {
	value, found, err := c.Backends.State.Get(ctx, switchKey(r.Side, normalName(r.Name)))
	if err != nil || !found {
		return "", err
	}
	return "off " + readSwitch(value).String(), nil
}

func switchOff(ctx context.Context, c *policy.Call, r request) (done entry.Done, err error) {
	now := "off"
	if r.ExternalOnly {
		now = "off, but for internal mail,"
	}
	_, err = entry.Enter(ctx, c, r, now, func() error {
		return enter(ctx, c.Backends.State, r.Side, r.Name, c.For, switchRow{r.ExternalOnly, entry.By(c)})
	})
	if err == nil {
		done.Note(unseen(ctx, c, r))
	}
	return done, err
}

// seenWithin is how far back it is looked whether there has been mail of an account.
const seenWithin = 30 * 24 * time.Hour

// unseen says that nothing is known of an account, which is most likely a slip; "" where something
// is, or where there is no record to look into.
func unseen(ctx context.Context, c *policy.Call, r request) string {
	if c.Known.Mail == nil || r.Name == everybody {
		return ""
	}
	name, last := normalName(r.Name), ""
	var cases []policy.MailCase
	switch {
	case r.Side == Inbound:
		last = "no mail to " + name
		cases = []policy.MailCase{{Recipient: "@" + name}}
	case strings.Contains(name, "@"):
		last = "no login " + name + ", and no mail from that address,"
		cases = []policy.MailCase{{Login: r.Name}, {Login: name}, {Sender: name}}
	default:
		last = "no login " + name + ", and no mail from such a domain,"
		cases = []policy.MailCase{{Login: r.Name}, {Login: name}, {Sender: "@" + name}}
	}
	for _, one := range cases {
		one.Within = seenWithin
		if n, err := c.Known.Mail(ctx, one); err != nil || n.Messages > 0 {
			return ""
		}
	}
	return last + " is in the record; is the name right?"
}

func switchOn(ctx context.Context, c *policy.Call, r request) (policy.Nothing, error) {
	absent := policy.Wrongf("nothing to delete: %s of %q was not switched off here; see mailweir account list, and --account-list", r.Side, r.Name)
	return entry.Remove(ctx, c, r, absent, func() (bool, error) { return remove(ctx, c.Backends.State, r.Side, r.Name) })
}

func list(ctx context.Context, c *policy.Call, _ policy.Nothing) ([]Switch, error) {
	return switches(ctx, c.Backends.State)
}

func listing(list []Switch) policy.Listing {
	l := policy.Listing{Titles: []string{"SIDE", "ACCOUNT", "UNTIL", "SINCE", "BY", "NOTE"}}
	for _, a := range list {
		side := a.Side
		if a.ExternalOnly {
			side += ", not internal"
		}
		l.Row(side, a.Name, entry.Ends(a.Until), terminal.Time(a.At), a.By, a.Note).
			Use("Switch on", "account", "on", "--"+a.Side+"="+a.Name)
	}
	return l
}
