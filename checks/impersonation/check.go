// Package impersonation refuses mail that is shown under the name of one of our people and comes
// from an address that is not theirs. It asks --header-from-names and --local-domains, and
// remembers nothing. fold.go has how names are compared, people.go the table, display.go what is
// taken for a name.
package impersonation

import (
	"context"
	"errors"
	"iter"
	"regexp"
	"slices"
	"strconv"

	"mailweir/internal/address"
	"mailweir/internal/blocklist"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Check refuses mail under the name of one of our people from an address that is not theirs.
var Check = &policy.Check{
	Name:  "impersonation",
	Title: "names of our people over addresses that are not theirs",
	Help: `A reader looks at the name, and any free mailer vouches for ` + "`Jane Doe <ceo.office77@…>`" + `. ` + "`--header-from-names`" + ` lists the people
in whose name others like to write, with the addresses and domains outside that they use themselves:

    "jane doe"     jane@freemail.example, partner.example
    "john q. doe"  OK
    "*"            docusign.net

Their names may stand in header From over an address in ` + "`--local-domains`" + `, over one of the entry's own, and of the entry ` + "`*`" + `, which is for
services that write in everybody's name; over no other, whatever SPF and DKIM say. A domain has its sub-domains. ` + "`OK`" + ` is a person without an
address outside. The table is of type texthash, list or inline; a name in one word is an error, as too many people have it.

Case, accents, spaces, punctuation, titles, initials, and the order of the words do not matter, nor do letters of another script or width that look
alike. A name is found as the whole display name, or as a part of it between brackets, commas, dashes, strokes, or before ` + "`via`" + `; all From
fields count.

A name is left alone that says itself whose the address is: with the name of the address's own organisation beside it, such as ` + "`Jane Doe via DocuSign`" +
		` at docusign.net or ` + "`Jane Doe (Acme)`" + ` at acme.example, or ` + "`Jane Doe via LIST`" + ` at the address LIST@… of a mailing list (with List-Id or List-Post).
Free mailers, and names that resemble a recipient's domain, are no organisation. ` + "`--impersonation-via=off`" + ` leaves none alone.

Only mail of untrusted clients is looked at. An address that is hidden in a display name is the business of ` + "`--header-from-display`" + `.`,
	Mode:    policy.Monitor,
	Proof:   policy.AfterAWeek("people write under your names from private addresses, too: those belong in the table first"),
	OnError: policy.Delay,
	Exempt:  policy.ExemptTrusted,
	Replies: []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		specs := f.Named("header-from").Tables("names", "our people, with the addresses and domains outside that may use their names",
			table.Use{Asked: table.OwnKeys, Noun: "names", Values: table.Values{Name: "addresses of people", Check: validAddresses}, Bare: "OK"})
		via := f.Bool("via", true, "leave names alone beside which the address's own organisation or mailing list is named")
		return func(env *policy.Env) (policy.Hooks, error) {
			list, err := specs.Open(env)
			switch {
			case err != nil:
				return policy.Hooks{}, err
			case list == nil:
				return policy.Hooks{Off: "no --header-from-names"}, nil
			case env.Settings.LocalDomains == nil:
				return policy.Hooks{Off: "no --local-domains"}, nil
			}
			people, err := readPeople(list)
			if err != nil {
				return policy.Hooks{}, table.Of("header-from-names", err)
			}
			rule := &rule{people: people, settings: env.Settings, via: *via}
			return policy.Hooks{Headers: rule.headers}, nil
		}
	},
}

type rule struct {
	people   *people
	settings *policy.Settings
	via      bool
}

func (r *rule) headers(m *policy.Message) (policy.Verdict, error) {
	from, local := m.HeaderFrom(), r.settings.LocalDomains
	authors, unknown := blocklist.Authors(m, false, local)
	if from.Long() { // finding the names may take time, too
		with := surroundingsOf(m)
		return policy.Asks(local).Later(func(ctx context.Context) (policy.Verdict, error) {
			ctx, end := blocklist.InTime(ctx, m, local)
			defer end()
			claims, err := r.people.claims(ctx, from.Names())
			if v, err := r.judge(ctx, claims, authors, with); v.Objects() || err != nil {
				return v, err
			}
			return policy.Pass, errors.Join(err, unknown)
		}), nil
	}
	claims, err := r.people.claims(context.Background(), from.Names())
	if unknown = errors.Join(err, unknown); len(claims) == 0 {
		return policy.Pass, unknown
	}
	with := surroundingsOf(m)
	return policy.Asks(local).Later(func(ctx context.Context) (policy.Verdict, error) {
		if v, err := r.judge(ctx, claims, authors, with); v.Objects() || err != nil {
			return v, err
		}
		return policy.Pass, unknown
	}), nil
}

