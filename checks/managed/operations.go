package managed

import (
	"context"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/byhand"
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
			Help:  "The recipient must be in one of our domains (--local-domains). --user=* permits for everybody, as mailweir permit add does.",
			Example: `  mailweir managed add --user=bob@example.org --block=spammer@example.net
  mailweir managed add --user=bob@example.org --permit=example.com --for=30d`,
		}, newEntry, add, entry.ShowNotes),
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

func add(ctx context.Context, c *policy.Call, r request) (done entry.Done, err error) {
	switch {
	case r.Recipient == policy.Everybody && !r.Permit:
		return done, policy.Wrongf("--user=* is for permits: to block a sender for all, use mailweir block add")
	case r.Recipient == policy.Everybody:
		return done, byhand.PermitSender(ctx, c, r.Subject)
	}
	if err := known(ctx, c, r, &done); err != nil {
		return done, err
	}
	_, err = entry.Enter(ctx, c, r, verb(r.Permit), func() error {
		return enter(ctx, c.Backends.State, r.Recipient, r.Subject, r.Permit, c.For, entry.By(c))
	})
	return done, err
}

// seenWithin is how far back it is looked whether a recipient has ever had mail.
const seenWithin = 30 * 24 * time.Hour

// known refuses a recipient of another domain, and notes one who has never had mail here: most
// likely a slip.
func known(ctx context.Context, c *policy.Call, r request, done *entry.Done) error {
	if err := r.Validate(); err != nil {
		return err
	}
	to := address.Parse(r.Recipient)
	if c.Known.Local != nil {
		local, ok, err := c.Known.Local(ctx, to.Domain)
		switch {
		case err != nil:
			done.Note("whether " + to.Domain + " is one of our domains is not known: " + err.Error())
		case ok && !local:
			return policy.Wrongf("--user: %s is not one of our domains (--local-domains), so nobody there has entries here", to.Domain)
		}
	}
	if c.Known.Mail != nil {
		n, err := c.Known.Mail(ctx, policy.MailCase{Within: seenWithin, Recipient: to.Base(c.Delimiter).Key()})
		if err == nil && n.Messages == 0 {
			done.Note("no mail to " + to.Key() + " is in the record; is the address right?")
		}
	}
	return nil
}

func remove(ctx context.Context, c *policy.Call, r request) (policy.Nothing, error) {
	absent := policy.Wrongf("nothing to delete: %s has no entry %q here; see mailweir managed list, and --managed-list", r.Recipient, r.Subject)
	if r.Recipient == policy.Everybody {
		return policy.Nothing{}, byhand.UnpermitSender(ctx, c, r.Subject, absent)
	}
	return entry.Remove(ctx, c, r, absent, func() (bool, error) { return takeAway(ctx, c.Backends.State, r.Recipient, r.Subject) })
}

// list has the permits for everybody with the entries of all.
func list(ctx context.Context, c *policy.Call, r request) (list []Entry, err error) {
	if r.Recipient != policy.Everybody {
		list, err = entriesOf(ctx, c.Backends.State, r.Recipient, c.Delimiter)
	}
	if r.Recipient != "" && r.Recipient != policy.Everybody || err != nil {
		return list, err
	}
	permits, err := byhand.Entries(ctx, c.Backends.State, byhand.Permit)
	for _, e := range permits {
		if e.Subject.Sender != "" {
			list = append(list, Entry{Recipient: policy.Everybody, Subject: e.Subject.Sender, Permit: true, Origin: e.Origin, Until: e.Until})
		}
	}
	return list, err
}

func listing(list []Entry) policy.Listing {
	l := policy.Listing{Titles: []string{"RECIPIENT", "ENTRY", "SENDER", "UNTIL", "SINCE", "BY", "NOTE"}}
	for _, e := range list {
		l.Row(e.Recipient, verb(e.Permit), e.Subject, entry.Ends(e.Until), terminal.Time(e.At), e.By, e.Note).
			Use("Take back", "managed", "rm", "--user="+e.Recipient, "--entry="+e.Subject)
	}
	return l
}
