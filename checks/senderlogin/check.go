// Package senderlogin refuses envelope senders that the client's login does not own by
// --sender-login-map. It remembers nothing.
package senderlogin

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Check refuses envelope senders that the login does not own.
var Check = &policy.Check{
	Name:  "sender-login",
	Title: "senders that the login does not own",
	Page:  "submission",
	Help: `A client that has authenticated may use the envelope senders that ` + "`--sender-login-map`" + ` gives to its login. The
table has the form of smtpd_sender_login_maps: an address or domain, and the logins that own it, separated by commas or blanks.
A sender without an entry is owned by nobody. The null sender is everyone's.`,
	Mode:     policy.Enforce,
	Proof:    policy.AfterAWeek("users who send under other addresses of theirs show in a week of mail"),
	OnError:  policy.Delay,
	AnswerAt: policy.StageMail,
	Replies:  []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		specs := f.Tables("map", "which logins own which senders",
			table.Use{Asked: table.Addresses | table.AtDomains, Values: table.Values{Name: "logins", Check: validLogins}})
		return func(env *policy.Env) (policy.Hooks, error) {
			owners, err := specs.Open(env)
			if err != nil || owners == nil {
				return policy.Hooks{Off: "no --sender-login-map"}, err
			}
			return policy.Hooks{Mail: func(m *policy.Message) (policy.Verdict, error) {
				if m.Login == "" || m.Sender.IsNull() {
					return policy.Pass, nil
				}
				sender, login := m.Sender, m.Login
				return policy.Asks(owners).Later(func(ctx context.Context) (policy.Verdict, error) { return judge(ctx, owners, sender, login) }), nil
			}}, nil
		}
	},
}

// judge looks for the logins that own a sender.
func judge(ctx context.Context, owners *table.List, sender address.Address, login string) (policy.Verdict, error) {
	match, err := owners.Address(ctx, sender)
	if err == nil && !match.Found() {
		match, err = owners.Key(ctx, "@"+sender.Domain) // as Postfix writes the entry of a domain
	}
	switch {
	case err != nil:
		return policy.Pass, err
	case !match.Found():
		return policy.Object(reply).Because("%s has no entry in --sender-login-map", strconv.QuoteToASCII(sender.Key())), nil
	}
	for _, owner := range splitLogins(match.Value) {
		if strings.EqualFold(owner, login) {
			return policy.Pass, nil
		}
	}
	return policy.Object(reply).Because("%s gives %s to others than %s", match.Where(), strconv.QuoteToASCII(match.Key), strconv.QuoteToASCII(login)), nil
}

func splitLogins(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
}

func validLogins(value string) error {
	if len(splitLogins(value)) == 0 {
		return fmt.Errorf("no login stands on the right")
	}
	return nil
}

var reply = &policy.Reply{
	ID: "sender-login", Row: "P2b", Code: 553, Enhanced: "5.7.1", Text: "Sender address rejected: not owned by user",
	Description: "The user who logged in may not send under this envelope sender.",
	Resolution:  "The user sets the sender's address in the mail program to one of their own. The administrator gives the address to the login in --sender-login-map.",
	Advice:      "Please set your own address as sender in your mail program.",
	Lifts: []policy.Lift{
		{Table: "sender-login-map", Entry: "{sender} {login}", Says: "Lets {login} send as {sender}. Where {sender} has a line already, add the login to that one."},
	},
}
