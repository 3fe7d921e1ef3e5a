package byhand

import (
	"context"
	"slices"
	"time"

	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/internal/terminal"
)

// most bounds a list: what is more belongs into a table.
const most = 50_000

// ListOperations are what people can do with one kind of list.
func ListOperations(kind Kind) policy.OperationGroup {
	o := listOperations{kind}
	title, add, help, example := "Block senders and clients for everybody, at run time", "Block addresses, domains and clients, at once and on every host that shares the state",
		`An address or a domain blocks the envelope sender (check sender-block), a domain with all below it. An address of a client or a net blocks the
client (check client-block). A block beats every permit but one about less: "permit add boss@spam.example" lets that one sender of a blocked
domain through, if something vouches for him. What many people write to, what is ours, and wide nets want --yes.`,
		`  mailweir block add spammer@spam.example --for=30d --note='asked three times'
  mailweir block add spam.example 192.0.2.0/24`
	if kind == Permit {
		title, add, help, example = "Permit senders and clients for everybody, at run time", "Permit addresses, domains and clients, at once and on every host that shares the state",
			`An address of a client or a net does what an entry of --permit-clients does. An address or a domain does what one of --permit-senders does, a
domain with all below it: it counts for mail for which SPF, an aligned DKIM signature or a permitted client vouches. greylist, rbl, reputation,
spam and what recipients have blocked give way to it; virus, content, recipient and limits do not.`,
			`  mailweir permit add partner.example --note='their server is on a DNS list'
  mailweir permit add 192.0.2.25 --for=7d`
	}
	return policy.OperationGroup{Name: string(kind), Title: title, Operations: []policy.Operation{
		policy.NewOperation(policy.About{
			Name: "add", Args: "ADDRESS|DOMAIN|NET…", Effect: policy.Enters, Undo: withoutYes, Title: add, Help: help, Example: example,
		}, o.newEntries, o.add, entry.ShowNotes),
		policy.NewOperation(policy.About{
			Name: "rm", Args: "ADDRESS|DOMAIN|NET…", Effect: policy.Changes, Undo: policy.UndoneBy("add"),
			Title: "Take entries back that were made by " + string(kind) + " add",
		}, o.oldEntries, o.remove, nil),
		policy.NewList(policy.About{
			Name: "list", Title: "List the entries, until when they last, by whom and why",
		}, policy.Unasked, o.list, o.listing),
	}}
}

// withoutYes takes back what such words have entered.
func withoutYes(words []string) []string {
	return append([]string{"rm"}, slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "--yes" || w == "--yes=on" })...)
}

type listOperations struct{ kind Kind }

// listRequest is about some subjects, as people write them.
type listRequest struct {
	Subjects []string `json:"subjects"`
	// Sure: it is meant, however wide it is.
	Sure bool `json:"sure,omitempty"`
}

func (o listOperations) newEntries(f *policy.Flags) func([]string) (listRequest, error) {
	sure := f.Bool("yes", false, "do it, however wide the entry is")
	return func(args []string) (listRequest, error) {
		r := listRequest{Subjects: args, Sure: *sure}
		_, err := r.parsed()
		return r, err
	}
}

func (o listOperations) oldEntries(*policy.Flags) func([]string) (listRequest, error) {
	return func(args []string) (listRequest, error) {
		r := listRequest{Subjects: args}
		_, err := r.parsed()
		return r, err
	}
}

