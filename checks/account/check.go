// Package account holds the mail of accounts that are switched off, outbound or inbound. It asks
// the tables of --account-list and the entries made by mailweir account, which stand in the state;
// a mirror of those keeps them in force while the state is unavailable.
package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/entry"
	"mailweir/internal/policy"
	"mailweir/internal/state"
	"mailweir/internal/table"
	"mailweir/internal/trace"
)

// Check holds the mail of accounts that are switched off.
var Check = &policy.Check{
	Name:  "account",
	Title: "accounts whose outbound or inbound mail is switched off",
	Page:  "accounts",
	Help: `Defers the mail of an account that the administrator has switched off. Outbound mail (a trusted sender, an external recipient) and, unless
` + "`--account-also-internal=off`" + ` or ` + "`account off --also-internal=off`" + ` says otherwise, internal mail (a trusted sender, a local recipient) belongs to the login, to its domain and to the domain of the envelope sender; inbound mail to the recipient's domain; ` + "`*`" + ` stands for
all accounts. A domain means itself and not its sub-domains. Mail under the null sender always passes: a bounce that waits helps nobody.

Entries come from ` + "`mailweir account off --outbound bob --for 1h --note 'stolen password'`" + `, which acts at once on every host that shares
the state, and from the tables of ` + "`--account-list`" + `: a login, domain or ` + "`*`" + `, then ` + "`outbound`" + `, ` + "`inbound`" + ` or ` + "`both`" + ` and a note, or ` + "`DUNNO`" + ` to
exempt an account from a wider entry of the tables. While the state is unavailable, what was known last stays in force.`,
	Mode:    policy.Enforce,
	Proof:   policy.FirstDay("it holds only the accounts that you have switched off"),
	OnError: policy.Accept,
	Exempt:  policy.ExemptAlwaysAccept,
	Replies: []*policy.Reply{replyOutbound, replyInbound},
	Measures: []policy.Lift{
		{Operation: "account/off", Words: []string{"--outbound={login}"}, Says: "Switches the outbound mail of the login {login} off."},
	},
	Setup: func(f *policy.Flags) policy.Build {
		operations(f)
		specs := f.Tables("list", "accounts that are switched off: outbound, inbound or both, and a note",
			table.Use{Asked: table.OwnKeys, Own: validName, Noun: "logins, domains, *", Values: table.Values{Name: "account switches", Check: validSwitch}})
		internal := f.Bool("also-internal", true, "whether outbound in --account-list covers internal mail, too")
		return func(env *policy.Env) (policy.Hooks, error) {
			list, err := specs.Open(env)
			if err != nil {
				return policy.Hooks{}, err
			}
			rule := &rule{list: list, alsoInternal: *internal, entered: env.Mirror(state.MirrorOptions{Space: space}), tables: policy.Asks(list), changes: policy.Asks(env.State, list)}
			return policy.Hooks{Rcpt: rule.judge}, nil
		}
	},
}

// The two sides of an account.
const (
	Outbound = "outbound"
	Inbound  = "inbound"
)

// everybody is the name that stands for all.
const everybody = "*"

func validSwitch(value string) error {
	side, _, _ := strings.Cut(value, " ")
	switch strings.ToLower(side) {
	case Outbound, Inbound, "both", "dunno":
		return nil
	}
	return fmt.Errorf("%q: want outbound, inbound, both or DUNNO, and then a note", value)
}

// validName refuses a key of --account-list that is the normal form of no login or domain.
func validName(key string) error {
	switch normal := normalName(key); {
	case strings.HasPrefix(key, "@"), strings.HasPrefix(key, "*."), strings.HasPrefix(key, "."):
		return fmt.Errorf("%s is never asked for: a domain means itself and not its sub-domains; write %s", strconv.QuoteToASCII(key), strconv.QuoteToASCII(strings.TrimLeft(key, "@*.")))
	case normal != key:
		return fmt.Errorf("%s is never asked for; write %s", strconv.QuoteToASCII(key), strconv.QuoteToASCII(normal))
	}
	return nil
}

