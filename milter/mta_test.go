package milter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	gomilter "github.com/emersion/go-milter"
)

// patience is how long a test waits for what must come.
const patience = 60 * time.Second

// Offers of real MTAs: actions and protocol steps.
var (
	fullOffer = packet('O', 0, 0, 0, 6, 0, 0, 0x01, 0xff, 0, 0x1f, 0xff, 0xff) // both at their newest
	oldOffer  = packet('O', 0, 0, 0, 2, 0, 0, 0x00, 0x3f, 0, 0, 0, 0x7f)       // Postfix with milter_protocol = 2
)

// packet makes a packet from bytes, strings and numbers.
func packet(code byte, parts ...any) []byte {
	data := []byte{0, 0, 0, 0, code}
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			data = append(data, part...)
		case []byte:
			data = append(data, part...)
		case int:
			data = append(data, byte(part))
		default:
			panic(fmt.Sprintf("%T", part))
		}
	}
	binary.BigEndian.PutUint32(data, uint32(len(data)-lengthSize))
	return data
}

// Packets as MTAs send them.
func macroPacket(stage byte, pairs ...string) []byte {
	data := []byte{stage}
	for _, s := range pairs {
		data = append(append(data, s...), 0)
	}
	return packet('D', data)
}

func connectPacket(host string, family byte, port uint16, address string) []byte {
	if family == familyUnknown {
		return packet('C', host+"\x00U")
	}
	return packet('C', host+"\x00", int(family), int(port>>8), int(port), address+"\x00")
}

func heloPacket(name string) []byte          { return packet('H', name+"\x00") }
func headerPacket(name, value string) []byte { return packet('L', name+"\x00"+value+"\x00") }

func mailPacket(path string, args ...string) []byte { return envelopePacket('M', path, args) }
func rcptPacket(path string, args ...string) []byte { return envelopePacket('R', path, args) }

func envelopePacket(code byte, path string, args []string) []byte {
	data := path + "\x00"
	for _, a := range args {
		data += a + "\x00"
	}
	return packet(code, data)
}

var (
	eohPacket   = packet('N')
	eomPacket   = packet('E')
	resetPacket = packet('A')
	quitPacket  = packet('Q')
)

// mta is the MTA's side of one connection.
type mta struct {
	tb   testing.TB
	conn net.Conn
	// granted is what the filter asked for.
	granted gomilter.OptProtocol
	actions gomilter.OptAction
	// macros are the lists that it asked for, by stage.
	macros map[gomilter.Stage]string
}

// negotiated connects and exchanges options.
func negotiated(tb testing.TB, address net.Addr, offer []byte) *mta {
	tb.Helper()
	m := &mta{tb: tb, conn: dial(tb, address)}
	if err := m.negotiate(offer); err != nil {
		tb.Fatal(err)
	}
	return m
}

// connected is negotiated with a client whose first command is still to come.
func connected(tb testing.TB, address net.Addr, offer []byte) *mta {
	tb.Helper()
	m := negotiated(tb, address, offer)
	m.take(do("", strangerPacket()))
	return m
}

func dial(tb testing.TB, address net.Addr) net.Conn {
	tb.Helper()
	conn, err := net.Dial(address.Network(), address.String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		tb.Fatal(err)
	}
	return conn
}

func (m *mta) negotiate(offer []byte) error {
	if _, err := m.conn.Write(offer); err != nil {
		return err
	}
	code, data, err := m.read()
	if err != nil {
		return err
	}
	if code != 'O' || len(data) < 12 {
		return fmt.Errorf("the offer is answered with %q %q", code, data)
	}
	m.actions = gomilter.OptAction(binary.BigEndian.Uint32(data[4:]))
	m.granted = gomilter.OptProtocol(binary.BigEndian.Uint32(data[8:]))
	m.macros = make(map[gomilter.Stage]string)
	for rest := data[12:]; len(rest) > 4; {
		stage := gomilter.Stage(binary.BigEndian.Uint32(rest))
		var list []byte
		list, rest = cstring(rest[4:])
		m.macros[stage] = string(list)
	}
	return nil
}

// send writes packets in one go.
func (m *mta) send(packets ...[]byte) {
	m.tb.Helper()
	all := packets[0]
	if len(packets) > 1 {
		all = join(packets)
	}
	if _, err := m.conn.Write(all); err != nil {
		m.tb.Fatal(err)
	}
}

