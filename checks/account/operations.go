package account

import (
	"context"

	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/terminal"
)

// operations are what people can do with accounts.
func operations(f *policy.Flags) {
	f.Operations("Switch the outbound or inbound mail of accounts off",
		policy.NewOperation(policy.About{
			Name: "off", Effect: policy.Enters, Undo: policy.UndoneBy("on"),
			Title: "Switch an account off, at once and on every host that shares the state",
			Example: `  mailweir account off --outbound=bob --for=1h --note='stolen password'
  mailweir account off --inbound=example.org --note='moving the mailboxes'`,
		}, oneAccount, switchOff, nil),
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

// request is about one side of one account.
type request struct {
	Side string `json:"side"`
	Name string `json:"name"`
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
	return "off " + entry.Read(value).String(), nil
}

func switchOff(ctx context.Context, c *policy.Call, r request) (policy.Nothing, error) {
	return entry.Enter(ctx, c, r, "off", func() error {
		return enter(ctx, c.Backends.State, r.Side, r.Name, c.For, entry.By(c))
	})
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
		l.Row(a.Side, a.Name, entry.Ends(a.Until), terminal.Time(a.At), a.By, a.Note).
			Use("Switch on", "account", "on", "--"+a.Side+"="+a.Name)
	}
	return l
}