type rule struct {
	list *table.List
	// alsoInternal: an outbound entry of the list is about internal mail, too.
	alsoInternal bool

	entered *state.Mirror
	tables  policy.PlainQuestion
	changes policy.PlainQuestion
}

func (a *rule) judge(r *policy.Recipient) (policy.Verdict, error) {
	side, names := accountOf(r)
	if side == "" || r.Msg.Sender.IsNull() {
		return policy.Pass, nil
	}
	internal := r.Direction == policy.Internal
	if a.entered.Fresh() {
		return a.tables.Later(func(ctx context.Context) (policy.Verdict, error) { return a.verdict(ctx, side, internal, names) }), nil
	}
	return a.changes.Later(func(ctx context.Context) (policy.Verdict, error) {
		hurried, cancel := context.WithTimeout(ctx, enteredTimeout)
		defer cancel()
		if err := a.entered.Refresh(hurried); err != nil {
			trace.Add(ctx, "state "+space, err.Error()+"; the last known entries stay in force")
		}
		return a.verdict(ctx, side, internal, names)
	}), nil
}

// enteredTimeout is how long a check waits to hear of changed entries before it goes by those that
// it knows.
const enteredTimeout = 2 * time.Second

// accountOf tells which accounts a recipient's mail belongs to, the most specific first.
func accountOf(r *policy.Recipient) (side string, names []string) {
	switch r.Direction {
	case policy.Outbound, policy.Internal:
		login := address.Parse(r.Msg.Login)
		return Outbound, namesOf(login.Key(), login.Domain, r.Msg.Sender.Domain)
	case policy.Inbound:
		return Inbound, namesOf(r.Address.Domain)
	}
	return "", nil
}

func namesOf(names ...string) []string {
	known := names[:0]
	for _, name := range names {
		if name != "" {
			known = append(known, normalName(name))
		}
	}
	return append(known, everybody)
}

// normalName is the form in which a login, a domain or * is kept.
func normalName(name string) string {
	if strings.Contains(name, "@") {
		return address.Parse(name).Key()
	}
	return address.NormalDomain(address.Fold(name))
}

// verdict looks for the most specific switch; a run-time entry comes before the tables.
func (a *rule) verdict(ctx context.Context, side string, internal bool, names []string) (policy.Verdict, error) {
	reply := replyOutbound
	if side == Inbound {
		reply = replyInbound
	}
	for _, name := range names {
		off, ok, err := a.entered.Find(switchKey(side, name)) // what is known stays in force
		if errors.Is(err, trace.ErrNotRecorded) {
			return policy.Pass, err
		}
		if !ok {
			continue
		}
		if by := readSwitch(off.Value); !(internal && by.ExternalOnly) {
			return policy.Object(reply).Because("%s of %s is off %s, %s", side, strconv.QuoteToASCII(name), entry.Until(off.Until), by.Origin), nil
		}
	}
	if internal && !a.alsoInternal {
		return policy.Pass, nil
	}
	for _, name := range names {
		match, err := a.list.Key(ctx, name)
		if err != nil {
			return policy.Pass, err
		}
		if !match.Found() {
			continue
		}
		what, note, _ := strings.Cut(match.Value, " ")
		switch {
		case strings.EqualFold(what, "dunno"):
			return policy.Pass, nil
		case strings.EqualFold(what, side), strings.EqualFold(what, "both"):
			cause := fmt.Sprintf("%s matches %s", strconv.QuoteToASCII(match.Key), match.Where())
			if note != "" {
				cause += ": " + policy.Clean(note)
			}
			return policy.Object(reply).Because("%s", cause), nil
		}
	}
	return policy.Pass, nil
}

// space is the space of the state that holds the switches: account|outbound|bob@example.org.
const space = "account"

func switchKey(side, name string) string { return state.Key(space, side, name) }

