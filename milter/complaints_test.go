package milter

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestComplaints: a peer has ten lines in a minute, and one about the others; more peers than have
// lines of their own count as one.
func TestComplaints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c complaints
		var mu sync.Mutex
		var said []string
		tell := func(err error) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, err.Error())
		}
		take := func() []string {
			mu.Lock()
			defer mu.Unlock()
			lines := said
			said = nil
			return lines
		}
		for range 1000 {
			c.about("192.0.2.1", errors.New("wrong"), tell)
		}
		want := append(slices.Repeat([]string{"wrong"}, 9), "wrong (further lines about 192.0.2.1 are counted for a minute)")
		if got := take(); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		c.about("192.0.2.2", errors.New("bad"), tell)
		if got := take(); !slices.Equal(got, []string{"bad"}) {
			t.Errorf("another peer: %q", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := take(); !slices.Equal(got, []string{"990 more lines about 192.0.2.1 were left out within a minute"}) {
			t.Errorf("after a minute: %q", got)
		}
		for i := range 10_000 {
			c.about(fmt.Sprint("peer ", i), errors.New("wrong"), tell)
		}
		if got := len(take()); got != complaintPeers+complaintLines {
			t.Errorf("%d lines about ever other peers", got)
		}
		c.sum()
		if got := take(); !slices.Equal(got, []string{"9970 more lines about other peers were left out within a minute"}) {
			t.Errorf("at the end: %q", got)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		c.sum()
		if got := take(); got != nil {
			t.Errorf("a span without complaints: %q", got)
		}
	})
}

// fromPeer is a connection that comes from an address.
type fromPeer struct {
	net.Conn
	peer net.TCPAddr
}

func (c fromPeer) RemoteAddr() net.Addr { return &c.peer }

// TestRefusedPeersAreFolded: whoever connects again and again without leave fills no log, from one
// address or from a net of them, and hides no line about an MTA.
func TestRefusedPeersAreFolded(t *testing.T) {
	var errs []string
	server := &Server{NewSession: silentSession, ErrorLog: func(err error) { errs = append(errs, err.Error()) }}
	connect := func(peer string) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		server.start(fromPeer{theirs, net.TCPAddr{IP: net.ParseIP(peer)}})
	}
	for i := range 500 {
		connect("192.0.2.9")
		connect(fmt.Sprintf("2001:db8::%x", i))
	}
	if len(errs) != 2*complaintLines {
		t.Errorf("%d lines: %q", len(errs), errs)
	}
	for i := range 500 {
		connect(fmt.Sprintf("198.51.%d.%d", i/250, i%250))
	}
	if most := 2*complaintLines + complaintPeers + complaintLines; len(errs) > most {
		t.Errorf("%d lines, want at most %d", len(errs), most)
	}
	before := len(errs)
	server.trouble.about("192.0.2.25", errors.New("protocol error"), server.ErrorLog)
	if len(errs) != before+1 {
		t.Error("no line about an MTA")
	}
	errs = nil
	shutDown(t, &served{Server: server})
	want := []string{
		"472 more lines about other peers were left out within a minute",
		"490 more lines about 192.0.2.9 were left out within a minute", "490 more lines about 2001:db8::/64 were left out within a minute",
	}
	if !slices.Equal(errs, want) {
		t.Errorf("%q", errs)
	}
}
