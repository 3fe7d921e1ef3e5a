package dialog

import (
	"errors"
	"path/filepath"

	"mailweir/test/testbed"
)

// authSocket is where Postfix asks mailweir auth, below its queue directory.
const authSocket = "private/mw-auth"

// logins is how clients of the MTA log in: not at all, at a Dovecot, or at a mailweir auth before
// it.
func (s *Script) logins() testbed.MTAConfig {
	if includes(s.Needs, "auth") {
		return testbed.MTAConfig{Logins: true, Extra: "smtpd_sasl_path = " + authSocket + "\n"}
	}
	return testbed.MTAConfig{Logins: includes(s.Needs, "dovecot")}
}

// authMilter is the flag that both processes have.
func (r *run) authMilter() string { return "--auth-milter=unix:" + filepath.Join(r.dir, "logins") }

// startAuth starts mailweir auth with the flags of all "auth" sections, where the dialog needs it.
func (r *run) startAuth(tb testbed.TB) {
	tb.Helper()
	if !includes(r.script.Needs, "auth") {
		return
	}
	flags := []string{"--auth-upstream=unix:" + r.mta.Below("private/auth"), r.authMilter()}
	for _, s := range r.script.Sections {
		if s.Kind != "auth" {
			continue
		}
		for _, line := range s.lines() {
			flags = append(flags, r.vars.Replace(line.Text))
		}
	}
	r.auth = testbed.StartAuth(tb, r.binary, r.mta.Below(authSocket), flags...)
}

// expectAuth waits for a line of the log of mailweir auth.
func (r *run) expectAuth(s *Section) error {
	want, err := r.expected(s)
	if err != nil {
		return err
	}
	if r.auth == nil {
		return errors.New("no dialog has run before this section, or it needs no auth")
	}
	_, err = r.auth.WaitEntry(0, want)
	return err
}
