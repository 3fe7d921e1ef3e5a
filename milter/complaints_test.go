package milter

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
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
		want := append(slices.Repeat([]string{"wrong"}, 9), "wrong (further such lines about 192.0.2.1 are counted for a minute)")
		if got := take(); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		c.about("192.0.2.2", errors.New("bad"), tell)
		if got := take(); !slices.Equal(got, []string{"bad"}) {
			t.Errorf("another peer: %q", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := take(); !slices.Equal(got, []string{"990 more lines about 192.0.2.1 (wrong) were left out within a minute"}) {
			t.Errorf("after a minute: %q", got)
		}
		for i := range 10_000 {
			c.about(fmt.Sprint("peer ", i), errors.New("wrong"), tell)
		}
		if got := len(take()); got != complaintPeers+complaintLines {
			t.Errorf("%d lines about ever other peers", got)
		}
		c.sum()
		if got := take(); !slices.Equal(got, []string{"9970 more lines about other peers (wrong) were left out within a minute"}) {
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

// TestComplaintsOfOneKindHideNoOthers: what a peer does wrong all the time hides nothing else that
// it does wrong; and what it chooses makes no kinds.
func TestComplaintsOfOneKindHideNoOthers(t *testing.T) {
	var c complaints
	var said []string
	tell := func(err error) { said = append(said, err.Error()) }
	about := func(err error) bool {
		before := len(said)
		c.about("192.0.2.1", fmt.Errorf("milter session 7f: %w", err), tell)
		return len(said) > before
	}
	for i := range 1000 {
		about(&net.OpError{Op: "read", Net: "tcp", Addr: &net.TCPAddr{Port: i}, Err: os.NewSyscallError("read", syscall.ECONNRESET)})
	}
	if len(said) != complaintLines {
		t.Fatalf("%d lines", len(said))
	}
	for _, err := range []error{
		&net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}, errors.New("protocol error: the MTA sends MAIL before CONNECT"),
		errors.New("protocol error: the MTA sends EOM before MAIL"), errors.New("malformed macro packet"),
	} {
		if !about(err) {
			t.Errorf("%v is hidden", err)
		}
	}
	before := len(said)
	for i := range 1000 {
		about(fmt.Errorf("protocol error: the MTA sends the unknown packet %q", byte(i)))
		about(fmt.Errorf("panic: index out of range [%d]\nstack %d", i, i))
	}
	if got := len(said) - before; got != 2*complaintLines {
		t.Errorf("%d lines of two kinds", got)
	}
	before = len(said)
	for i := range 10_000 {
		about(errors.New(strings.Repeat("x", i)))
	}
	if got := len(said) - before; got > complaintKinds*complaintLines {
		t.Errorf("%d lines of ever new kinds", got)
	}
	c.sum()
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
		"472 more lines about other peers (connection from …) were left out within a minute",
		"490 more lines about 192.0.2.9 (connection from …) were left out within a minute", "490 more lines about 2001:db8::/64 (connection from …) were left out within a minute",
	}
	if !slices.Equal(errs, want) {
		t.Errorf("%q", errs)
	}
}
