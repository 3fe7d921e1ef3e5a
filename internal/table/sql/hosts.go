package sql

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/table/postfixcf"
)

// Ranks of hosts: Postfix tries sockets first.
const (
	rankSocket = iota
	rankTCP
	rankURI
)

// address is where a host listens.
type address struct {
	network string // "unix" or "tcp"
	socket  string // its path, or what the dialect makes of it
	host    string
	port    int // 0: the default
}

// name is how errors call it.
func (a address) name() string {
	if a.network == "unix" {
		return "unix:" + a.socket
	}
	if a.port == 0 {
		return a.host
	}
	return net.JoinHostPort(a.host, strconv.Itoa(a.port))
}

func (a address) rank() int {
	if a.network == "unix" {
		return rankSocket
	}
	return rankTCP
}

// parseHost reads host:port. As in Postfix the port follows the last colon, and may be the name of
// a service; an IPv6 address stands in brackets, or without a port.
func parseHost(text string) (address, error) {
	if text == "" {
		return address{}, fmt.Errorf("a host has no name")
	}
	if strings.Contains(text, "@") { // what stands before it may be a password
		return address{}, errors.New("a host has a user or a password in it, or is the URI of something else; write HOST or HOST:PORT, and user and password as lines of their own")
	}
	if strings.Count(text, ":") > 1 && !strings.HasPrefix(text, "[") {
		return address{network: "tcp", host: text}, nil
	}
	host, port, found := strings.Cut(text, ":")
	if strings.HasPrefix(text, "[") {
		host, port, found = strings.Cut(text[1:], "]")
		if !found || port != "" && port[0] != ':' {
			return address{}, fmt.Errorf("%q is no address in brackets", text)
		}
		port, found = strings.CutPrefix(port, ":")
	}
	a := address{network: "tcp", host: host}
	if found {
		var err error
		if a.port, err = net.LookupPort("tcp", port); err != nil || a.port == 0 {
			return address{}, fmt.Errorf("%q has no port that is known", text)
		}
	}
	return a, nil
}

// hostList is the parameter hosts; without it, localhost.
func hostList(f *postfixcf.File, schemes ...string) []string {
	list, ok := f.Servers("hosts", "write them as user = … and password = …", append(schemes, "/", "unix:/")...)
	if ok && len(list) == 0 {
		return []string{"localhost"}
	}
	return list
}

// intervals are how long a host that has failed comes last, and how long a connection is kept that
// nobody uses.
func intervals(f *postfixcf.File) (retry, keep time.Duration) {
	retry, keep = f.Seconds("retry_interval", time.Minute), f.Seconds("idle_interval", time.Minute)
	for name, span := range map[string]time.Duration{"retry_interval": retry, "idle_interval": keep} {
		if span <= 0 {
			f.Errorf(name, "must be at least 1")
		}
	}
	return retry, keep
}
