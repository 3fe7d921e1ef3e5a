package mta

import (
	"context"
	"fmt"
	"net"
	"os/user"
	"strconv"
)

// Account is a user of this host with its groups.
type Account struct {
	Name     string
	UID, GID int
	Groups   []int
}

// LookupAccount finds a user by name.
func LookupAccount(name string) (Account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return Account{}, err
	}
	a := Account{Name: name}
	if a.UID, err = strconv.Atoi(u.Uid); err != nil {
		return Account{}, fmt.Errorf("user %s: %w", name, err)
	}
	if a.GID, err = strconv.Atoi(u.Gid); err != nil {
		return Account{}, fmt.Errorf("user %s: %w", name, err)
	}
	groups, err := u.GroupIds()
	if err != nil {
		return Account{}, fmt.Errorf("user %s: %w", name, err)
	}
	for _, g := range groups {
		if id, err := strconv.Atoi(g); err == nil {
			a.Groups = append(a.Groups, id)
		}
	}
	return a, nil
}

// DialAs connects to a unix socket with the rights of an account, as the mail server will. Only
// root can take on others' rights; for anybody else it connects as it is. Inet sockets have no
// rights.
func DialAs(ctx context.Context, a Account, network, address string) (net.Conn, error) {
	if network != "unix" {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return dialUnixAs(ctx, a, address)
}
