package milter

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	gomilter "github.com/emersion/go-milter"
)

// script is an MTA that has said everything already: each read yields the next fragment. It keeps the deadlines that
// are set before reads.
type script struct {
	net.Conn
	fragments [][]byte
	waits     []time.Duration
	err       error // after the last fragment
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

func (s *script) Write(p []byte) (int, error)        { return len(p), nil }
func (s *script) SetWriteDeadline(t time.Time) error { return nil }
func (s *script) Close() error                       { return nil }

// scripted is a connection as the library has it, on a script, within a transaction.
func scripted(s *script, errs *[]string) *conn {
	c := &conn{Conn: s, phase: phaseEnvelope, closed: func() {}, log: func(err error) { *errs = append(*errs, err.Error()) }}
	c.in = reader{conn: s, buffers: new(buffers)}
	c.session = &session{conn: c, policy: newFake(), terms: terms{protocol: wantedProtocol}, goOn: goOn()}
	return c
}

// libraryPackets reads what the library would, and plays its part in what it is called for.
func libraryPackets(c *conn) (packets [][]byte, err error) {
	for {
		var length [4]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return packets, err
		}
		size := int(length[2])<<8 | int(length[3]) | int(length[1])<<16
		data := make([]byte, size)
		if _, err := io.ReadFull(c, data); err != nil {
			return packets, err
		}
		packets = append(packets, append(length[:], data...))
		switch gomilter.Code(data[0]) {
		case gomilter.CodeEOB:
			c.over, c.ended = true, true
			fallthrough
		case gomilter.CodeHelo, gomilter.CodeMail, gomilter.CodeRcpt:
			_, _ = c.Write(packet('c'))
		}
	}
}

// TestLibrarySees holds what reaches the library against what the MTA sent.
func TestLibrarySees(t *testing.T) {
	long := strings.Repeat("x", 40<<10)
	dots := strings.Repeat(".", 60<<10)
	header := headerPacket("A", "b")
	tests := []struct {
		name string
		sent [][]byte
		seen [][]byte
		log  string
	}{
		{"macros do not reach it", [][]byte{macroPacket('H', "i", "x"), heloPacket("h"), macroPacket('M')}, [][]byte{heloPacket("h")}, ""},
		{
			"an abort of ours after a message",
			[][]byte{header, eomPacket, mailPacket("<>")},
			[][]byte{header, eomPacket, abortPacket, mailPacket("<>")},
			"",
		},
		{
			"none after a message without header fields",
			[][]byte{eohPacket, eomPacket, mailPacket("<>")},
			[][]byte{eohPacket, eomPacket, mailPacket("<>")},
			"",
		},
		{
			"an abort of ours within a huge header",
			[][]byte{headerPacket("A", long), headerPacket("B", long), headerPacket("C", long), eohPacket},
			[][]byte{headerPacket("A", long), headerPacket("B", long), abortPacket, headerPacket("C", long), eohPacket},
			"",
		},
		{"a header without NUL", [][]byte{packet('L', "Subject"), eohPacket}, [][]byte{eohPacket}, ""},
		{"a header that is empty", [][]byte{packet('L'), eohPacket}, [][]byte{eohPacket}, ""},
		{"a header without name", [][]byte{headerPacket("", "v"), eohPacket}, [][]byte{eohPacket}, ""},
		{"a header with NUL in its value", [][]byte{packet('L', "A\x00b\x00c\x00"), eohPacket}, [][]byte{header, eohPacket}, ""},
		{"a header whose last NUL is missing", [][]byte{packet('L', "A\x00b")}, [][]byte{packet('L', "A\x00b")}, ""},
		{"a header that is long", [][]byte{headerPacket("A", dots)}, [][]byte{headerPacket("A", dots)}, ""},
		{"a body chunk that is long", [][]byte{eohPacket, packet('B', dots), eomPacket}, [][]byte{eohPacket, packet('B', dots), eomPacket}, ""},
		{"length zero", [][]byte{{0, 0, 0, 0}, {'A'}}, nil, "milter session fake: packet length 0 is not between 1 and 1048576"},
		{"length too large", [][]byte{{0, 0x10, 0, 1}, {'B'}}, nil, "milter session fake: packet length 1048577 is not between 1 and 1048576"},
		{"unknown command", [][]byte{packet('U', "FOO")}, nil, `milter session fake: unexpected command 'U'`},
		{"a second negotiation", [][]byte{fullOffer}, nil, `milter session fake: unexpected command 'O'`},
		{"macros without a stage", [][]byte{packet('D')}, nil, "milter session fake: malformed macro packet"},
		{"a second connect", [][]byte{strangerPacket()}, nil, "milter session fake: protocol error: the MTA sends connect for the second time"},
		{"end within a packet", [][]byte{heloPacket("h"), {0, 0, 0, 9, 'H', 'x'}}, [][]byte{heloPacket("h")}, "milter session fake: unexpected EOF"},
		{"end within a length", [][]byte{{0, 0}}, nil, "milter session fake: unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var errs []string
			c := scripted(&script{fragments: [][]byte{join(tt.sent)}, err: io.EOF}, &errs)
			seen, err := libraryPackets(c)
			if !errors.Is(err, io.EOF) {
				t.Errorf("the library gets %v, want EOF: it logs everything else", err)
			}
			if !slices.EqualFunc(seen, tt.seen, bytes.Equal) {
				t.Errorf("seen %.200q, want %.200q", seen, tt.seen)
			}
			if log := strings.Join(errs, "; "); log != tt.log {
				t.Errorf("log %q, want %q", log, tt.log)
			}
		})
	}
}

