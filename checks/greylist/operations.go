package greylist

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"mailweir/internal/entry"
	"mailweir/internal/policy"
)

// operations are what people can do with what is remembered. They go by the flags under which keys
// were made.
func (o *options) operations(f *policy.Flags) {
	concerns := policy.Concerning(func(r request) []string { return []string{r.Recipient} })
	f.Operations("Look at what greylisting remembers, let mail pass, forget",
		policy.NewList(policy.About{
			Name: "show", ByFlags: true, Concerns: concerns,
			Title: "Show clients and triplets that are known, and those that wait",
		}, shown, o.show, listing),
		policy.NewOperation(policy.About{
			Name: "pass", Effect: policy.Changes, Undo: policy.UndoneBy("flush"), ByFlags: true, May: []policy.Role{policy.RoleHelpdesk}, Concerns: concerns,
			Title: "Let mail pass at its next attempt",
			Help: `Lets pass what waits and is chosen by client, sender or recipient. With all three the triplet is known even if its mail has
never come; with the client alone its whole net is known. It lasts as long as for mail that has passed by itself (--greylist-keep).`,
			Example: `  mailweir greylist pass --from=bob@example.com
  mailweir greylist pass --client=192.0.2.7`,
		}, passed, o.pass, counted("known")),
		policy.NewOperation(policy.About{
			Name: "flush", Effect: policy.Changes, ByFlags: true, Concerns: concerns,
			Title: "Forget clients and triplets, so that their mail waits again",
		}, flushed, o.flush, counted("forgotten")),
		o.importOperation(),
	)
}

// request chooses triplets; what is empty chooses all.
type request struct {
	Client    string `json:"client,omitempty"` // an address, or a net as it is shown
	Sender    string `json:"sender,omitempty"` // <> for the null sender
	Recipient string `json:"recipient,omitempty"`
	policy.Span
}

// Page is the request for one page.
func (r request) Page(after string, rows int) any {
	r.Span = policy.PageOf(after, rows)
	return r
}

// chooses reports whether the request leaves anything out.
func (r request) chooses() bool { return r.Client != "" || r.Sender != "" || r.Recipient != "" }

// what names in the audit what was chosen.
func (r request) what() string {
	return strings.Join([]string{cmp.Or(r.Client, "*"), cmp.Or(r.Sender, "*"), cmp.Or(r.Recipient, "*")}, " ")
}

func triplets(f *policy.Flags) func([]string) (request, error) {
	client := f.String("client", "", "ADDRESS|NET", "of this client's net, an address or a net as it is shown")
	from := f.String("from", "", "ADDRESS", "of this sender, <> for the null sender")
	to := f.String("to", "", "ADDRESS", "to this recipient")
	return func(args []string) (request, error) {
		return request{Client: *client, Sender: *from, Recipient: *to}, policy.NoArguments(args)
	}
}

func shown(f *policy.Flags) func([]string) (request, error) {
	read, limit := triplets(f), f.Int("limit", 1000, "rows to show at most")
	return func(args []string) (request, error) {
		r, err := read(args)
		if r.Limit = *limit; err == nil && *limit < 1 {
			err = policy.Wrongf("--limit: %d rows are none", *limit)
		}
		return r, err
	}
}

func passed(f *policy.Flags) func([]string) (request, error) {
	read := triplets(f)
	return func(args []string) (request, error) {
		r, err := read(args)
		if err == nil && !r.chooses() {
			err = policy.Wrongf("give --client, --from or --to, or several of them")
		}
		return r, err
	}
}

func flushed(f *policy.Flags) func([]string) (request, error) {
	read, all := triplets(f), f.Bool("all", false, "forget everything")
	return func(args []string) (request, error) {
		r, err := read(args)
		if err == nil && r.chooses() == *all {
			err = policy.Wrongf("give --client, --from or --to, or --all without them")
		}
		return r, err
	}
}

// chosen is the request by the nets and the delimiter under which keys are made.
func (o *options) chosen(c *policy.Call, r request) (choice, error) {
	chosen, err := choose(r, nets{*o.ipv4, *o.ipv6}, c.Delimiter)
	if err != nil {
		err = policy.Wrongf("--client: %v", err)
	}
	return chosen, err
}

func (o *options) show(ctx context.Context, c *policy.Call, r request) (policy.Part[Row], error) {
	chosen, err := o.chosen(c, r)
	if err != nil {
		return policy.Part[Row]{}, err
	}
	return chosen.show(ctx, c.Backends.State, r.Span)
}

func (o *options) pass(ctx context.Context, c *policy.Call, r request) (int, error) {
	chosen, err := o.chosen(c, r)
	if err != nil {
		return 0, err
	}
	n, err := chosen.pass(ctx, c.Backends.State, entry.By(c), *o.keep, *o.passes)
	c.Altered(r.what(), "", fmt.Sprintf("%d known", n))
	return n, err
}

func (o *options) flush(ctx context.Context, c *policy.Call, r request) (int, error) {
	chosen, err := o.chosen(c, r)
	if err != nil {
		return 0, err
	}
	n, err := chosen.flush(ctx, c.Backends.State)
	c.Altered(r.what(), fmt.Sprintf("%d known or waiting", n), "")
	return n, err
}

// counted prints how many rows it was about.
func counted(what string) func(io.Writer, int) error {
	return func(out io.Writer, n int) error {
		_, err := fmt.Fprintf(out, "%d %s\n", n, what)
		return err
	}
}
