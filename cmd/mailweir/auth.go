package main

import (
	"context"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func newAuth() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "auth",
		Short: "Run the service that looks at passwords for Postfix",
		Long: `Answers Postfix about logins (smtpd_sasl_type = dovecot), as a process of its own: before a Dovecot (--auth-upstream), or
with a password file (--auth-passwords). It runs in the foreground until SIGTERM or SIGINT, and then finishes what is in
progress. A password file is read again when it has changed; flags take effect at the next start. See docs/checks/auth.md.`,
		Example: `  mailweir auth --auth-listen=unix:/var/spool/postfix/private/mailweir-auth --auth-upstream=unix:/run/dovecot/auth-client
  mailweir auth --auth-listen=inet:127.0.0.1:12345 --auth-passwords=/etc/mailweir-auth/passwd`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := hideMemory(); err != nil {
				return fail(exSoftware, "%v", err)
			}
			s, err := readSettings(cmd)
			if err != nil {
				return err
			}
			return serveAuth(cmd.Context(), s)
		},
	}
	addSettings(cmd)
	shows(cmd, findsConfig, flagNames(loginFlags())...)
	cmd.AddCommand(newAuthPasswd())
	return cmd
}

// serveAuth runs the service until a signal ends it.
func serveAuth(parent context.Context, s *settings) error {
	if parent == nil {
		parent = context.Background()
	}
	signals := make(chan os.Signal, 4)
	defer signal.Stop(signals)
	signal.Notify(signals, syscall.SIGHUP)
	sockets, err := takeSockets()
	if err != nil {
		return err
	}
	defer sockets.close()
	d, err := newAuthDaemon(s, os.Stderr)
	if err != nil {
		return err
	}
	defer d.close()
	d.sockets = sockets
	listeners, err := sockets.openAuthListeners(s.daemon.auth)
	if err != nil {
		return err
	}
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	return d.run(parent, listeners, signals)
}

// openAuthListeners takes the sockets that systemd hands over (sd_listen_fds(3)), which stay open
// while the service restarts; without any it opens those of --auth-listen.
func (s *sockets) openAuthListeners(a *authFlags) ([]net.Listener, error) {
	if taken := s.take(""); len(taken) > 0 {
		return taken, nil
	}
	if len(*a.listen) == 0 {
		return nil, fail(exConfig, "--auth-listen is not given, and systemd hands over no socket: where is Postfix to ask?")
	}
	options, err := socketOptions("auth-listen", *a.listenMode, *a.listenGroup)
	if err != nil {
		return nil, &exitError{exConfig, err}
	}
	var listeners []net.Listener
	for _, address := range *a.listen {
		l, err := s.listen(address, options)
		if err != nil {
			return nil, fail(exUnavailable, "--auth-listen=%s: %v", address, err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}
