package byhand

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/internal/terminal"
)

// MonitorGroup is the name of the group of operations with the checks that only monitor, and its
// verbs.
const (
	MonitorGroup = "monitor"
	MonitorStart = "start"
	MonitorEnd   = "end"
	MonitorList  = "list"
)

// MonitorOperations are what people can do with checks at run time.
func MonitorOperations() policy.OperationGroup {
	return policy.OperationGroup{Name: MonitorGroup, Title: "Have checks refuse nothing for a while, at run time", Operations: []policy.Operation{
		policy.NewOperation(policy.About{
			Name: MonitorStart, Args: "CHECK…", Effect: policy.Enters, Undo: policy.UndoneBy(MonitorEnd),
			Title: "Have checks refuse nothing: they only record what they would have said",
			Help: `The switch for a bad night. It acts at once, for messages on their way, too, on every host that shares the state, and outlives a restart.
It edits no file: what the configuration says counts again after --for, after "mailweir monitor end", or when the check is enforced by
"mailweir enforce". --all is for every check, and for mailweir's own faults and load.`,
			Example: `  mailweir monitor rbl --for=1h --note='a list answers yes to everything'
  mailweir monitor --all --for=30m
  mailweir monitor list
  mailweir monitor end rbl`,
		}, someChecks, startMonitor, entry.ShowNotes),
		policy.NewOperation(policy.About{
			Name: MonitorEnd, Args: "CHECK…", Effect: policy.Changes, Undo: policy.UndoneBy(MonitorStart),
			Title: "Have checks do again what the configuration says",
		}, someChecks, endMonitor, entry.ShowNotes),
		policy.NewList(policy.About{
			Name: MonitorList, Title: "List the checks that refuse nothing by hand, until when, by whom and why",
			May: []policy.Role{policy.RoleHelpdesk, policy.RoleAuditor},
		}, policy.Unasked, listMonitor, listingOfOrders),
	}}
}

// checksRequest names checks, or [All].
type checksRequest struct {
	Checks []string `json:"checks"`
}

func someChecks(f *policy.Flags) func([]string) (checksRequest, error) {
	all := f.Bool("all", false, "every check")
	return func(args []string) (checksRequest, error) {
		r := checksRequest{Checks: slices.Compact(slices.Sorted(slices.Values(args)))}
		switch {
		case *all && len(args) > 0:
			return r, policy.Wrongf("give either checks or --all")
		case *all:
			r.Checks = []string{All}
		}
		return r, r.validate(nil)
	}
}

// validate holds the names against the checks that there are; without any nobody knows.
func (r checksRequest) validate(checks []*policy.Check) error {
	if len(r.Checks) == 0 {
		return policy.Wrongf("name one check or more, or --all; mailweir check lists them")
	}
	for _, name := range r.Checks {
		check := checkNamed(checks, name)
		switch {
		case name == All, len(checks) == 0:
		case check == nil:
			return policy.Wrongf("there is no check %q; there are %s", name, strings.Join(refusing(checks), ", "))
		case len(check.Replies) == 0:
			return policy.Wrongf("check %s refuses nothing, so there is nothing to monitor", name)
		}
	}
	return nil
}

