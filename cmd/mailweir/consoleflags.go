package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os/user"
	"strconv"
	"strings"

	"mailweir/internal/backend"
	"mailweir/internal/policy"
	"mailweir/milter"
)

// consoleFlags are those of viewer and console.
type consoleFlags struct {
	listen, mode, group     *string
	users, auth             *string
	roles, addresses        *string
	proxies, hosts          *[]string
	proxyHeader             *string
	certificate, privateKey *string
}

func registerConsole(f *policy.Flags) *consoleFlags {
	return &consoleFlags{
		listen:      f.String("console", "", "HOST:PORT|unix:/PATH", "where viewer and console wait for browsers; without it there are none"),
		mode:        f.String("console-mode", "0660", "OCTAL", "permissions of its unix socket"),
		group:       f.String("console-group", "", "GROUP", "group of its unix socket"),
		users:       f.String("console-users", "", "FILE", "file with logins, password hashes and roles; write it with mailweir console passwd"),
		auth:        f.String("console-auth", "", "unix:/PATH|inet:HOST:PORT", "a Dovecot that knows further passwords"),
		proxies:     f.Words("console-proxy", nil, "NET|uid:USER,…", "reverse proxies that say who asks"),
		proxyHeader: f.String("console-proxy-header", "X-Remote-User", "NAME", "header in which they say so; of all others it is dropped"),
		roles:       f.String("console-roles", "", "TABLE", "roles (admin, helpdesk, auditor, user; ROLE:DOMAIN,… for some domains) by login, or by uid:USER"),
		addresses:   f.String("console-addresses", "", "TABLE", "addresses and domains of users by login (default their login)"),
		hosts:       f.Words("console-host", nil, "NAME,…", "further names by which browsers call the console"),
		certificate: f.String("console-cert", "", "FILE", "certificate chain for TLS (PEM)"),
		privateKey:  f.String("console-key", "", "FILE", "its private key (PEM)"),
	}
}

// socket reports whether the console waits at a unix socket.
func (c *consoleFlags) socket() bool { return strings.HasPrefix(*c.listen, "unix:") }

// address is where to listen, as --listen has it.
func (c *consoleFlags) address() string {
	if c.socket() {
		return *c.listen
	}
	return "inet:" + *c.listen
}

// loopback reports whether nobody but this host reaches it.
func (c *consoleFlags) loopback() bool {
	host, _, err := net.SplitHostPort(*c.listen)
	return c.socket() || err == nil && host != "" && backend.Loopback(host)
}

// validate reports values that the console could not be started with, or not safely.
func (c *consoleFlags) validate() error {
	if *c.listen == "" {
		return nil
	}
	options, err := socketOptions("console", *c.mode, *c.group)
	if err != nil {
		return err
	}
	if !c.socket() {
		if _, port, err := net.SplitHostPort(*c.listen); err != nil || port == "" {
			return fmt.Errorf("--console: %q is neither HOST:PORT nor unix:/PATH", *c.listen)
		}
	} else if err := milter.CheckAddress(*c.listen, options); err != nil {
		return fmt.Errorf("--console: %w", err)
	}
	if err := c.validateLogins(); err != nil {
		return err
	}
	if (*c.certificate == "") != (*c.privateKey == "") {
		return errors.New("--console-cert and --console-key belong together; give both")
	}
	if !c.loopback() && *c.certificate == "" && len(*c.proxies) == 0 {
		return fmt.Errorf("--console=%s: others than this host reach it, and passwords would pass in clear: give --console-cert and --console-key, or --console-proxy", *c.listen)
	}
	if *c.certificate != "" && c.socket() {
		return errors.New("--console-cert: a unix socket needs no TLS")
	}
	if *c.certificate != "" {
		if _, err := tls.LoadX509KeyPair(*c.certificate, *c.privateKey); err != nil {
			return fmt.Errorf("--console-cert, --console-key: %w", err)
		}
	}
	for _, host := range *c.hosts {
		if strings.ContainsAny(host, "/ ") || host == "" || strings.Contains(host, ":") && strings.Count(host, ":") < 2 {
			return fmt.Errorf("--console-host: %q is no name of a host without a port", host)
		}
	}
	return nil
}