// TestUnsplitHeaderIsAnswered: where the MTA waits for an answer to each header field, it gets one to these too.
func TestUnsplitHeaderIsAnswered(t *testing.T) {
	fake := newFake()
	m := connected(t, serveFake(t, fake).Addr, oldOffer)
	m.take(do("c", mailPacket("<a@b>")))
	for _, p := range [][]byte{packet('L', "Subject"), headerPacket("", "v"), packet('L', "A\x00b\x00c\x00"), headerPacket("A", "")} {
		m.send(p)
		m.want("c")
	}
	m.quit()
	await(t, fake.ended, "the session's end")
	want := []string{`header A: "b"`, `header A: ""`, "close"}
	if got := fake.record()[2:]; !slices.Equal(got, want) {
		t.Errorf("calls %q, want %q", got, want)
	}
}

// TestDeadlines: hours between packets, half a minute for the whole of a packet that has begun.
func TestDeadlines(t *testing.T) {
	h, b := heloPacket("some.host.test.example"), packet('B', strings.Repeat("b", 1000))
	begin := join([][]byte{mailPacket("<>"), eohPacket})
	fragments := [][]byte{h, h[:2], h[2:7], h[7:], begin, b[:10], b[10:500], b[500:]}
	s := &script{fragments: slices.Clone(fragments), err: os.ErrDeadlineExceeded}
	var errs []string
	if _, err := libraryPackets(scripted(s, &errs)); !errors.Is(err, io.EOF) {
		t.Errorf("err %v", err)
	}
	want := []time.Duration{
		idleDeadline,                 // the first
		idleDeadline, packetDeadline, // three fragments, two waits within the packet but one deadline
		idleDeadline,                 // the beginning of a message
		idleDeadline, packetDeadline, // the same for the body
		idleDeadline, // the end
	}
	if !slices.Equal(s.waits, want) {
		t.Errorf("deadlines %v, want %v", s.waits, want)
	}
	if len(errs) != 1 || !strings.Contains(errs[0], os.ErrDeadlineExceeded.Error()) {
		t.Errorf("log %q", errs)
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

// FuzzFragments: however the packets are cut, the library sees them as they were sent.
func FuzzFragments(f *testing.F) {
	f.Add(uint64(1), join([][]byte{strangerPacket(), heloPacket("h"), mailPacket("<a@b>", "SIZE=1"), headerPacket("A", "b"), eohPacket}))
	f.Add(uint64(2), join([][]byte{packet('B', strings.Repeat("x", 600)), eomPacket, mailPacket("<>")}))
	f.Add(uint64(3), join([][]byte{headerPacket("A", strings.Repeat("y", 17000)), headerPacket("B", "c"), macroPacket('N', "i", "1"), eohPacket}))
	f.Add(uint64(4), []byte{0, 0, 0, 2, 'L', 0, 0xff, 0xff, 0xff, 0xff, 'B'})
	f.Add(uint64(5), []byte{0, 0, 0, 9, 'C', 'h', 0, '4', 0, 0, '1', 0, 0, 0, 0, 0, 1, 'E', 0, 0, 0, 3, 'B', 1})
	f.Fuzz(func(t *testing.T, seed uint64, sent []byte) {
		read := func(fragments [][]byte) ([][]byte, []string) {
			var errs []string
			packets, _ := libraryPackets(scripted(&script{fragments: fragments, err: io.EOF}, &errs))
			return packets, errs
		}
		whole, wholeErrs := read([][]byte{bytes.Clone(sent)})
		random := rand.New(rand.NewPCG(seed, 0))
		cut, cutErrs := read(fragmented(bytes.Clone(sent), random))
		if !slices.EqualFunc(whole, cut, bytes.Equal) || !slices.Equal(wholeErrs, cutErrs) {
			t.Errorf("whole %q %q, in fragments %q %q", whole, wholeErrs, cut, cutErrs)
		}
		for _, p := range whole {
			if code := p[lengthSize]; code == 'L' && !splits(p) || !strings.ContainsRune("ABCEHLMNQRT", rune(code)) {
				t.Errorf("the library must not see %q", p)
			}
		}
	})
}

// splits reports whether the library finds a name and a value, as its decodeCStrings does.
func splits(packet []byte) bool {
	parts := strings.Split(strings.Trim(string(packet[lengthSize+1:]), "\x00"), "\x00")
	return len(parts) <= 2 && packet[lengthSize+1] != 0
}
