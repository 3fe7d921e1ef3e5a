package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/pflag"

	checkauth "mailweir/checks/auth"
	"mailweir/checks/tempblock"
	"mailweir/internal/auth"
	"mailweir/internal/config"
	"mailweir/internal/logins"
	"mailweir/internal/passwords"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
)

// authReply is what clients read whose password is wrong, and what of that is said to Postfix. An
// error means that mailweir auth cannot be started.
func authReply(s *settings) (wrong *policy.Reply, reason string, err error) {
	if s.mode(checkauth.Check.Name) == policy.Off {
		return nil, "", errors.New(s.authOffBy() + ": no password would be looked at and nobody could log in; to log in without mailweir, name Dovecot's own socket in smtpd_sasl_path")
	}
	overrides, err := s.draft.Overrides()
	if err != nil {
		return nil, "", err
	}
	reason, err = checkauth.Reason(overrides)
	return cmp.Or(overrides[checkauth.Wrong.ID], checkauth.Wrong), reason, err
}

// authOffBy is the flag by which the check auth is off.
func (s *settings) authOffBy() string {
	for _, flag := range []string{checkauth.Check.Name, "mode"} {
		if f := s.flags.Lookup(flag); f.Value.String() == policy.Off.String() {
			return "--" + flag + "=off"
		}
	}
	return "--default-mode=off"
}

// checkAuth finds what mailweir auth would not start with, in a configuration that is for it. The
// milter starts with all of that, so that in another it is a remark at most. So is a password file
// that somebody else than the service's user cannot read.
func checkAuth(s *settings) (remarks []string, err error) {
	a := s.daemon.auth
	if mode := s.mode(tempblock.Check.Name); *a.milter != "" && mode != policy.Enforce && !s.onlyAuth() {
		remarks = append(remarks, fmt.Sprintf("--auth-milter: the mode of tempblock is %s: guessers are not blocked; --tempblock=enforce blocks them", mode))
	}
	_, _, err = authReply(s)
	if !a.serves() {
		if err != nil && s.mode(checkauth.Check.Name) != policy.Off {
			remarks = append(remarks, fmt.Sprintf("mailweir auth does not start with this: %v", err))
		}
		return remarks, nil
	}
	if err == nil && *a.passwords != "" {
		if _, err = passwords.Open(*a.passwords, nil); err != nil {
			err = fmt.Errorf("--auth-passwords: %w", err)
		}
	}
	if errors.Is(err, fs.ErrPermission) {
		return append(remarks, err.Error()), nil
	}
	return remarks, err
}

// onlyAuth reports whether a configuration is for mailweir auth and says nothing to the milter, so
// that what the milter would do with it is of no interest.
func (s *settings) onlyAuth() bool {
	only := s.daemon.auth.serves()
	s.flags.VisitAll(func(f *pflag.Flag) {
		ours := f.Name == config.FileFlag || f.Name == config.DirFlag || f.Name == "replies" || strings.HasPrefix(f.Name, "auth") || strings.HasPrefix(f.Name, "log")
		only = only && (ours || !f.Changed)
	})
	return only
}

// inspectAuth asks once those whom logins depend on, as mailweir auth would.
func inspectAuth(ctx context.Context, s *settings) (found []runner.Inspected) {
	a := s.daemon.auth
	if !a.serves() {
		return nil // the milter is asked itself
	}
	d := &authDaemon{flags: a}
	if network, address, err := a.upstreamAddress(); *a.upstream != "" && err == nil {
		d.upstream = auth.NewUpstream(auth.UpstreamOptions{Name: *a.upstream, Dial: dialer(network, address)})
		defer d.upstream.Close()
	}
	if *a.milter != "" {
		d.milter = logins.NewClient(strings.TrimPrefix(*a.milter, "unix:"), nil)
		defer d.milter.Close()
	}
	return d.inspect(ctx)
}
