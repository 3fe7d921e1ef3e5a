package rbl

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/terminal"
	"mailweir/rbl"
)

// operations are what people can do with lists.
func operations(f *policy.Flags) {
	f.Operations("Look at DNS lists",
		policy.NewList(policy.About{
			Name: "status", Daemon: true,
			Title: "Show how each list of the running daemon does",
			Help: `Shows, for each list: whether it is asked or suspended, until when if that is known, and why; what it is asked about; look-ups, hits, hits that no other list shared, errors; the
mean time of its answers; hits on clients whose mail is known to be good (its precision); and the list it overlaps with most.`,
		}, policy.Unasked, status, listing),
		policy.NewOperation(policy.About{
			Name: "rest", Args: "ZONE", Effect: policy.Enters, Undo: policy.UndoneBy("resume"), Daemon: true, Title: "Stop asking a list",
		}, oneZone, rest, nil),
		policy.NewOperation(policy.About{
			Name: "resume", Args: "ZONE", Effect: policy.Changes, Undo: policy.UndoneBy("rest"), Daemon: true,
			Title: "Ask a list again that is suspended by hand, or for its hits on good mail",
			Help: `Ends the rest of a list by hand, and that for its hits on good mail. A list that does not answer, or fails its test, goes on
suspended until a test passes; the command says so.`,
		}, oneZone, resume, writeSuspended),
	)
}

// request is about one list.
type request struct {
	Zone string `json:"zone"`
}

func oneZone(*policy.Flags) func([]string) (request, error) {
	return func(args []string) (request, error) {
		if len(args) != 1 {
			return request{}, policy.Wrongf("give one zone")
		}
		return request{args[0]}, nil
	}
}

func status(_ context.Context, c *policy.Call, _ policy.Nothing) ([]rbl.ListStatus, error) {
	return c.Backends.Lists.Status(), nil
}

// named is the list of a zone, however that is written.
func named(c *policy.Call, zone string) rbl.ListStatus {
	for _, l := range c.Backends.Lists.Status() {
		if strings.EqualFold(l.Zone, strings.TrimSuffix(zone, ".")) {
			return l
		}
	}
	return rbl.ListStatus{Zone: zone}
}

// standing tells for the audit whether a list is asked.
func standing(l rbl.ListStatus) string {
	if l.Asked {
		return "asked"
	}
	return "suspended: " + l.Why
}

func rest(_ context.Context, c *policy.Call, r request) (policy.Nothing, error) {
	why := "by " + c.By.Name
	if c.Why != "" {
		why += ": " + c.Why
	}
	list := named(c, r.Zone)
	if err := c.Backends.Lists.Suspend(list.Zone, c.For, why); err != nil {
		return policy.Nothing{}, policy.Wrongf("%v", err)
	}
	c.Altered(list.Zone, standing(list), "suspended "+entry.Lasts(c))
	return policy.Nothing{}, nil
}

// resume answers with the list if it stays suspended.
func resume(_ context.Context, c *policy.Call, r request) ([]rbl.ListStatus, error) {
	list := named(c, r.Zone)
	if err := c.Backends.Lists.Resume(list.Zone); err != nil {
		return nil, policy.Wrongf("%v", err)
	}
	now := named(c, list.Zone)
	c.Altered(list.Zone, standing(list), standing(now))
	return slices.DeleteFunc(c.Backends.Lists.Status(), func(l rbl.ListStatus) bool { return l.Zone != list.Zone || l.Asked }), nil
}

func writeSuspended(out io.Writer, suspended []rbl.ListStatus) error {
	for _, l := range suspended {
		if _, err := fmt.Fprintf(out, "%s is still suspended: %s; it is asked when its test passes\n", l.Zone, l.Why); err != nil {
			return err
		}
	}
	return nil
}

func listing(lists []rbl.ListStatus) policy.Listing {
	l := policy.Listing{Titles: []string{"ZONE", "STATE", "ABOUT", "QUERIES", "HITS", "ALONE", "ERRORS", "KNOWN GOOD", "MEAN", "OVERLAP", "UNTIL", "WHY"}}
	for _, one := range lists {
		state, title, verb := "asked", "Rest", "rest"
		if !one.Asked {
			state, title, verb = "suspended", "Resume", "resume"
		}
		l.Row(one.Zone, state, about(one), one.Queries, one.Hits, one.Alone, one.Errors, one.KnownGood,
			one.Latency.Mean().Round(time.Microsecond), mostOverlap(one.Overlap), terminal.Time(one.Until), one.Why).
			Use(title, "rbl", verb, one.Zone)
	}
	return l
}

// about says what a list is asked about.
func about(l rbl.ListStatus) string {
	switch {
	case l.Kind == rbl.Domains:
		return "names"
	case !l.IPv4:
		return "IPv6"
	case !l.IPv6:
		return "IPv4"
	}
	return "IPv4 IPv6"
}

// mostOverlap names the list with which most hits are shared, the first by name of several.
func mostOverlap(overlap map[string]uint64) string {
	most := ""
	for _, zone := range slices.Sorted(maps.Keys(overlap)) {
		if most == "" || overlap[zone] > overlap[most] {
			most = zone
		}
	}
	if most == "" {
		return "-"
	}
	return fmt.Sprintf("%s %d", most, overlap[most])
}
