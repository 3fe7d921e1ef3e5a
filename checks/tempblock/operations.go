package tempblock

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	"mailweir/internal/entry"
	"mailweir/internal/history"
	"mailweir/internal/policy"
	"mailweir/internal/terminal"
)

// operations are what people can do with the list.
func operations(f *policy.Flags) {
	f.Operations("Look at the temporary block list and change it",
		policy.NewList(policy.About{
			Name:  "list",
			Title: "List the clients that are blocked, until when, and by which rule or by whom and why",
		}, policy.Unasked, showList, listing),
		policy.NewOperation(policy.About{
			Name: "add", Args: "ADDRESS", Effect: policy.Enters, Undo: policy.UndoneBy("rm"),
			Title: "Put a client on the list, at once and on every host that shares the state",
			Help: `Puts the client on the temporary block list, an IPv6 client with its /64. It is turned away from its next connection on, if the
check tempblock is enforced; a trusted or permitted client is not.`,
			Example: `  mailweir tempblock add 192.0.2.1 --for=2h --note='flood of spam'`,
		}, oneClient, add, nil),
		policy.NewOperation(policy.About{
			Name: "rm", Args: "ADDRESS", Effect: policy.Changes, Undo: policy.UndoneBy("add"), May: []policy.Role{policy.RoleHelpdesk},
			Title: "Take a client off the list, and forget what was counted against it",
		}, oneClient, remove, nil),
	)
}

// request is about one client.
type request struct {
	Client netip.Addr `json:"client"`
}

func oneClient(*policy.Flags) func([]string) (request, error) {
	return func(args []string) (request, error) {
		client, err := entry.OneClient(args)
		return request{client}, err
	}
}

// Validate reports that there is no client.
func (r request) Validate() error {
	if !r.Client.IsValid() {
		return policy.Wrongf("give the client's address")
	}
	return nil
}

// String names the client's net for the audit.
func (r request) String() string { return history.Net(r.Client) }

// Before tells the audit what stands on the list now.
func (r request) Before(ctx context.Context, c *policy.Call) (string, error) {
	net := history.Net(r.Client)
	value, found, err := c.Backends.State.Get(ctx, listKey(net))
	if err != nil || !found {
		return "", err
	}
	e := Entry{}
	_ = json.Unmarshal(value, &e) // what another hand has written is there all the same
	if e.Net = net; e.Rule != "" {
		return "blocked by the rule " + e.Rule, nil
	}
	return "blocked " + e.Origin.String(), nil
}

func showList(ctx context.Context, c *policy.Call, _ policy.Nothing) ([]Entry, error) {
	return List(ctx, c.Backends.State)
}

func listing(list []Entry) policy.Listing {
	l := policy.Listing{Titles: []string{"CLIENT", "UNTIL", "SINCE", "BY", "WHY"}}
	for _, e := range list {
		by, why := e.By, e.Note
		if e.Rule != "" {
			by, why = "rule", fmt.Sprintf("%s: %d bad, %d accepted", e.Rule, e.Bad, e.Good)
		}
		client, _, _ := strings.Cut(e.Net, "/") // the address of a /64 stands for it
		l.Row(e.Net, entry.Ends(e.Until), terminal.Time(e.At), by, why).Use("Take off", "tempblock", "rm", client)
	}
	return l
}

func add(ctx context.Context, c *policy.Call, r request) (policy.Nothing, error) {
	return entry.Enter(ctx, c, r, "blocked", func() error { return enter(ctx, c.Backends.State, r.Client, c.For, entry.By(c)) })
}

func remove(ctx context.Context, c *policy.Call, r request) (policy.Nothing, error) {
	absent := policy.Wrongf("nothing to delete: %s is not on the temporary block list; see mailweir tempblock list", r.Client)
	return entry.Remove(ctx, c, r, absent, func() (bool, error) { return takeOff(ctx, c.Backends.State, r.Client) })
}