// switchRow is what stands in the state under an account's key.
type switchRow struct {
	// ExternalOnly leaves internal mail alone.
	ExternalOnly bool `json:"external_only,omitempty"`
	entry.Origin
}

func readSwitch(value []byte) (row switchRow) {
	_ = json.Unmarshal(value, &row) // another hand's words change nothing about the switch
	return row
}

// Switch is one account that is switched off at run time.
type Switch struct {
	Side string `json:"side"`
	Name string `json:"name"`
	switchRow
	// Until is when it ends by itself; zero is never.
	Until time.Time `json:"until"`
}

// validate says what is wrong with a name that is to be switched off: inbound mail belongs to
// domains only.
func validate(side, name string) error {
	if side == Inbound && strings.Contains(name, "@") {
		return fmt.Errorf("%q is an address, and inbound mail is switched off for a domain or * only; to stop one sender's mail to one recipient, see mailweir managed", name)
	}
	return nil
}

// enter switches one side of an account off, for that time or, with 0, until it is switched on.
func enter(ctx context.Context, store state.Store, side, name string, life time.Duration, row switchRow) error {
	row.Origin = row.Clean()
	value, err := json.Marshal(row)
	if err == nil {
		_, err = store.Do(ctx, state.Put(switchKey(side, normalName(name)), value, life).Entered())
	}
	return err
}

// remove takes the switch away, and reports whether there was one.
func remove(ctx context.Context, store state.Store, side, name string) (bool, error) {
	results, err := store.Do(ctx, state.Delete(switchKey(side, normalName(name))).Entered())
	if err != nil {
		return false, err
	}
	return results[0].Done, nil
}

// switches lists the accounts that are switched off at run time, at most 10,000.
func switches(ctx context.Context, store state.Store) ([]Switch, error) {
	entries, err := store.List(ctx, state.Prefix(space), "", entry.MaxListed)
	if err != nil {
		return nil, err
	}
	var list []Switch
	for _, e := range entries {
		if _, parts := state.Parts(e.Key); len(parts) == 2 {
			list = append(list, Switch{Side: parts[0], Name: parts[1], switchRow: readSwitch(e.Value), Until: e.Until})
		}
	}
	return list, nil
}

var replyOutbound = &policy.Reply{
	ID: "account-outbound", Row: "T7", Code: 451, Enhanced: "4.3.2", Text: "Account outbounds disabled",
	Description: "The administrator has switched off the outbound mail of this login, of its domain, or of all accounts.",
	Resolution:  "The sender asks the administrator. He finds who switched it off, why and until when in the event, and ends it with mailweir account on, or in the list that the event names.",
	Advice:      "Your outbound mail is switched off at the moment; please ask your administrator.",
	Lifts: []policy.Lift{
		{Operation: "account/on", Words: []string{"--outbound={account}"}, Cause: regexp.MustCompile(`^outbound of "(?P<account>[^"\\]+)" is off`), Says: "Switches the outbound mail of {account} on again."},
		{Says: "An entry of --account-list at {place} has switched it off: take it out.", Cause: regexp.MustCompile(`" matches `)},
	},
}

var replyInbound = &policy.Reply{
	ID: "account-inbound", Row: "T8", Code: 451, Enhanced: "4.3.2", Text: "Account inbounds disabled",
	Description: "The administrator has switched off the inbound mail of the recipient's domain, or of all domains.",
	Resolution:  "Nothing for the sender: the mail is tried again. The administrator ends it with mailweir account on, or in the list that the event names.",
	Advice:      "Mail for this domain is not taken at the moment; your mail server tries again by itself.",
	Lifts: []policy.Lift{
		{Operation: "account/on", Words: []string{"--inbound={account}"}, Cause: regexp.MustCompile(`^inbound of "(?P<account>[^"\\]+)" is off`), Says: "Switches the inbound mail of {account} on again."},
		{Says: "An entry of --account-list at {place} has switched it off: take it out.", Cause: regexp.MustCompile(`" matches `)},
	},
}