// judge objects to the first author who is neither ours nor may use a name that is claimed.
func (r *rule) judge(ctx context.Context, claims []claim, authors iter.Seq[address.Address], with surroundings) (policy.Verdict, error) {
	if len(claims) == 0 {
		return policy.Pass, nil
	}
	named := false
	for a := range authors {
		if ctx.Err() != nil {
			return policy.Pass, context.Cause(ctx)
		}
		if a.Domain == "" {
			continue
		}
		named = true
		ours, err := r.settings.Local(ctx, a.Domain)
		if err != nil {
			return policy.Pass, err
		}
		if v := r.judgeOne(claims, a, with); v.Objects() && !ours {
			return v, nil
		}
	}
	if !named {
		return claims[0].objection(claims[0].people[0], address.Address{}), nil
	}
	return policy.Pass, nil
}

// judgeOne judges an address outside under the names that a message claims.
func (r *rule) judgeOne(claims []claim, a address.Address, with surroundings) policy.Verdict {
	if r.people.all.uses(a, r.settings.Delimiter) {
		return policy.Pass
	}
	for _, c := range claims {
		if who := c.refutedBy(a, r.settings.Delimiter); who != nil && !(r.via && c.disclosed(a, with)) {
			return c.objection(who, a)
		}
	}
	return policy.Pass
}

// surroundings are what else of a message matters.
type surroundings struct {
	list bool     // it comes from a mailing list, or says so
	ours []string // organisations of recipients, once each
}

func surroundingsOf(m *policy.Message) (s surroundings) {
	s.list = len(m.Values("List-Id")) > 0 || len(m.Values("List-Post")) > 0
	var last string
	for to := range m.Recipients() {
		if to.Address.Domain == last || to.Address.Domain == "" {
			continue
		}
		last = to.Address.Domain
		if our := organisation(last); our != "" && !slices.Contains(s.ours, our) {
			s.ours = append(s.ours, our)
		}
	}
	return s
}

// refutedBy returns an entry of the claimed name, unless the address may use it.
func (c claim) refutedBy(a address.Address, delimiters string) *person {
	for _, p := range c.people {
		if p.uses(a, delimiters) {
			return nil
		}
	}
	return c.people[0]
}

func (c claim) objection(who *person, a address.Address) policy.Verdict {
	under := "no address"
	if !a.IsNull() {
		under = strconv.QuoteToASCII(a.Key())
	}
	return policy.Object(reply).Because("%s in header From is %s of %s, and stands over %s", strconv.QuoteToASCII(shorten(c.shown)), who.key(), who.place, under)
}

// longestShown bounds the characters of a name in a cause.
const longestShown = 100

func shorten(s string) string {
	if r := []rune(s); len(r) > longestShown {
		return string(r[:longestShown]) + "…"
	}
	return s
}

var reply = &policy.Reply{
	ID: "impersonation", Row: "P7", Offence: policy.OffenceBlocked, Code: 550, Enhanced: "5.7.1", Text: "Sender name not permitted for this address",
	Description: "The message is shown under the name of one of our people, and its address in header From is neither ours nor one that the entry of that name has. Whether SPF or DKIM vouches for the address does not matter.",
	Resolution:  "The administrator adds the address or its domain to the entry, if it is that person's own or a service that writes in his name (key \"*\" for all names). A namesake sends with more than the bare name.",
	Advice:      "Please send from your address with us, or have our postmaster add this address to your name.",
	Lifts: []policy.Lift{
		{
			Says:  `Add {address} to the entry {name} at {place}, or its domain to the entry "*" if that writes in the name of others, then mailweir reload.`,
			Cause: regexp.MustCompile(` is (?P<name>\S+) of .*, and stands over "(?P<address>[^"\\,\s]+@[^"\\,\s]+)"$`),
		},
		{Says: "Add the address to the entry that the cause names, or a domain that writes in the name of others to the entry \"*\"."},
	},
}
