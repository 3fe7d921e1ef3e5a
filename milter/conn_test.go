package milter

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// script is an MTA that has said everything already: each read yields the next fragment. It keeps
// the deadlines that are set.
type script struct {
	net.Conn
	fragments [][]byte
	waits     []time.Duration // for reads
	writes    []time.Duration // for writes
	err       error           // after the last fragment
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.fragments) == 0 {
		return 0, s.err
	}
	n := copy(p, s.fragments[0])
	if s.fragments[0] = s.fragments[0][n:]; len(s.fragments[0]) == 0 {
		s.fragments = s.fragments[1:]
	}
	return n, nil
}

func (s *script) SetReadDeadline(t time.Time) error {
	s.waits = append(s.waits, time.Until(t).Round(time.Second))
	return nil
}

func (s *script) SetWriteDeadline(t time.Time) error {
	s.writes = append(s.writes, time.Until(t).Round(time.Second))
	return nil
}

func (s *script) Write(p []byte) (int, error) { return len(p), nil }
func (s *script) Close() error                { return nil }

// scripted is a connection on a script, within a transaction.
func scripted(s *script, errs *[]string) *conn {
	c := &conn{
		Conn: s, phase: phaseEnvelope, slow: slowAnswer, progressEvery: progressEvery,
		log: func(err error) { *errs = append(*errs, err.Error()) },
	}
	c.in = reader{conn: s, buffers: new(buffers)}
	c.session = &session{conn: c, policy: newFake(), terms: terms{protocol: wantedProtocol}, inHeader: true}
	return c
}

// seen are the calls of the session of a connection so far.
func (c *conn) seen() []string { return c.session.policy.(*fakeSession).record() }

// TestSeen holds what reaches the session against what the MTA sent.
func TestSeen(t *testing.T) {
	dots := strings.Repeat(".", 60<<10)
	const malformed = "milter session fake: protocol error: the MTA sends a header field without name or value"
	tests := []struct {
		name  string
		sent  [][]byte
		calls []string // of the session; pieces of a body are put together
		log   string
	}{
		{"macros are of one command", [][]byte{macroPacket('H', "i", "x"), heloPacket("h"), mailPacket("<>"), macroPacket('R', "i", "y"), rcptPacket("<c@d>")}, []string{"helo h", "mail <>", "rcpt c@d <c@d> [y]"}, ""},
		{"a message", [][]byte{headerPacket("A", "b"), eohPacket, packet('B', "x"), eomPacket, mailPacket("<>")}, []string{`header A: "b"`, "eoh", `body "x"`, "end", "mail <>"}, ""},
		{"a field without value", [][]byte{packet('L', "Subject"), eohPacket}, nil, malformed},
		{"a field that is empty", [][]byte{packet('L'), eohPacket}, nil, malformed},
		{"a field without name", [][]byte{headerPacket("", "v"), eohPacket}, nil, malformed},
		{"a field with NUL in its value", [][]byte{packet('L', "A\x00b\x00c\x00")}, []string{`header A: "b"`}, ""},
		{"a field whose last NUL is missing", [][]byte{packet('L', "A\x00b")}, []string{`header A: "b"`}, ""},
		{"a field with an empty value", [][]byte{headerPacket("A", "")}, []string{`header A: ""`}, ""},
		{"a field that is long", [][]byte{headerPacket("A", dots)}, []string{`header A: "` + dots + `"`}, ""},
		{"an empty body chunk", [][]byte{eohPacket, packet('B'), eomPacket}, []string{"eoh", "end"}, ""},
		{"a body chunk that is long", [][]byte{eohPacket, packet('B', dots), eomPacket}, []string{"eoh", "body of 61440, sum " + sum(dots), "end"}, ""},
		{"length zero", [][]byte{{0, 0, 0, 0}, {'A'}}, nil, "milter session fake: packet length 0 is not between 1 and 1048576"},
		{"length too large", [][]byte{{0, 0x10, 0, 1}, {'B'}}, nil, "milter session fake: packet length 1048577 is not between 1 and 1048576"},
		{"unknown command", [][]byte{packet('U', "FOO")}, nil, `milter session fake: protocol error: the MTA sends the unknown packet 'U'`},
		{"a second negotiation", [][]byte{fullOffer}, nil, `milter session fake: protocol error: the MTA sends the unknown packet 'O'`},
		{"macros without a stage", [][]byte{packet('D')}, nil, "milter session fake: malformed macro packet"},
		{"a second connect", [][]byte{strangerPacket()}, nil, "milter session fake: protocol error: the MTA sends connect for the second time"},
		{"end within a packet", [][]byte{heloPacket("h"), {0, 0, 0, 9, 'H', 'x'}}, []string{"helo h"}, "milter session fake: unexpected EOF"},
		{"end within a body chunk", [][]byte{eohPacket, {0, 0, 0, 9, 'B', 'x'}}, []string{"eoh", `body "x"`}, "milter session fake: unexpected EOF"},
		{"end within a length", [][]byte{{0, 0}}, nil, "milter session fake: unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var errs []string
			c := scripted(&script{fragments: [][]byte{join(tt.sent)}, err: io.EOF}, &errs)
			c.serve()
			if calls := c.seen(); !slices.Equal(calls, tt.calls) {
				t.Errorf("the session sees %.200q, want %.200q", calls, tt.calls)
			}
			if log := strings.Join(errs, "; "); log != tt.log {
				t.Errorf("log %q, want %q", log, tt.log)
			}
		})
	}
}