// validateLogins reports where nobody could tell who asks.
func (c *consoleFlags) validateLogins() error {
	if !c.socket() && *c.users == "" && *c.auth == "" && len(*c.proxies) == 0 {
		return fmt.Errorf("--console=%s: every user of the host could connect and be the admin: say who may with --console-users, --console-auth or --console-proxy, or wait at a socket (--console=unix:/PATH), where the kernel says who asks", *c.listen)
	}
	if *c.auth != "" {
		if _, _, err := milter.ParseAddress(*c.auth); err != nil {
			return fmt.Errorf("--console-auth: %q is neither unix:/PATH nor inet:HOST:PORT", *c.auth)
		}
	}
	if *c.roles == "" {
		switch {
		case *c.auth != "":
			return errors.New("--console-auth: Dovecot knows passwords and no roles: name a table with --console-roles")
		case len(*c.proxies) > 0:
			return errors.New("--console-proxy: a proxy knows names and no roles: name a table with --console-roles")
		case *c.addresses != "":
			return errors.New("--console-addresses: nobody is a user without --console-roles")
		}
	}
	if _, _, err := c.proxyList(); err != nil {
		return err
	}
	if name := *c.proxyHeader; name == "" || http.CanonicalHeaderKey(name) == "Cookie" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("--console-proxy-header: %q is no name of a header", name)
	}
	return nil
}

// proxyList reads --console-proxy.
func (c *consoleFlags) proxyList() (nets []netip.Prefix, uids []int, err error) {
	var words []string
	for _, word := range *c.proxies {
		name, found := strings.CutPrefix(word, "uid:")
		if !found {
			words = append(words, word)
			continue
		}
		u, err := user.Lookup(name)
		if _, number := strconv.Atoi(name); err != nil && number == nil {
			u, err = &user.User{Uid: name}, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("--console-proxy: %w", err)
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			return nil, nil, fmt.Errorf("--console-proxy: %w", err)
		}
		uids = append(uids, uid)
	}
	if len(words) == 0 {
		return nil, uids, nil
	}
	if nets, err = policy.ParseNets(words); err != nil {
		return nil, nil, fmt.Errorf("--console-proxy: %w", err)
	}
	return nets, uids, nil
}

// remarks say what is allowed and yet likely not to be what the administrator expects.
func (c *consoleFlags) remarks() []string {
	if *c.listen == "" {
		for name, value := range map[string]string{"users": *c.users, "auth": *c.auth, "roles": *c.roles} {
			if value != "" {
				return []string{"--console-" + name + " is given and --console is not: there is no console"}
			}
		}
		return nil
	}
	var remarks []string
	if remark := socketRemark(*c.listen); remark != "" {
		remarks = append(remarks, "--console: "+remark)
	}
	nets, _, _ := c.proxyList() // they have been validated
	for _, net := range nets {
		if net.Addr().IsLoopback() && !c.socket() {
			remarks = append(remarks, fmt.Sprintf("--console-proxy=%s: every user of this host can connect from there and say who he is: have the proxy come over a socket (--console=unix:/PATH, --console-proxy=uid:USER)", net))
		}
		if net.Bits() == 0 {
			remarks = append(remarks, fmt.Sprintf("--console-proxy=%s: everybody can say who he is", net))
		}
	}
	if !c.loopback() && len(*c.hosts) == 0 && wildcard(*c.listen) {
		remarks = append(remarks, "--console-host is not given: browsers that call the console by any name are turned away")
	}
	return remarks
}

// wildcard reports whether an address is that of every interface.
func wildcard(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	a, err := netip.ParseAddr(host)
	return host == "" || err == nil && a.IsUnspecified()
}
