package testbed

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// given remembers the ports handed out by this process: what speaks to the peer of a test that has
// ended must not meet that of another.
var given struct {
	sync.Mutex
	ports map[int]bool
}

// FreeAddress finds a loopback address with a free port. The port is free for
// both TCP and UDP, and nobody else's until the test ends: between this and the moment in which the
// peer takes it, and whenever that is started again, no other process of tests may take it.
func FreeAddress(tb TB) string {
	tb.Helper()
	given.Lock()
	defer given.Unlock()
	if given.ports == nil {
		given.ports = make(map[int]bool)
	}
	for range 100 {
		port := somePort()
		if given.ports[port] {
			continue
		}
		reserved, err := reserve(port)
		if err != nil {
			continue
		}
		if address, err := probeAddress(port); err == nil {
			given.ports[port] = true
			tb.Cleanup(func() { _ = reserved.Close() })
			return address
		}
		_ = reserved.Close()
	}
	tb.Fatalf("testbed: no free port")
	return ""
}

// somePort is a port below those that the kernel gives to whoever connects: nobody takes it by
// chance before the peer does.
func somePort() int {
	const first, end = 10_240, 32_768
	return first + rand.IntN(end-first)
}

// reserve takes a port among all processes of tests on this machine: a socket in the abstract
// namespace, which is that of the network, has a name that only one can have, and goes with it.
func reserve(port int) (net.Listener, error) {
	return net.Listen("unix", fmt.Sprintf("@mailweir-testbed-port-%d", port))
}

// probeAddress tries a port.
func probeAddress(port int) (string, error) {
	tcp, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return "", err
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp4", tcp.Addr().String())
	if err != nil {
		return "", err
	}
	defer udp.Close()
	return tcp.Addr().String(), nil
}

// Outside returns an IPv4 address of the machine itself that is not loopback. A client that binds
// it reaches a server on loopback without leaving the machine, and is no client on loopback to that
// server.
func Outside() (string, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String(), nil
		}
	}
	return "", errors.New("the machine has no IPv4 address but loopback")
}

// Port returns the port of an address that the harness made.
func Port(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		panic("testbed: not an address with a port: " + address)
	}
	return port
}

// openDescriptors returns what each open descriptor of a process is, as
// /proc/PID/fd names it ("socket:[123]", "/dev/null").
func openDescriptors(pid int) ([]string, error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		// A descriptor may be closed between the listing and this line.
		if name, err := os.Readlink(filepath.Join(dir, entry.Name())); err == nil {
			names = append(names, name)
		}
	}
	return names, nil
}

// whoListens names the processes that listen at an address of loopback: for a server that ended and
// could not say why.
func whoListens(address string) (who []string) {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range all {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if at, err := listening(pid); err == nil && contains(at, address) {
			words, _ := os.ReadFile(name) // it may be gone
			who = append(who, fmt.Sprintf("%d %s", pid, strings.ReplaceAll(string(words), "\x00", " ")))
		}
	}
	return who
}

// listening returns the IPv4 TCP addresses on which a process listens. It reads
// them from the kernel, so no peer has to tell which port it was given.
func listening(pid int) ([]string, error) {
	open, err := openDescriptors(pid)
	if err != nil {
		return nil, err
	}
	own := make(map[string]bool)
	for _, name := range open {
		own[name] = true
	}
	table, err := os.Open(fmt.Sprintf("/proc/%d/net/tcp", pid))
	if err != nil {
		return nil, err
	}
	defer table.Close()
	var addresses []string
	for lines := bufio.NewScanner(table); lines.Scan(); {
		// sl local_address rem_address st … inode; state 0A is LISTEN.
		f := strings.Fields(lines.Text())
		if len(f) < 10 || f[3] != "0A" || !own["socket:["+f[9]+"]"] {
			continue
		}
		_, hex, _ := strings.Cut(f[1], ":")
		port, err := strconv.ParseUint(hex, 16, 16)
		if err != nil {
			return nil, fmt.Errorf("/proc/%d/net/tcp: %w", pid, err)
		}
		addresses = append(addresses, fmt.Sprintf("127.0.0.1:%d", port))
	}
	return addresses, nil
}