func sum(s string) string { return fmt.Sprintf("%x", crc32.ChecksumIEEE([]byte(s))) }

// TestAnsweredWhereDue: where the MTA waits for an answer to each field and chunk, it gets one.
func TestAnsweredWhereDue(t *testing.T) {
	fake := newFake()
	m := connected(t, serveFake(t, fake).Addr, oldOffer)
	m.take(do("c", mailPacket("<a@b>")))
	body := strings.Repeat("x", 3*largeBuffer)
	for _, p := range [][]byte{headerPacket("A", ""), packet('L', "A\x00b\x00c\x00"), eohPacket, packet('B', body), packet('B'), eomPacket} {
		m.send(p)
		m.want("c")
	}
	m.quit()
	await(t, fake.ended, "the session's end")
	want := []string{`header A: ""`, `header A: "b"`, "eoh", fmt.Sprintf("body of %d, sum %s", len(body), sum(body)), "end", "close"}
	if got := fake.record()[2:]; !slices.Equal(got, want) {
		t.Errorf("calls %q, want %q", got, want)
	}
}

// TestMalformedConnect: a client that cannot be told is not taken for one.
func TestMalformedConnect(t *testing.T) {
	for name, p := range map[string][]byte{"no family": packet('C', "host\x00"), "no port": packet('C', "host\x004\x00")} {
		t.Run(name, func(t *testing.T) {
			var errs []string
			c := scripted(&script{fragments: [][]byte{p}, err: io.EOF}, &errs)
			c.phase = phaseOffer
			c.serve()
			if seen := c.seen(); len(seen) > 0 {
				t.Errorf("the session sees %q", seen)
			}
			if want := []string{"milter session fake: malformed connect packet"}; !slices.Equal(errs, want) {
				t.Errorf("log %q, want %q", errs, want)
			}
		})
	}
}

// TestDeadlines: hours between packets, half a minute for the whole of a packet that has begun, and
// for each piece of a body chunk.
func TestDeadlines(t *testing.T) {
	h, b := heloPacket("some.host.test.example"), packet('B', strings.Repeat("b", 1000))
	begin := join([][]byte{mailPacket("<>"), eohPacket})
	fragments := [][]byte{h, h[:2], h[2:7], h[7:], begin, b[:10], b[10:500], b[500:]}
	s := &script{fragments: slices.Clone(fragments), err: os.ErrDeadlineExceeded}
	var errs []string
	scripted(s, &errs).serve()
	const idle = idleDeadline + idleSlack
	want := []time.Duration{
		idle,                           // the first, which lasts
		packetDeadline,                 // three fragments, two waits within the packet but one deadline
		idle,                           // the beginning of a message
		packetDeadline, packetDeadline, // of a body chunk each piece has its own
		idle, // the end
	}
	if !slices.Equal(s.waits, want) {
		t.Errorf("deadlines %v, want %v", s.waits, want)
	}
	if len(errs) != 1 || !strings.Contains(errs[0], os.ErrDeadlineExceeded.Error()) {
		t.Errorf("log %q", errs)
	}
}