func join(packets [][]byte) []byte {
	var all []byte
	for _, p := range packets {
		all = append(all, p...)
	}
	return all
}

func (m *mta) read() (code byte, data []byte, err error) {
	var length [4]byte
	if _, err := io.ReadFull(m.conn, length[:]); err != nil {
		return 0, nil, err
	}
	data = make([]byte, binary.BigEndian.Uint32(length[:]))
	if _, err := io.ReadFull(m.conn, data); err != nil {
		return 0, nil, err
	}
	return data[0], data[1:], nil
}

// want reads one reply: "c" to go on, else code and data, without the NUL at the end.
func (m *mta) want(reply string) {
	m.tb.Helper()
	code, data, err := m.read()
	if err != nil {
		m.tb.Fatalf("no reply, want %q: %v", reply, err)
	}
	got := string(code)
	if len(data) > 0 {
		if data[len(data)-1] != 0 {
			m.tb.Fatalf("reply %q %q does not end in NUL", code, data)
		}
		got += " " + string(data[:len(data)-1])
	}
	if got != reply {
		m.tb.Fatalf("reply %q, want %q", got, reply)
	}
}

// quit ends the session and reads until the filter has closed: there must not be a reply left.
func (m *mta) quit() {
	m.tb.Helper()
	m.send(quitPacket)
	m.wantEnd()
}

func (m *mta) wantEnd() {
	m.tb.Helper()
	if code, data, err := m.read(); !errors.Is(err, io.EOF) {
		m.tb.Fatalf("got %q %q, %v; want the end of the connection", code, data, err)
	}
}

// served is a server under test with all that it has said.
type served struct {
	*Server
	Addr net.Addr

	mu       sync.Mutex
	errors   []string
	degraded []string
	done     chan error
}

// serve starts a server, set as the test wants, on a unix socket. At the end of the test it is shut
// down and must have ended.
func serve(tb testing.TB, newSession func() Session, set ...func(*Server)) *served {
	tb.Helper()
	l, err := Listen("unix:"+filepath.Join(tb.TempDir(), "s"), ListenOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return serveOn(tb, l, newSession, set...)
}

func serveOn(tb testing.TB, l net.Listener, newSession func() Session, set ...func(*Server)) *served {
	tb.Helper()
	s := &served{Addr: l.Addr(), done: make(chan error, 1)}
	s.Server = &Server{NewSession: newSession, OnDegraded: s.noteDegraded, ErrorLog: s.noteError}
	for _, f := range set {
		f(s.Server)
	}
	go func() { s.done <- s.Serve(l) }()
	tb.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := s.Shutdown(ctx); err != nil {
			tb.Errorf("shutdown: %v", err)
		}
		if err := <-s.done; err != nil {
			tb.Errorf("serve: %v", err)
		}
	})
	return s
}

func (s *served) noteError(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errors = append(s.errors, err.Error())
}

func (s *served) noteDegraded(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.degraded = append(s.degraded, text)
}

func (s *served) said() (errors, degraded []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.errors...), append([]string(nil), s.degraded...)
}

// serveFake starts a server all of whose connections talk to one fake, so it takes one connection.
func serveFake(tb testing.TB, fake *fakeSession, set ...func(*Server)) *served {
	return serve(tb, func() Session { return fake }, set...)
}

// progressing has progress told so often.
func progressing(every time.Duration) func(*Server) {
	return func(s *Server) { s.progressEvery = every }
}

// await waits until a channel is closed.
func await(tb testing.TB, c <-chan struct{}, what string) {
	tb.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		tb.Fatalf("%s: not within %v", what, patience)
	}
}

// replyDue reports whether a command has a reply under the granted terms.
func (m *mta) replyDue(code byte) bool {
	switch code {
	case 'D', 'A', 'Q':
		return false
	case 'C':
		return m.granted&gomilter.OptNoConnReply == 0
	case 'L':
		return m.granted&gomilter.OptNoHeaderReply == 0
	case 'N':
		return m.granted&gomilter.OptNoEOHReply == 0
	case 'B':
		return m.granted&gomilter.OptNoBodyReply == 0
	}
	return true
}
