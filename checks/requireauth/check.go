// Package requireauth refuses submission without a login. It asks the facts of the connection and
// the tables of --require-auth-exempt, and remembers nothing.
package requireauth

import (
	"context"

	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Check refuses submission without a login.
var Check = &policy.Check{
	Name:  "require-auth",
	Title: "submission without a login",
	Page:  "submission",
	Help: `On the service ` + "`submission`" + ` (` + "`--services`" + `: ports 465 and 587) every client must have authenticated, trusted nets too.
` + "`--require-auth-exempt`" + ` lists clients that need not, such as printers. Re-injected mail and mail that is submitted on
the machine itself are not concerned.`,
	Mode:     policy.Enforce,
	Proof:    policy.FirstDay("it refuses only mail at the submission service without a login"),
	OnError:  policy.Delay,
	AnswerAt: policy.StageMail,
	Exempt:   policy.ExemptLogin,
	Replies:  []*policy.Reply{reply},
	Setup: func(f *policy.Flags) policy.Build {
		specs := f.Tables("exempt", "clients that may submit without a login", table.Use{Asked: table.Clients, Values: table.Any, Bare: "OK", Opens: true})
		return func(env *policy.Env) (policy.Hooks, error) {
			exempt, err := specs.Open(env)
			if err != nil {
				return policy.Hooks{}, err
			}
			return policy.Hooks{Mail: func(m *policy.Message) (policy.Verdict, error) {
				c := m.Conn
				if c.Service != policy.Submission || c.Local {
					return policy.Pass, nil
				}
				return policy.Asks(exempt).Later(func(ctx context.Context) (policy.Verdict, error) {
					if match, err := c.LookUp(ctx, exempt); err != nil || match.Member() {
						return policy.Pass, err
					}
					return policy.Object(reply), nil
				}), nil
			}}, nil
		}
	},
}

var reply = &policy.Reply{
	ID: "require-auth", Row: "P14", Code: 550, Enhanced: "5.7.0", Text: "Submitter failed to authenticate",
	Description: "The mail came to a submission port, and the client did not log in.",
	Resolution:  "The user gives user name and password in the mail program. A host that cannot is added to --require-auth-exempt.",
	Advice:      "Please switch authentication on for outgoing mail in your mail program.",
	Lifts: []policy.Lift{
		{Table: "require-auth-exempt", Entry: "{client} OK", Says: "Lets {client} submit mail without a login."},
	},
}
