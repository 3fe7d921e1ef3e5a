// Package requiretls refuses mail in clear, or with weak encryption, on the routes that
// --require-tls-routes names. It asks that table and the facts of the connection, and remembers
// nothing.
package requiretls

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Check refuses mail in clear, or with weak encryption, on routes that ask for it.
var Check = &policy.Check{
	Name:  "require-tls",
	Title: "mail without the encryption that its route requires",
	Help: `Looks client, envelope sender and recipient up in the tables of ` + "`--require-tls-routes`" + `. The right-hand side says what
the connection must have, several conditions separated by blanks: ` + "`tls`" + `, ` + "`tls>=1.2`" + `, ` + "`bits>=128`" + `, ` + "`cert=NAME`" + ` (the common
name of a verified client certificate); ` + "`none`" + ` exempts. Mail over loopback and local submission is not concerned. Refusing to
deliver without TLS is the MTA's part.`,
	Mode:    policy.Enforce,
	Proof:   policy.AfterAWeek("partners that cannot encrypt show in a week of mail"),
	OnError: policy.Delay,
	Replies: []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		specs := f.Tables("routes", "clients, senders and recipients, and what their connections must have",
			table.Use{Asked: table.Clients | table.Addresses, Values: table.Values{Name: "TLS conditions", Check: validTLS}})
		return func(env *policy.Env) (policy.Hooks, error) {
			routes, err := specs.Open(env)
			if err != nil || routes == nil {
				return policy.Hooks{Off: "no --require-tls-routes"}, err
			}
			return policy.Hooks{
				Mail: func(m *policy.Message) (policy.Verdict, error) {
					c := m.Conn
					if c.Local || c.Client.IsLoopback() {
						return policy.Pass, nil
					}
					return policy.Asks(routes).Later(func(ctx context.Context) (policy.Verdict, error) {
						client, err := c.LookUp(ctx, routes)
						if v, err := secured(m.Helo.TLS, client, err); v.Objects() || err != nil {
							return v, err
						}
						sender, err := routes.Address(ctx, m.Sender)
						return secured(m.Helo.TLS, sender, err)
					}), nil
				},
				Rcpt: func(r *policy.Recipient) (policy.Verdict, error) {
					c := r.Conn()
					if c.Local || c.Client.IsLoopback() {
						return policy.Pass, nil
					}
					return policy.Asks(routes).Later(func(ctx context.Context) (policy.Verdict, error) {
						recipient, err := routes.Address(ctx, r.Address)
						return secured(r.Msg.Helo.TLS, recipient, err)
					}), nil
				},
			}, nil
		}
	},
}

// need is what a connection must have.
type need struct {
	none    bool
	version int // minor version of TLS 1, plus one
	bits    int
	cert    string
}

func validTLS(value string) error {
	_, err := parseTLS(value)
	return err
}

func parseTLS(value string) (need, error) {
	var need need
	for _, word := range strings.Fields(value) {
		var err error
		switch {
		case word == "none":
			need.none = true
		case word == "tls":
		case strings.HasPrefix(word, "tls>="):
			if need.version = tlsVersion("TLSv" + word[len("tls>="):]); need.version == 0 {
				err = strconv.ErrSyntax
			}
		case strings.HasPrefix(word, "bits>="):
			need.bits, err = strconv.Atoi(word[len("bits>="):])
		case strings.HasPrefix(word, "cert=") && len(word) > len("cert="):
			need.cert = word[len("cert="):]
		default:
			err = strconv.ErrSyntax
		}
		if err != nil {
			return need, fmt.Errorf("%q is none of tls, tls>=1.2, bits>=128, cert=NAME, none", word)
		}
	}
	return need, nil
}

// secured holds the connection against an entry.
func secured(t policy.TLS, match table.Match, err error) (policy.Verdict, error) {
	if err != nil || !match.Found() {
		return policy.Pass, err
	}
	need, err := parseTLS(match.Value)
	if err != nil { // only a value with $1 can get here
		return policy.Pass, fmt.Errorf("%s: %w", match.Where(), err)
	}
	lack := need.lacks(t)
	if need.none || lack == "" {
		return policy.Pass, nil
	}
	return policy.Object(reply).Because("%s; %s requires %s", lack, match.Where(), strconv.QuoteToASCII(match.Value)), nil
}

// lacks says what the connection does not have, "" when it has all.
func (n need) lacks(t policy.TLS) string {
	switch {
	case t.Version == "":
		return "no TLS"
	case tlsVersion(t.Version) < n.version:
		return "only " + t.Version
	case t.Bits < n.bits:
		return fmt.Sprintf("only %d bits", t.Bits)
	case n.cert != "" && !strings.EqualFold(commonName(t.CertSubject), n.cert):
		return "no certificate of that name"
	}
	return ""
}

// tlsVersion orders the versions of TLS from 1 on; what is none of them, such as SSLv3, is 0.
func tlsVersion(s string) int {
	if s == "TLSv1.0" {
		s = "TLSv1"
	}
	return 1 + slices.Index([]string{"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"}, s)
}

// commonName is the CN of a certificate's subject: Postfix gives it alone, Sendmail the whole name,
// /C=XX/CN=name.
func commonName(subject string) string {
	for _, part := range strings.Split(subject, "/") {
		if name, ok := strings.CutPrefix(part, "CN="); ok {
			return name
		}
	}
	return subject
}

var reply = &policy.Reply{
	ID: "require-tls", Row: "P16", Code: 553, Enhanced: "5.7.1", Text: "This route requires encryption (TLS)",
	Description: "The administrator requires encryption for this client, sender or recipient, and the connection has none, or too weak a one.",
	Resolution:  "The sender turns STARTTLS on, with a current version, and looks for a proxy in between that takes it out. The administrator reviews --require-tls-routes.",
	Advice:      "Please have your mail server use TLS for mail to us.",
	Lifts: []policy.Lift{
		{Table: "require-tls-routes", Entry: "{client} none", Says: "Requires nothing of {client}, whatever sender and recipient require is still required; review the route at {place}."},
	},
}