// TestDeadlinesLast: a deadline is set again only where too little is left of it.
func TestDeadlinesLast(t *testing.T) {
	const idle, write = idleDeadline + idleSlack, 2 * writeDeadline
	for _, tt := range []struct {
		name   string
		pause  time.Duration // with each of four answers
		waits  []time.Duration
		writes []time.Duration
	}{
		{"at once", 0, []time.Duration{idle}, []time.Duration{write}},
		{"after half of the time for a write", writeDeadline / 2, []time.Duration{idle}, []time.Duration{write, write}},
		{"after more than half of the slack", 6 * time.Minute, []time.Duration{idle, idle, idle}, slices.Repeat([]time.Duration{write}, 4)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := heloPacket("h")
				s := &script{fragments: [][]byte{h, h, h, h}, err: io.EOF}
				c := scripted(s, new([]string))
				c.session.policy.(*fakeSession).delays = map[string]time.Duration{"helo": tt.pause}
				c.serve()
				if !slices.Equal(s.waits, tt.waits) || !slices.Equal(s.writes, tt.writes) {
					t.Errorf("for reads %v, want %v; for writes %v, want %v", s.waits, tt.waits, s.writes, tt.writes)
				}
			})
		})
	}
}

// fragmented cuts data at random.
func fragmented(data []byte, random *rand.Rand) [][]byte {
	var fragments [][]byte
	for len(data) > 0 {
		n := 1 + random.IntN(len(data))
		if random.IntN(3) == 0 {
			n = min(n, 1+random.IntN(9))
		}
		fragments = append(fragments, data[:n])
		data = data[n:]
	}
	return fragments
}

// FuzzFragments: however the packets are cut, the session sees them as they were sent.
func FuzzFragments(f *testing.F) {
	f.Add(uint64(1), join([][]byte{heloPacket("h"), mailPacket("<a@b>", "SIZE=1"), headerPacket("A", "b"), eohPacket}))
	f.Add(uint64(2), join([][]byte{eohPacket, packet('B', strings.Repeat("x", 600)), eomPacket, mailPacket("<>")}))
	f.Add(uint64(3), join([][]byte{headerPacket("A", strings.Repeat("y", 17000)), headerPacket("B", "c"), macroPacket('N', "i", "1"), eohPacket}))
	f.Add(uint64(4), []byte{0, 0, 0, 2, 'L', 0, 0xff, 0xff, 0xff, 0xff, 'B'})
	f.Add(uint64(5), []byte{0, 0, 0, 9, 'C', 'h', 0, '4', 0, 0, '1', 0, 0, 0, 0, 0, 1, 'E', 0, 0, 0, 3, 'B', 1})
	f.Add(uint64(6), join([][]byte{eohPacket, packet('B', strings.Repeat("x", 70000)), packet('B', "y"), packet('E', "tail")}))
	type outcome struct {
		calls []string
		errs  []string
	}
	f.Fuzz(func(t *testing.T, seed uint64, sent []byte) {
		read := func(fragments [][]byte) (o outcome) {
			c := scripted(&script{fragments: fragments, err: io.EOF}, &o.errs)
			c.serve()
			o.calls = c.seen()
			return o
		}
		whole := read([][]byte{bytes.Clone(sent)})
		random := rand.New(rand.NewPCG(seed, 0))
		cut := read(fragmented(bytes.Clone(sent), random))
		if diff := cmp.Diff(whole, cut, cmp.AllowUnexported(outcome{})); diff != "" {
			t.Errorf("whole and in fragments (-whole +cut):\n%s", diff)
		}
	})
}

// TestALargePacketInPieces: however small the pieces in which it comes, a packet is put together in
// one buffer, as it was sent.
func TestALargePacketInPieces(t *testing.T) {
	const size, piece = 1 << 20, 512
	value := strings.Repeat("0123456789", size/10)
	field := headerPacket("A", value)
	inPieces := func() *conn {
		var errs []string
		fragments := slices.Concat(slices.Collect(slices.Chunk(field, piece)), [][]byte{eohPacket})
		return scripted(&script{fragments: fragments, err: io.EOF}, &errs)
	}
	c := inPieces()
	c.serve()
	if got, want := c.seen(), []string{fmt.Sprintf("header A: %q", value), "eoh"}; !slices.Equal(got, want) {
		t.Errorf("%d calls, want the field and the end of the header", len(got))
	}
	c = inPieces()
	c.session.policy.(*fakeSession).quiet = true
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c.serve()
	runtime.ReadMemStats(&after)
	if octets := after.TotalAlloc - before.TotalAlloc; octets > 4*size {
		t.Errorf("%d octets were allocated for a packet of %d", octets, len(field))
	}
}
