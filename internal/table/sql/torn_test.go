package sql

import (
	"context"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mailweir/test/testbed"
)

// cutter passes connections on to a server. It cuts off what the server says after so many octets,
// or turns one octet of it around.
type cutter struct {
	address string
	after   atomic.Int64
	turn    atomic.Int64 // which; -1: none
	said    atomic.Int64 // by the server, on the last connection
}

func newCutter(t *testing.T, server string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp4", testbed.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	c := &cutter{address: l.Addr().String()}
	c.after.Store(1 << 30)
	c.turn.Store(-1)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go c.pass(client, server)
		}
	}()
	return c
}

func (c *cutter) pass(client net.Conn, server string) {
	defer client.Close()
	behind, err := net.Dial("tcp4", server)
	if err != nil {
		return
	}
	defer behind.Close()
	go func() { _, _ = io.Copy(behind, client) }()
	c.said.Store(0)
	buffer := make([]byte, 4096)
	for left := c.after.Load(); left > 0; {
		n, err := behind.Read(buffer[:min(left, int64(len(buffer)))])
		if n > 0 {
			if at := c.turn.Load() - c.said.Load(); 0 <= at && at < int64(n) {
				buffer[at] ^= 0xff
			}
			_, _ = client.Write(buffer[:n])
			c.said.Add(int64(n))
			left -= int64(n)
		}
		if err != nil {
			return
		}
	}
}

// However much of an answer has come when the connection ends, it is an error or the answer, and
// never "not found".
func TestTornAnswers(t *testing.T) {
	t.Parallel()
	m, mdb := mariaDB(t)
	p, pdb := postgres(t)
	const query = "query = SELECT v FROM canary WHERE k = '%s'"
	socket := "hosts = unix:" + mdb.Socket
	m.account = strings.Replace(m.account, socket, "hosts = "+mdb.Address, 1)
	p.account = strings.Replace(p.account, "dbname = mail", "dbname = dbname=mail sslmode=disable", 1)
	for _, s := range []struct {
		bed
		address string
	}{{m, mdb.Address}, {p, pdb.Address}} {
		t.Run(s.kind.Name, func(t *testing.T) {
			s.must(t, canary)
			c := newCutter(t, s.address)
			s.account = strings.Replace(s.account, s.address, c.address, 1)
			file := s.file(t, query)
			whole := s.open(t, file)
			if got := answer(find(t, whole, "tweety")); got != "= alive" {
				t.Fatalf("through the proxy: %s", got)
			}
			total := c.said.Load()
			if total < 100 {
				t.Fatalf("the server has said %d octets", total)
			}
			ask := func(patience time.Duration) (string, bool, error) {
				d := s.open(t, file)
				defer d.Close()
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				return d.Find(ctx, "tweety")
			}
			answers := 0
			for after := range total + 1 {
				c.after.Store(after)
				value, found, err := ask(10 * time.Second)
				switch {
				case err == nil && (!found || value != "alive"):
					t.Errorf("after %d of %d octets: %q, %v", after, total, value, found)
				case err == nil:
					answers++
				}
			}
			if answers == 0 || answers > 40 {
				t.Errorf("%d of %d answers were whole", answers, total)
			}
			// What it means when one octet is wrong is for the octet to say; it ends in time, and
			// in no panic.
			c.after.Store(1 << 30)
			for turn := int64(0); turn < total; turn += 3 {
				c.turn.Store(turn)
				_, _, _ = ask(100 * time.Millisecond)
			}
		})
	}
}
