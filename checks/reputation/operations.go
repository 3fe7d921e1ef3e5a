package reputation

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"time"

	"mailweir/internal/entry"
	"mailweir/internal/policy"
)

// operations are what people can do with histories. They go by the formula of the flags.
func operations(f *policy.Flags, halfLife *time.Duration, least *int) {
	b := operated{halfLife, least}
	f.Operations("Look at what clients have done here, and forget it",
		policy.NewList(policy.About{
			Name: "show", Args: "ADDRESS", ByFlags: true,
			Title: "Explain a client's score by its parts",
			Help: `Shows the client's score as it is now, and what each kind of events adds to it. The formula is that of the running daemon
(--reputation-half-life and --reputation-min-events), or that of the flags given here when the command opens the state itself.`,
		}, oneClient, b.show, listing),
		policy.NewOperation(policy.About{
			Name: "forget", Args: "ADDRESS", Effect: policy.Changes, ByFlags: true,
			Title: "Forget a client's history, at once and on every host that shares the state",
			Help: `Forgets what the client has done, good and bad, an IPv6 client's /64 with it. What it does from then on counts; to let it through whatever it
does, see --permit-clients. An entry on the temporary block list is another matter: mailweir tempblock rm.`,
			Example: `  mailweir reputation forget 192.0.2.1 --note='one customer of many; he is gone'`,
		}, oneClient, b.forget, nil),
	)
}

// operated are the flags that the formula goes by.
type operated struct {
	halfLife *time.Duration
	least    *int
}

func (o operated) book(c *policy.Call) *Book {
	return &Book{Store: c.Backends.State, Clock: c.Backends.Clock, HalfLife: *o.halfLife, MinEvents: *o.least}
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

func (r request) validate() error {
	if !r.Client.IsValid() {
		return policy.Wrongf("give a client's address")
	}
	return nil
}

// answer is one client's score, and who has had its history forgotten.
type answer struct {
	Summary
	Forgotten *entry.Origin `json:"forgotten,omitempty"`
}

func (o operated) show(ctx context.Context, c *policy.Call, r request) (a answer, err error) {
	if err := r.validate(); err != nil {
		return a, err
	}
	if a.Summary, err = o.book(c).Show(ctx, r.Client); err != nil {
		return a, err
	}
	by, found, err := o.book(c).forgotten(ctx, r.Client)
	if found {
		a.Forgotten = &by
	}
	return a, err
}

func (o operated) forget(ctx context.Context, c *policy.Call, r request) (policy.Nothing, error) {
	if err := r.validate(); err != nil {
		return policy.Nothing{}, err
	}
	before, err := o.book(c).Show(ctx, r.Client)
	if err != nil {
		return policy.Nothing{}, err
	}
	was, err := o.book(c).forget(ctx, r.Client, entry.By(c))
	if err == nil && !was {
		err = policy.Wrongf("nothing to delete: %s has no history here; see mailweir reputation show", r.Client)
	}
	if err == nil {
		c.Altered(before.Net, before.String(), "")
	}
	return policy.Nothing{}, err
}

func listing(r answer) policy.Listing {
	l := policy.Listing{Titles: []string{"EVENTS", "WEIGHT NOW", "POINTS"}}
	for _, p := range r.Parts {
		l.Row(p.Name, fmt.Sprintf("%.1f", p.Events), fmt.Sprintf("%+.1f", p.Points))
	}
	l.Row("all", fmt.Sprintf("%.1f", r.Events), fmt.Sprintf("%.0f", math.Floor(r.Score)))
	if r.Forgotten != nil {
		l.Note("its history was begun anew %s", r.Forgotten)
	}
	switch {
	case r.Known:
		l.Note("%s is not judged: wanted mail has come from there within 36 days", r.Net)
	case !r.Judged:
		l.Note("%s is not judged: it takes %d events", r.Net, r.Least)
	default:
		l.Note("%s is judged by its score of %.0f", r.Net, math.Floor(r.Score))
	}
	return l
}
