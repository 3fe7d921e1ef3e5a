package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"

	checkauth "mailweir/checks/auth"
	"mailweir/internal/passwords"
	"mailweir/internal/policy"
)

// authReply is what clients read whose password is wrong, and what of that is said to Postfix. An
// error means that mailweir auth cannot be started.
func authReply(s *settings) (wrong *policy.Reply, reason string, err error) {
	if s.mode(checkauth.Check.Name) == policy.Off {
		return nil, "", errors.New("--auth=off: no password would be looked at and nobody could log in; to log in without mailweir, name Dovecot's own socket in smtpd_sasl_path")
	}
	overrides, err := s.draft.Overrides()
	if err != nil {
		return nil, "", err
	}
	reason, err = checkauth.Reason(overrides)
	return cmp.Or(overrides[checkauth.Wrong.ID], checkauth.Wrong), reason, err
}

// checkAuth finds what mailweir auth would not start with, in a configuration that is for it. The
// milter starts with all of that, so that in another it is a remark at most. So is a password file
// that somebody else than the service's user cannot read.
func checkAuth(s *settings) (remark string, err error) {
	a := s.daemon.auth
	_, _, err = authReply(s)
	if !a.serves() {
		if err != nil && s.mode(checkauth.Check.Name) != policy.Off {
			return fmt.Sprintf("mailweir auth does not start with this: %v", err), nil
		}
		return "", nil
	}
	if err == nil && *a.passwords != "" {
		if _, err = passwords.Open(*a.passwords, nil); err != nil {
			err = fmt.Errorf("--auth-passwords: %w", err)
		}
	}
	if errors.Is(err, fs.ErrPermission) {
		return err.Error(), nil
	}
	return "", err
}