func checkNamed(checks []*policy.Check, name string) *policy.Check {
	for _, c := range checks {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// refusing are the names of the checks that have a reply.
func refusing(checks []*policy.Check) (names []string) {
	for _, c := range checks {
		if len(c.Replies) > 0 {
			names = append(names, c.Name)
		}
	}
	return names
}

// orderOf is a check as the subject of a change.
type orderOf string

// Validate has nothing to say: the request was held against the checks.
func (orderOf) Validate() error { return nil }

// String names the check for the audit.
func (o orderOf) String() string {
	if o == All {
		return "all checks"
	}
	return "check " + string(o)
}

// Before tells the audit what is ordered now.
func (o orderOf) Before(ctx context.Context, c *policy.Call) (string, error) {
	value, found, err := c.Backends.State.Get(ctx, orderKey(string(o)))
	if err != nil || !found {
		return "", err
	}
	return "monitored " + entry.Read(value).String(), nil
}

func startMonitor(ctx context.Context, c *policy.Call, r checksRequest) (done entry.Done, err error) {
	if err := r.validate(c.Known.Checks); err != nil {
		return done, err
	}
	for _, check := range r.Checks {
		_, err := entry.Enter(ctx, c, orderOf(check), "monitored", func() error {
			_, err := c.Backends.State.Do(ctx, state.Put(orderKey(check), entry.By(c).Value(), c.For).Entered())
			return err
		})
		if err != nil {
			return done, err
		}
		if c.Known.Mode != nil && check != All && !c.Known.Mode(check).Refuses() {
			done.Note(fmt.Sprintf("check %s is in mode %s anyway; this counts once it is enforced", check, c.Known.Mode(check)))
		}
	}
	if c.For == 0 {
		done.Note("without --for this lasts until mailweir monitor end " + spelled(r))
	}
	if c.Known.Forgets {
		done.Note(forgets)
	}
	return done, nil
}

// spelled are the checks as a command takes them.
func spelled(r checksRequest) string {
	if slices.Contains(r.Checks, All) {
		return "--all"
	}
	return strings.Join(r.Checks, " ")
}

func endMonitor(ctx context.Context, c *policy.Call, r checksRequest) (done entry.Done, err error) {
	if err := r.validate(c.Known.Checks); err != nil {
		return done, err
	}
	for _, check := range r.Checks {
		absent := policy.Wrongf("nothing to end: nobody has ordered that of %s; see mailweir monitor list", orderOf(check))
		_, err := entry.Remove(ctx, c, orderOf(check), absent, func() (bool, error) {
			results, err := c.Backends.State.Do(ctx, state.Delete(orderKey(check)).Entered())
			if err != nil {
				return false, err
			}
			return results[0].Done, nil
		})
		if err != nil {
			return done, err
		}
	}
	err = noteOthers(ctx, c, r, &done)
	return done, err
}

// noteOthers says which orders there still are.
func noteOthers(ctx context.Context, c *policy.Call, r checksRequest, done *entry.Done) error {
	left, err := ListOrders(ctx, c.Backends.State)
	if err != nil || len(left) == 0 {
		return err
	}
	if slices.ContainsFunc(left, func(o Order) bool { return o.Check == All }) {
		done.Note("all checks are still monitored: mailweir monitor end --all")
		return nil
	}
	if slices.Contains(r.Checks, All) {
		var names []string
		for _, o := range left {
			names = append(names, o.Check)
		}
		done.Note("still monitored by orders of their own: mailweir monitor end " + strings.Join(names, " "))
	}
	return nil
}

func listMonitor(ctx context.Context, c *policy.Call, _ policy.Nothing) ([]Order, error) {
	return ListOrders(ctx, c.Backends.State)
}

// ListOrders are the orders that stand in a store.
func ListOrders(ctx context.Context, store state.Store) ([]Order, error) {
	entries, err := store.List(ctx, state.Prefix(monitorSpace), "", entry.MaxListed)
	list := []Order{}
	for _, e := range entries {
		if _, parts := state.Parts(e.Key); len(parts) == 1 {
			list = append(list, Order{Check: parts[0], Origin: entry.Read(e.Value), Until: e.Until})
		}
	}
	return list, err
}

func listingOfOrders(list []Order) policy.Listing {
	l := policy.Listing{Titles: []string{"CHECK", "UNTIL", "SINCE", "BY", "NOTE"}}
	for _, o := range list {
		name, word := o.Check, o.Check
		if name == All {
			name, word = "all", "--all"
		}
		l.Row(name, entry.Ends(o.Until), terminal.Time(o.At), o.By, o.Note).Use("End it", MonitorGroup, MonitorEnd, word)
	}
	return l
}
