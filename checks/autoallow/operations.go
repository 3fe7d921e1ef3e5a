package autoallow

import (
	"context"
	"fmt"
	"io"

	"mailweir/internal/policy"
	"mailweir/internal/terminal"
)

// operations are what people can do with what is known.
func operations(f *policy.Flags) {
	concerns := policy.Concerning(func(r request) []string { return []string{r.User} })
	f.Operations("Look at the addresses that users have written to, and forget them",
		policy.NewList(policy.About{Name: "list", Concerns: concerns, Title: "List whom users have written to"}, listed, list, listing),
		policy.NewOperation(policy.About{
			Name: "rm", Effect: policy.Changes, Concerns: concerns,
			Title: "Forget whom a user has written to, or who has written to an address",
		}, chosen, remove, writeRemoved),
	)
}

// request chooses pairs of a user and an external address; what is empty chooses all.
type request struct {
	User    string `json:"user,omitempty"`
	Address string `json:"address,omitempty"`
	policy.Span
}

// Page is the request for one page.
func (r request) Page(after string, rows int) any {
	r.Span = policy.PageOf(after, rows)
	return r
}

// filter chooses as the policy does where the command is carried out: a user is meant without the
// extension of his address.
func (r request) filter(c *policy.Call) filter {
	return filter{User: r.User, External: r.Address, Delimiter: c.Delimiter}
}

func chosenPairs(f *policy.Flags) func([]string) (request, error) {
	user := f.String("user", "", "ADDRESS", "address of the user who wrote")
	external := f.String("external", "", "ADDRESS", "external address that was written to")
	return func(args []string) (request, error) {
		return request{User: *user, Address: *external}, policy.NoArguments(args)
	}
}

func listed(f *policy.Flags) func([]string) (request, error) {
	read, limit := chosenPairs(f), f.Int("limit", 1000, "rows to list at most")
	return func(args []string) (request, error) {
		r, err := read(args)
		if r.Limit = *limit; err == nil && *limit < 1 {
			err = policy.Wrongf("--limit: %d rows are none", *limit)
		}
		return r, err
	}
}

func chosen(f *policy.Flags) func([]string) (request, error) {
	read := chosenPairs(f)
	return func(args []string) (request, error) {
		r, err := read(args)
		if err == nil {
			err = r.chooses()
		}
		return r, err
	}
}

// chooses reports that the request would forget everything.
func (r request) chooses() error {
	if r.User == "" && r.Address == "" {
		return policy.Wrongf("give --user or --external, or both")
	}
	return nil
}

func list(ctx context.Context, c *policy.Call, r request) (policy.Part[pair], error) {
	return listPairs(ctx, c.Backends.State, r.filter(c), r.Span)
}

func listing(list policy.Part[pair]) policy.Listing {
	l := policy.Listing{Next: list.Next, Titles: []string{"USER", "ADDRESS", "WRITTEN", "UNTIL"}}
	for _, one := range list.Rows {
		l.Row(one.User, one.Address, one.Last, terminal.Time(one.Until)).
			Use("Forget", "auto-allow", "rm", "--user="+one.User, "--external="+one.Address)
	}
	return l
}

func remove(ctx context.Context, c *policy.Call, r request) (int, error) {
	if err := r.chooses(); err != nil {
		return 0, err
	}
	n, err := forget(ctx, c.Backends.State, r.filter(c))
	if err == nil && n == 0 {
		err = policy.Wrongf("nothing to delete: no such pair is known; see mailweir auto-allow list")
	}
	if n == 0 {
		return 0, err
	}
	c.Altered(r.User+" "+r.Address, fmt.Sprintf("%d known", n), "")
	return n, err
}

func writeRemoved(out io.Writer, n int) error {
	_, err := fmt.Fprintf(out, "%d forgotten\n", n)
	return err
}
