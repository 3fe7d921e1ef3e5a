package testbed

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestProxy: each fault does what its name says, and afterwards all is well.
func TestProxy(t *testing.T) {
	t.Run("tcp", func(t *testing.T) { testProxy(t, StartProxy, "refused") })
	t.Run("unix", func(t *testing.T) { testProxy(t, StartProxyAtSocket, "no such file") })
}

func testProxy(t *testing.T, start func(TB, string, string) *Proxy, refusal string) {
	server := StartTables(t)
	if err := server.Do("tcp k = a value that is long enough"); err != nil {
		t.Fatal(err)
	}
	const want = "200 a%20value%20that%20is%20long%20enough\n"
	p := start(t, "tcp", server.Address)
	ask := func(patience time.Duration) (string, error) {
		conn, err := net.Dial(p.at, p.Address)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(conn, "get k\n"); err != nil {
			return "", err
		}
		return bufio.NewReader(conn).ReadString('\n')
	}
	const short = 300 * time.Millisecond // for what never comes; rubbish need not end
	for _, c := range []struct {
		fault    Fault
		patience time.Duration
		is       func(string, error) bool
	}{
		{Fault{Kind: "refuse"}, Patience, func(said string, err error) bool { return said == "" && strings.Contains(err.Error(), refusal) }},
		{Fault{Kind: "hang"}, short, func(said string, err error) bool { return said == "" && strings.Contains(err.Error(), "timeout") }},
		{Fault{Kind: "half"}, Patience, func(said string, err error) bool { return said == want[:len(want)/2] && err == io.EOF }},
		{Fault{Kind: "rubbish"}, short, func(said string, _ error) bool { return said != want }},
		{Fault{Kind: "slow", Delay: time.Hour}, short, func(said string, err error) bool { return said == "" && strings.Contains(err.Error(), "timeout") }},
		{Fault{Kind: "slow", Delay: time.Millisecond}, Patience, func(said string, err error) bool { return said == want && err == nil }},
	} {
		p.Set(c.fault)
		if said, err := ask(c.patience); !c.is(said, err) {
			t.Errorf("%s: %q, %v", c.fault, said, err)
		}
		p.Set(Fault{})
		if said, err := ask(Patience); said != want || err != nil {
			t.Errorf("after %s: %q, %v", c.fault, said, err)
		}
	}
}
