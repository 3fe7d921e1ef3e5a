package managed

import (
	"context"
	"strings"

	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/terminal"
)

// operations are what people can do with recipients' entries.
func operations(f *policy.Flags) {
	helpers := []policy.Role{policy.RoleHelpdesk, policy.RoleUser}
	concerns := policy.Concerning(func(r request) []string { return []string{r.Recipient} })
	f.Operations("Change what recipients block and permit",
		policy.NewOperation(policy.About{
			Name: "add", Effect: policy.Enters, Undo: taken, May: helpers, Concerns: concerns,
			Title: "Let a recipient block or permit a sender or a domain",
			Example: `  mailweir managed add --user=bob@example.org --block=spammer@example.net
  mailweir managed add --user=bob@example.org --permit=example.com --for=30d`,
		}, newEntry, add, nil),
		policy.NewOperation(policy.About{
			Name: "rm", Effect: policy.Changes, May: helpers, Concerns: concerns,
			Title: "Take an entry of a recipient back",
		}, oneEntry, remove, nil),
		policy.NewList(policy.About{
			Name: "list",
			May:  append(helpers, policy.RoleAuditor), Concerns: concerns,
			Title: "List the run-time entries of a recipient, or of all",
		}, oneRecipient, list, listing),
	)
}

// taken takes the entry of such words back.
func taken(words []string) []string {
	undo := []string{"rm"}
	for _, word := range words {
		undo = append(undo, strings.NewReplacer("--block=", "--entry=", "--permit=", "--entry=").Replace(word))
	}
	return undo
}

// request is about the entries of one recipient.
type request struct {
	Recipient string `json:"recipient"`
	Subject   string `json:"subject,omitempty"` // an address or a domain
	Permit    bool   `json:"permit,omitempty"`
}

func newEntry(f *policy.Flags) func([]string) (request, error) {
	user := f.String("user", "", "ADDRESS", "whose entry it is, * to permit for all")
	block := f.String("block", "", "ADDRESS|DOMAIN", "sender to block")
	permit := f.String("permit", "", "ADDRESS|DOMAIN", "sender to permit")
	return func(args []string) (request, error) {
		if (*block == "") == (*permit == "") {
			return request{}, policy.Wrongf("give one of --block and --permit")
		}
		return request{Recipient: *user, Subject: *block + *permit, Permit: *permit != ""}, policy.NoArguments(args)
	}
}

func oneEntry(f *policy.Flags) func([]string) (request, error) {
	user := f.String("user", "", "ADDRESS", "whose entry it is, * for one for all")
	subject := f.String("entry", "", "ADDRESS|DOMAIN", "sender that it is about")
	return func(args []string) (request, error) {
		if *user == "" || *subject == "" {
			return request{}, policy.Wrongf("give --user and --entry; mailweir managed list has them")
		}
		return request{Recipient: *user, Subject: *subject}, policy.NoArguments(args)
	}
}

func oneRecipient(f *policy.Flags) func([]string) (request, error) {
	user := f.String("user", "", "ADDRESS", "for whom entries are to count (default everybody's)")
	return func(args []string) (request, error) { return request{Recipient: *user}, policy.NoArguments(args) }
}

// Validate reports an entry that there cannot be.
func (r request) Validate() error {
	if err := validate(r.Recipient, r.Subject); err != nil {
		return policy.Wrongf("%v", err)
	}
	return nil
}

// String names the entry for the audit.
func (r request) String() string { return r.Recipient + " " + r.Subject }

// Before tells the audit what the entry says now.
func (r request) Before(ctx context.Context, c *policy.Call) (string, error) {
	key, err := validKey(r.Recipient, r.Subject)
	if err != nil {
		return "", err
	}
	value, found, err := c.Backends.State.Get(ctx, key)
	if err != nil || !found {
		return "", err
	}
	row, _ := readRow(value) // what another hand has written is there all the same
	return verb(row.Permit) + " " + row.Origin.String(), nil
}

func verb(permit bool) string {
	if permit {
		return "permit"
	}
	return "block"
}

func add(ctx context.Context, c *policy.Call, r request) (policy.Nothing, error) {
	if r.Recipient == policy.Everybody && !r.Permit {
		return policy.Nothing{}, policy.Wrongf("--user=* is for permits: to block a sender for all, write it into --sender-block-list")
	}
	return entry.Enter(ctx, c, r, verb(r.Permit), func() error {
		return enter(ctx, c.Backends.State, r.Recipient, r.Subject, r.Permit, c.For, entry.By(c))
	})
}

func remove(ctx context.Context, c *policy.Call, r request) (policy.Nothing, error) {
	absent := policy.Wrongf("nothing to delete: %s has no entry %q here; see mailweir managed list, and --managed-list", r.Recipient, r.Subject)
	return entry.Remove(ctx, c, r, absent, func() (bool, error) { return takeAway(ctx, c.Backends.State, r.Recipient, r.Subject) })
}

func list(ctx context.Context, c *policy.Call, r request) ([]Entry, error) {
	return entriesOf(ctx, c.Backends.State, r.Recipient, c.Delimiter)
}

func listing(list []Entry) policy.Listing {
	l := policy.Listing{Titles: []string{"RECIPIENT", "ENTRY", "SENDER", "UNTIL", "SINCE", "BY", "NOTE"}}
	for _, e := range list {
		l.Row(e.Recipient, verb(e.Permit), e.Subject, entry.Ends(e.Until), terminal.Time(e.At), e.By, e.Note).
			Use("Take back", "managed", "rm", "--user="+e.Recipient, "--entry="+e.Subject)
	}
	return l
}
