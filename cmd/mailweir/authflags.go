package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"

	"mailweir/internal/admin"
	"mailweir/internal/auth"
	"mailweir/internal/backend"
	"mailweir/internal/policy"
	"mailweir/milter"
)

// authFlags are those of mailweir auth. The milter has --auth-milter with its mode and group.
type authFlags struct {
	listen                          *[]string
	listenMode, listenGroup         *string
	upstream, passwords, http       *string
	mechanisms                      *[]string
	parallel, streams               *int
	milter, milterMode, milterGroup *string
}

func registerAuth(f *policy.Flags) *authFlags {
	return &authFlags{
		listen:      f.Strings("auth-listen", "ADDRESS", "where mailweir auth waits for Postfix, unix:/PATH or inet:LOOPBACK:PORT; a socket that systemd hands over needs none"),
		listenMode:  f.String("auth-listen-mode", "0660", "OCTAL", "permissions of its unix sockets"),
		listenGroup: f.String("auth-listen-group", "", "GROUP", "group of its unix sockets"),
		upstream:    f.String("auth-upstream", "", "unix:/PATH|inet:HOST:PORT", "the Dovecot that knows the passwords"),
		passwords:   f.String("auth-passwords", "", "FILE", "file with logins and password hashes, instead of a Dovecot"),
		parallel:    f.Int("auth-parallel", 4, "guesses at a password file that are looked at at once"),
		mechanisms:  f.Words("auth-mechanisms", []string{"PLAIN", "LOGIN"}, "NAME,…", "what is offered as long as the Dovecot has not been there to say what it can do"),
		streams:     f.Int("auth-streams", 1000, "smtpd processes that may be connected at once"),
		http:        f.String("auth-http", "127.0.0.1:8426", "HOST:PORT|off", "address of /metrics, /livez and /readyz of mailweir auth"),
		milter:      f.String("auth-milter", "", "unix:/PATH", "socket between mailweir auth and mailweir serve, for the temporary block list"),
		milterMode:  f.String("auth-milter-mode", "0660", "OCTAL", "permissions of that socket"),
		milterGroup: f.String("auth-milter-group", "", "GROUP", "group of that socket"),
	}
}

// serves reports whether a configuration is for mailweir auth.
func (a *authFlags) serves() bool {
	return *a.upstream != "" || *a.passwords != "" || len(*a.listen) > 0
}

// validate reports values that neither process could be started with.
func (a *authFlags) validate() error {
	options, err := socketOptions("auth-listen", *a.listenMode, *a.listenGroup)
	if err != nil {
		return err
	}
	for _, address := range *a.listen {
		if err := checkLoopback(address, options); err != nil {
			return fmt.Errorf("--auth-listen: %w", err)
		}
	}
	if *a.upstream != "" && *a.passwords != "" {
		return errors.New("--auth-upstream and --auth-passwords are two answers to one question; leave one out")
	}
	if *a.upstream != "" {
		if _, _, err := a.upstreamAddress(); err != nil {
			return err
		}
	}
	if *a.passwords != "" && !filepath.IsAbs(*a.passwords) {
		return fmt.Errorf("--auth-passwords: %q does not begin with a slash", *a.passwords)
	}
	if *a.parallel < 1 || *a.parallel > maxParallel {
		return fmt.Errorf("--auth-parallel: %d is not a number from 1 to %d", *a.parallel, maxParallel)
	}
	if *a.streams < 1 {
		return errors.New("--auth-streams: at least one smtpd must be able to connect")
	}
	if _, err := auth.ParseMechanisms(*a.mechanisms); err != nil {
		return fmt.Errorf("--auth-mechanisms: %w", err)
	}
	if err := checkHTTP("auth-http", *a.http); err != nil {
		return err
	}
	if *a.milter == "" {
		return nil
	}
	if options, err = socketOptions("auth-milter", *a.milterMode, *a.milterGroup); err != nil {
		return err
	}
	if _, err := admin.SocketPath(*a.milter); err != nil {
		return fmt.Errorf("--auth-milter: %w", err)
	}
	if err := milter.CheckAddress(*a.milter, options); err != nil {
		return fmt.Errorf("--auth-milter: %w", err)
	}
	return nil
}

// maxParallel is more than any host has processors for.
const maxParallel = 64

// checkLoopback reports an address that others than this host could reach.
func checkLoopback(address string, options milter.ListenOptions) error {
	if err := milter.CheckAddress(address, options); err != nil {
		return err
	}
	network, host, err := milter.ParseAddress(address)
	if err != nil || network == "unix" {
		return err
	}
	at, err := netip.ParseAddrPort(host)
	if err != nil || !at.Addr().IsLoopback() {
		return fmt.Errorf("%q is not an address of the loopback interface such as inet:127.0.0.1:12345: passwords pass there in clear", address)
	}
	return nil
}

// upstreamAddress reads --auth-upstream.
func (a *authFlags) upstreamAddress() (network, address string, err error) {
	network, address, err = milter.ParseAddress(*a.upstream)
	if err != nil {
		return "", "", fmt.Errorf("--auth-upstream: %q is neither unix:/PATH nor inet:HOST:PORT", *a.upstream)
	}
	return network, address, nil
}

// closedToPostfix reports whether the group of a socket, which no flag names, is another than
// Postfix's. A directory that hands its group on (mode 2750) has been made for that.
func (a *authFlags) closedToPostfix(address string) bool {
	network, path, err := milter.ParseAddress(address)
	mode, _ := strconv.ParseUint(*a.listenMode, 8, 32)
	if err != nil || network != "unix" || mode&0o002 != 0 {
		return false
	}
	if dir, err := os.Stat(filepath.Dir(path)); err == nil && dir.Mode()&os.ModeSetgid != 0 {
		return false
	}
	group, err := user.LookupGroup("postfix")
	return err != nil || group.Gid != strconv.Itoa(os.Getegid())
}

// remarks say what is allowed and yet likely not to be what the administrator expects.
func (a *authFlags) remarks() []string {
	var remarks []string
	for _, address := range *a.listen {
		if remark := socketRemark(address); remark != "" {
			remarks = append(remarks, "--auth-listen: "+remark)
		}
	}
	if *a.listenGroup == "" && slices.ContainsFunc(*a.listen, a.closedToPostfix) {
		remarks = append(remarks, `--auth-listen-group is not given, and smtpd may not be let in (it ends with "fatal: no SASL authentication mechanisms"): --auth-listen-group=postfix`)
	}
	if remark := socketRemark(*a.milter); remark != "" {
		remarks = append(remarks, "--auth-milter: "+remark)
	}
	if network, address, err := a.upstreamAddress(); *a.upstream != "" && err == nil && network != "unix" {
		if host, _, err := net.SplitHostPort(address); err != nil || !backend.Loopback(host) {
			remarks = append(remarks, fmt.Sprintf("--auth-upstream: passwords go to %s in clear", address))
		}
	}
	return remarks
}
