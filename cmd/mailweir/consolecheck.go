package main

import (
	"context"
	"errors"
	"io/fs"

	"mailweir/internal/auth"
	"mailweir/internal/policy"
	"mailweir/internal/runner"
	"mailweir/milter"
)

// checkConsole finds what the console would not start with, and which files it reads. What somebody
// else than the service's user cannot read is a remark.
func checkConsole(s *settings, backends *policy.Backends) (remarks, files []string, err error) {
	if *s.daemon.console.listen == "" {
		return nil, nil, nil
	}
	c, err := openConsoleFiles(s.daemon.console, backends, quietLog())
	if errors.Is(err, fs.ErrPermission) {
		return []string{err.Error()}, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	files = c.tables.files()
	for _, name := range []string{*c.flags.users, *c.flags.certificate, *c.flags.privateKey} {
		if name != "" {
			files = append(files, name)
		}
	}
	if c.users != nil && c.users.Len() == 0 {
		remarks = append(remarks, "--console-users: the file has no logins yet: mailweir console passwd LOGIN --role=admin")
	}
	return remarks, files, c.close()
}

// inspectConsole asks once the Dovecot that knows passwords.
func inspectConsole(ctx context.Context, s *settings) []runner.Inspected {
	c := s.daemon.console
	if *c.listen == "" || *c.auth == "" {
		return nil
	}
	network, address, err := milter.ParseAddress(*c.auth)
	if err != nil {
		return nil // that has been said
	}
	u := auth.NewUpstream(auth.UpstreamOptions{Name: *c.auth, Dial: dialer(network, address)})
	defer u.Close()
	one := runner.Inspected{Name: "--console-auth", Err: u.Greet(ctx)}
	one.Text = "it is Dovecot's authentication service"
	return []runner.Inspected{one}
}