func (r listRequest) parsed() (list []Subject, err error) {
	if len(r.Subjects) == 0 {
		return nil, policy.Wrongf("give addresses, domains or nets, such as bob@example.net, example.net, 192.0.2.1, 2001:db8::/32")
	}
	for _, word := range r.Subjects {
		s, err := ParseSubject(word)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list, nil
}

// add enters what is asked for, all or nothing as far as that can be known beforehand.
func (o listOperations) add(ctx context.Context, c *policy.Call, r listRequest) (done entry.Done, err error) {
	list, err := r.parsed()
	if err != nil {
		return done, err
	}
	if err := o.room(ctx, c, len(list)); err != nil {
		return done, err
	}
	if !r.Sure {
		if err := o.wide(ctx, c, list); err != nil {
			return done, err
		}
	}
	for _, s := range list {
		if err := enter(ctx, c, o.kind, s); err != nil {
			return done, err
		}
		done.Note(o.idle(c, s))
		done.Note(o.beaten(ctx, c, s))
	}
	if c.Known.Forgets {
		done.Note(forgets)
	}
	done.Notes = slices.Compact(done.Notes)
	return done, nil
}

// forgets is said where the state is in memory.
const forgets = "the state is in memory (--state=memory:): this ends with the daemon"

func (o listOperations) room(ctx context.Context, c *policy.Call, more int) error {
	entries, err := c.Backends.State.List(ctx, state.Prefix(string(o.kind)), "", most)
	if err != nil {
		return err
	}
	if len(entries)+more > most {
		return policy.Wrongf("there are %d entries already, and %d are the most: write longer lists into a file, for --sender-block-list, --client-block-list, --permit-senders or --permit-clients", len(entries), most)
	}
	return nil
}

func (o listOperations) wide(ctx context.Context, c *policy.Call, list []Subject) error {
	for _, s := range list {
		if why := width(ctx, c.Known, o.kind, s); why != "" {
			return policy.Wrongf("%s: %s; with --yes it is done all the same", s, why)
		}
	}
	return nil
}

// idle says that a block has no effect yet.
func (o listOperations) idle(c *policy.Call, s Subject) string {
	check := judging(c.Known.Checks, s)
	if o.kind != Block || check == "" || c.Known.Mode == nil {
		return ""
	}
	switch c.Known.Mode(check) {
	case policy.Off:
		return "check " + check + " is off, so this refuses nothing"
	case policy.Monitor:
		return "check " + check + " only monitors, so this refuses nothing yet: mailweir enforce " + check
	}
	return ""
}

// judging is the check that goes by blocks of such a subject: it offers them.
func judging(checks []*policy.Check, s Subject) string {
	word := "{client}"
	if s.Sender != "" {
		word = "{sender}"
	}
	for _, c := range checks {
		for _, l := range c.Measures {
			if l.Operation == string(Block)+"/add" && slices.Contains(l.Words, word) {
				return c.Name
			}
		}
	}
	return ""
}

// beaten says that the same subject is blocked, which beats its permit.
func (o listOperations) beaten(ctx context.Context, c *policy.Call, s Subject) string {
	if o.kind != Permit {
		return ""
	}
	if _, blocked, err := c.Backends.State.Get(ctx, Block.key(s)); err != nil || !blocked {
		return ""
	}
	return s.String() + " is blocked, too, and that counts: mailweir block rm " + s.String()
}

// done names what an entry of this kind has done, for people.
func (k Kind) done() string {
	if k == Permit {
		return "permitted"
	}
	return "blocked"
}

// entryOf is one entry as the subject of a change.
type entryOf struct {
	kind    Kind
	subject Subject
}

// Validate reports a subject that there cannot be.
func (e entryOf) Validate() error {
	if e.subject == (Subject{}) {
		return policy.Wrongf("give an address, a domain or a net")
	}
	return nil
}

// String names the subject for the audit.
func (e entryOf) String() string { return e.subject.String() }

// Before tells the audit what stands there now.
func (e entryOf) Before(ctx context.Context, c *policy.Call) (string, error) {
	value, found, err := c.Backends.State.Get(ctx, e.kind.key(e.subject))
	if err != nil || !found {
		return "", err
	}
	return e.kind.done() + " " + entry.Read(value).String(), nil
}

func enter(ctx context.Context, c *policy.Call, kind Kind, s Subject) error {
	_, err := entry.Enter(ctx, c, entryOf{kind, s}, kind.done(), func() error {
		_, err := c.Backends.State.Do(ctx, state.Put(kind.key(s), entry.By(c).Value(), c.For).Entered())
		return err
	})
	return err
}

func takeBack(ctx context.Context, c *policy.Call, kind Kind, s Subject, absent error) error {
	_, err := entry.Remove(ctx, c, entryOf{kind, s}, absent, func() (bool, error) {
		results, err := c.Backends.State.Do(ctx, state.Delete(kind.key(s)).Entered())
		if err != nil {
			return false, err
		}
		return results[0].Done, nil
	})
	return err
}

func (o listOperations) remove(ctx context.Context, c *policy.Call, r listRequest) (policy.Nothing, error) {
	list, err := r.parsed()
	if err != nil {
		return policy.Nothing{}, err
	}
	for _, s := range list {
		absent := policy.Wrongf("nothing to delete: %s is not %s here; see mailweir %s list, and the tables of the configuration", s, o.kind.done(), o.kind)
		if err := takeBack(ctx, c, o.kind, s, absent); err != nil {
			return policy.Nothing{}, err
		}
	}
	return policy.Nothing{}, nil
}

// listed is one row of a list.
type listed struct {
	Subject string `json:"subject"`
	entry.Origin
	Until time.Time `json:"until"`
}

// list yields the first 10,000 entries.
func (o listOperations) list(ctx context.Context, c *policy.Call, _ policy.Nothing) ([]listed, error) {
	entries, err := Entries(ctx, c.Backends.State, o.kind)
	list := make([]listed, 0, len(entries))
	for _, e := range entries {
		list = append(list, listed{e.Subject.String(), e.Origin, e.Until})
	}
	return list, err
}

// Entries are the first 10,000 of a kind, in the order of their keys.
func Entries(ctx context.Context, store state.Store, kind Kind) (list []Entry, err error) {
	found, err := store.List(ctx, state.Prefix(string(kind)), "", entry.MaxListed)
	for _, e := range found {
		if s, ok := subjectOfKey(e.Key); ok {
			list = append(list, Entry{s, entry.Read(e.Value), e.Until})
		}
	}
	return list, err
}

func (o listOperations) listing(list []listed) policy.Listing {
	l := policy.Listing{Titles: []string{"WHO", "UNTIL", "SINCE", "BY", "NOTE"}}
	for _, e := range list {
		l.Row(e.Subject, entry.Ends(e.Until), terminal.Time(e.At), e.By, e.Note).Use("Take back", string(o.kind), "rm", e.Subject)
	}
	return l
}

// PermitSender enters a permit of a sender for everybody, and UnpermitSender takes it back: what
// "managed --user=*" does, too.
func PermitSender(ctx context.Context, c *policy.Call, sender string) error {
	s, err := senderSubject(sender)
	if err != nil {
		return err
	}
	return enter(ctx, c, Permit, s)
}

// UnpermitSender takes a permit of a sender back; absent is the error where there is none.
func UnpermitSender(ctx context.Context, c *policy.Call, sender string, absent error) error {
	s, err := senderSubject(sender)
	if err != nil {
		return err
	}
	return takeBack(ctx, c, Permit, s, absent)
}

func senderSubject(text string) (Subject, error) {
	sender, err := NormalSender(text)
	return Subject{Sender: sender}, err
}

// PutPermit is the step that makes a permit of a sender, as [NormalSender] has it, with an end;
// zero is none.
func PutPermit(sender string, by entry.Origin, until time.Time) state.Step {
	return state.PutUntil(Permit.key(Subject{Sender: sender}), by.Value(), until).Entered()
}
