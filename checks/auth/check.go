// Package auth declares what clients read whose login fails. Whether a password is right, mailweir
// auth finds out, a process of its own; the milter remembers which logins have succeeded from
// where.
package auth

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"

	"mailweir/internal/history"
	"mailweir/internal/policy"
)

// Check is about logins.
var Check = &policy.Check{
	Name:  "auth",
	Title: "logins whose password is wrong",
	Help: `No MTA shows a milter a password. ` + "`mailweir auth`" + ` is a service for Postfix (` + "`smtpd_sasl_type = dovecot`" + `) and a process of its own: before a
Dovecot (` + "`--auth-upstream`" + `), or with a password file (` + "`--auth-passwords`" + `).

Modes never concern the password: a wrong one is refused under every ` + "`--mode` and `--auth`" + `. Only what comes before is a matter of them: a
client on the temporary block list (check tempblock) reads 454 before its password is looked at, unless tempblock or auth only
monitors. With ` + "`--auth=off`" + ` ` + "`mailweir auth`" + ` does not start.

The two processes talk over ` + "`--auth-milter`" + `. With the milter down logins work, and failures are not counted.`,
	Mode:    policy.Enforce,
	Proof:   policy.FirstDay("a client that is not blocked logs in as before"),
	Replies: []*policy.Reply{Wrong, Unavailable},
	Setup: func(*policy.Flags) policy.Build {
		return func(env *policy.Env) (policy.Hooks, error) {
			return policy.Hooks{SettleLogin: func(ctx context.Context, l *policy.Login, o policy.LoginOutcome) {
				if o.Succeeded && l.Name != "" && l.Client.IsValid() {
					_, _ = env.State.Do(ctx, history.KnownLogin(l.Name, l.Client)) // without the state nothing is remembered
				}
			}}, nil
		}
	},
}

// Wrong is what a client reads whose password is wrong. Postfix writes all of it but the reason.
var Wrong = &policy.Reply{
	ID: "auth", Row: "P2", Code: 535, Enhanced: "5.7.8", Text: refused + "Incorrect authentication data",
	Offence:     policy.OffenceAuthFail,
	Description: "The login does not exist, or the password is wrong. Which of the two, the client is not told; the event has the cause where it is known.",
	Resolution:  "The user enters login and password in the mail program again. The administrator sets a new password where it is forgotten.",
	Advice:      "Please enter login and password in your mail program again.",
	Lifts: []policy.Lift{
		{Says: "Nothing but the right password: the administrator sets a new one where it is forgotten."},
	},
}

// refused is what Postfix writes before the reason.
const refused = "Error: authentication failed: "

// Unavailable is what a client reads whose password cannot be looked at. Postfix writes all of it,
// and nobody can change it.
var Unavailable = &policy.Reply{
	ID: "auth-unavailable", Row: "P2", Code: 454, Enhanced: "4.7.0", Text: "Temporary authentication failure: Connection lost to authentication server",
	Description: "The password was not looked at: the client is on the temporary block list, Dovecot does not answer, or too many guesses are under way. The event says which.",
	Resolution:  "Trying again later helps. The administrator looks after Dovecot, or takes a client off the temporary block list with mailweir tempblock rm.",
	Advice:      "Please try again in some minutes.",
	Lifts: []policy.Lift{
		{Operation: "tempblock/rm", Words: []string{"{client}"}, Cause: regexp.MustCompile(`block list`), Says: "Takes {client} off the temporary block list, and forgets what was counted against it."},
		{Says: "Nothing but trying again: the password was not looked at."},
	},
}

// Reason is what the service says of a wrong password, under what --replies overrides, by id. The
// rest of the line is Postfix's, so that nothing else of it can be overridden.
func Reason(overrides map[string]*policy.Reply) (string, error) {
	if overrides[Unavailable.ID] != nil {
		return "", fmt.Errorf("--replies: %s cannot be overridden: Postfix writes all of it", Unavailable.ID)
	}
	r := cmp.Or(overrides[Wrong.ID], Wrong)
	reason, ok := strings.CutPrefix(r.Text, refused)
	if !ok || strings.TrimSpace(reason) == "" || r.Code != Wrong.Code || r.Enhanced != Wrong.Enhanced {
		return "", fmt.Errorf("--replies: %s must begin with %q and say why: Postfix writes that part", r.ID, fmt.Sprintf("%d %s %s", Wrong.Code, Wrong.Enhanced, refused))
	}
	return reason, nil
}
