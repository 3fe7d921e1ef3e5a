package milter

import (
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/policy"
)

// TestPanics: a panic is a fault of its message, the answers stay in step, and the session goes on.
func TestPanics(t *testing.T) {
	fault := refuseWith(t, 451, "4.3.0", "Unable to process email at this time")
	const unableReply = "y 451 4.3.0 Unable to process email at this time"
	tests := []struct {
		name   string
		panics map[string]int
		end    string // reply to the end of the message
		want   []string
	}{
		{"connect", map[string]int{"connect": 1}, "c", []string{"fault panic: test: connect"}},
		{"helo", map[string]int{"helo": 1}, "c", []string{"fault panic: test: helo"}},
		{"mail", map[string]int{"mail": 1}, "c", []string{"fault panic: test: mail"}},
		{"rcpt", map[string]int{"rcpt": 1}, "c", []string{"fault panic: test: rcpt"}},
		{"header", map[string]int{"header": 1}, "c", []string{"fault panic: test: header"}},
		{"eoh", map[string]int{"eoh": 1}, "c", []string{"fault panic: test: eoh"}},
		{"body", map[string]int{"body": 1}, "c", []string{"fault panic: test: body"}},
		{"end, asked once more", map[string]int{"end": 1}, "c", []string{"fault panic: test: end"}},
		{"end, twice", map[string]int{"end": 2}, unableReply, []string{"fault panic: test: end", "fault panic: test: end"}},
		{"abort and close", map[string]int{"abort": 1, "close": 1}, "c", []string{"fault panic: test: abort"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			atTheEnd := tt.panics["close"] > 0
			fake := newFake()
			fake.panics = tt.panics
			fake.answers = map[string]policy.Answer{"rcpt bad@d <bad@d>": fault}
			server := serveFake(t, fake)
			m := negotiated(t, server.Addr, fullOffer)
			for _, turn := range []turn{
				do("c", strangerPacket(), heloPacket("h")), do("c", mailPacket("<a@b>")), do("c", rcptPacket("<c@d>")),
				do(tt.end, headerPacket("A", "b"), eohPacket, packet('B', "x"), eomPacket),
				do("c", resetPacket, mailPacket("<a@b>")), do(unableReply, rcptPacket("<bad@d>")),
			} {
				m.take(turn)
			}
			m.quit()
			shutDown(t, server)
			faults := slices.DeleteFunc(fake.record(), func(c string) bool { return !strings.HasPrefix(c, "fault") })
			if !slices.Equal(faults, tt.want) {
				t.Errorf("faults %q, want %q", faults, tt.want)
			}
			errs, _ := server.said()
			logged := slices.ContainsFunc(errs, func(e string) bool { return strings.Contains(e, "at its end: panic: test: close\n") })
			if logged != atTheEnd {
				t.Errorf("the log says %q", errs)
			}
		})
	}
}

// TestFaultInTheRealPolicy: what the wire reports as a fault is answered by the policy at the end
// of that message, not of the next.
func TestFaultInTheRealPolicy(t *testing.T) {
	reply := &policy.Reply{ID: "test", Row: "T", Code: 550, Enhanced: "5.7.1", Text: "No"}
	broken := true
	runner := newPolicyRunner(t, reply, policy.Hooks{Header: func(*policy.Message, policy.Field) {
		if broken {
			broken = false
			panic("test")
		}
	}})
	m := negotiated(t, serve(t, func() Session { return runner.NewSession() }).Addr, fullOffer)
	m.take(do("c", strangerPacket(), heloPacket("h")))
	for _, end := range []string{"y 451 4.3.0 Unable to process email at this time", "c"} {
		m.take(do("c", mailPacket("<a@b>")))
		m.take(do("c", rcptPacket("<c@d>")))
		m.take(do(end, headerPacket("A", "b"), eohPacket, packet('B', "x"), eomPacket))
		m.take(do("", resetPacket))
	}
	m.quit()
}

// TestEdits: edits go out in their order, as far as the MTA lets us; the policy is told what it
// does not.
func TestEdits(t *testing.T) {
	rcpt := func(spelling string) policy.Edit {
		return policy.RemoveRecipient(&policy.Recipient{RcptFacts: policy.RcptFacts{Spelling: spelling}})
	}
	edits := policy.Answer{Edits: []policy.Edit{
		rcpt("<c@d>"), rcpt("plain@d"), rcpt(`<"q@r"@d>`), policy.AddField("X-Tag", "a"), policy.InsertField(1, "X-Top", "b"),
		policy.ReplaceField("Subject", 2, "c"), policy.DeleteField("X-Old", 3), policy.Quarantine("look at it"), policy.AddField("X-Tag", "d"),
	}}
	removals := []string{"- <c@d>", "- <plain@d>", `- <"q@r"@d>`}
	added, inserted := []string{"h X-Tag\x00 a"}, []string{"i \x00\x00\x00\x01X-Top\x00 b"}
	changed := []string{"m \x00\x00\x00\x02Subject\x00 c", "m \x00\x00\x00\x03X-Old\x00"}
	held, last := []string{"q look at it"}, []string{"h X-Tag\x00 d"}
	for _, tt := range []struct {
		name     string
		actions  int // those that are offered
		protocol int
		packets  []string
		denied   policy.EditKinds
	}{
		{"all granted", 0xff, 0x1f, slices.Concat(removals, added, inserted, changed, held, last), 0},
		{"no removals", 0xf7, 0x1f, slices.Concat(added, inserted, changed, held, last), policy.Kinds(policy.EditRemoveRecipient)},
		{"no new fields", 0xfe, 0x1f, slices.Concat(removals, changed, held), policy.Kinds(policy.EditAdd, policy.EditInsert)},
		{"no changed fields", 0xef, 0x1f, slices.Concat(removals, added, inserted, held, last), policy.Kinds(policy.EditReplace, policy.EditDelete)},
		{"no quarantine", 0xdf, 0x1f, slices.Concat(removals, added, inserted, changed, last), policy.Kinds(policy.EditQuarantine)},
		{"blanks are the MTA's", 0xc1, 0x0f, []string{"h X-Tag\x00a", "i \x00\x00\x00\x01X-Top\x00b", "h X-Tag\x00d"}, ^policy.Kinds(policy.EditAdd, policy.EditInsert) & 0x3f},
	} {
		t.Run(tt.name, func(t *testing.T) {
			session := &fieldsSession{fakeSession: newFake()}
			session.answers = map[string]policy.Answer{"end": edits}
			m := connected(t, serve(t, func() Session { return session }).Addr, packet('O', 0, 0, 0, 6, 0, 0, 1, tt.actions, 0, tt.protocol, 0xff, 0xff))
			m.take(do("c", mailPacket("<a@b>")))
			m.send(eohPacket, eomPacket)
			for _, packet := range tt.packets {
				m.want(packet)
			}
			m.want("c")
			m.quit()
			await(t, session.ended, "the session's end")
			if session.denied != tt.denied {
				t.Errorf("denied %b, want %b", session.denied, tt.denied)
			}
		})
	}
}

// TestFolded: long values are folded where they have blanks, and unfolding gives them back.
func TestFolded(t *testing.T) {
	long, endless := strings.Repeat("a word ", 40)+"end", strings.Repeat("x", 2500)
	for _, tt := range []struct{ name, value, want string }{
		{"short", "a b", "a b"},
		{"exactly one line", strings.Repeat("x", 71), strings.Repeat("x", 71)},
		{"one octet more", strings.Repeat("x", 60) + " 12345678901", strings.Repeat("x", 60) + "\n 12345678901"},
		{"a line that is full", strings.Repeat("x", 60) + " 1234567890 y", strings.Repeat("x", 60) + " 1234567890\n y"},
		{"several blanks", strings.Repeat("x", 60) + "   12345678901", strings.Repeat("x", 60) + "  \n 12345678901"},
		{"long", long, ""},
		{"a word longer than any line", "a " + endless + " b", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := folded("X-Tag", tt.value)
			if tt.want != "" && got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			for i, line := range strings.Split("X-Tag: "+got, "\n") {
				words := strings.Fields(line)
				if len(line) > lineLengthMax || len(line) > lineLength && len(words) > 2 || i > 0 && line[0] != ' ' || len(words) == 0 {
					t.Errorf("line of %d octets: %.100q", len(line), line)
				}
			}
			if unfolded := strings.ReplaceAll(got, "\n", ""); unfolded != tt.value && !strings.Contains(tt.value, endless) {
				t.Errorf("unfolded %q, want %q", unfolded, tt.value)
			}
			if squeezed := strings.NewReplacer("\n", "", " ", "").Replace(got); squeezed != strings.ReplaceAll(tt.value, " ", "") {
				t.Errorf("not all is there: %q", squeezed)
			}
		})
	}
}

// TestFoldedBehindALongName: a name may be as long as any line, or longer.
func TestFoldedBehindALongName(t *testing.T) {
	for _, octets := range []int{lineLengthMax - 3, lineLengthMax, 5 * lineLengthMax} {
		got := folded(strings.Repeat("X", octets), "a b")
		if strings.NewReplacer("\n", "", " ", "").Replace(got) != "ab" {
			t.Errorf("behind %d octets: %q", octets, got)
		}
	}
}

// fieldsSession keeps the fields that the wire hands on, and which edits the MTA denies.
type fieldsSession struct {
	*fakeSession
	fields []policy.Field
	denied policy.EditKinds
}

func (s *fieldsSession) Connect(c policy.ConnectFacts) { s.denied = c.Denied }

func (s *fieldsSession) Header(f policy.Field, _ string) { s.fields = append(s.fields, f) }

// TestBlanks: what stands behind a colon is told to the octet, where the MTA shows it; checks read
// the value without the one usual blank in any case.
func TestBlanks(t *testing.T) {
	for _, tt := range []struct {
		name, sent  string
		leadingless bool // the MTA takes the blank off
		want        policy.Field
		text        string
	}{
		{"usual", " a", false, policy.Field{Value: "a"}, " a"},
		{"none", "a", false, policy.Field{Value: "a", Unspaced: true}, "a"},
		{"tab", "\ta", false, policy.Field{Value: "\ta", Unspaced: true}, "\ta"},
		{"two", "  a ", false, policy.Field{Value: " a "}, "  a "},
		{"empty", "", false, policy.Field{Unspaced: true}, ""},
		{"blank", " ", false, policy.Field{}, " "},
		{"folded at once", "\n a", false, policy.Field{Value: "\n a", Unspaced: true}, "\n a"},
		{"not shown", "a", true, policy.Field{Value: "a"}, " a"},
		{"one of two shown", " a", true, policy.Field{Value: " a"}, "  a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			offer := fullOffer
			if tt.leadingless {
				offer = packet('O', 0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x0f, 0xff, 0xff)
			}
			session := &fieldsSession{fakeSession: newFake()}
			m := connected(t, serve(t, func() Session { return session }).Addr, offer)
			m.take(do("c", mailPacket("<a@b>")))
			m.take(do("c", headerPacket("A", tt.sent), eohPacket, eomPacket))
			m.quit()
			await(t, session.ended, "the session's end")
			tt.want.Name = "A"
			if got := session.fields; len(got) != 1 || got[0] != tt.want || got[0].Text() != tt.text {
				t.Errorf("fields %+v, want %+v with the text %q", got, tt.want, tt.text)
			} else if want := len("A:" + tt.text + "\r\n"); got[0].Octets() != want {
				t.Errorf("%d octets, want %d", got[0].Octets(), want)
			}
		})
	}
}

// TestProgress: an MTA that waits long for the answer to a message hears of it, and of nothing
// after the answer.
func TestProgress(t *testing.T) {
	slow := newFake()
	slow.block = map[string]chan struct{}{"end": make(chan struct{})}
	server := serveFake(t, slow, progressing(time.Millisecond))
	m := connected(t, server.Addr, fullOffer)
	m.take(do("c", mailPacket("<a@b>")))
	m.send(eohPacket, eomPacket)
	for range 3 {
		m.want("p")
	}
	close(slow.block["end"])
	code := byte('p')
	for code == 'p' {
		var err error
		if code, _, err = m.read(); err != nil {
			t.Fatal(err)
		}
	}
	if code != 'c' {
		t.Errorf("answered with %q", code)
	}
	m.take(do("c", heloPacket("h")))
	m.quit()
}

// TestProgressInTime: Sendmail waits 10 s for a packet by default. Before the end of the message
// neither MTA reads progress, so nothing is sent.
func TestProgressInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		filter, peer := net.Pipe()
		fake := newFake()
		fake.delays = map[string]time.Duration{"eoh": 15 * time.Second, "end": 15 * time.Second}
		server := &Server{NewSession: func() Session { return fake }}
		server.start(pipeConn{filter})
		m := &mta{tb: t, conn: peer}
		if err := m.negotiate(fullOffer); err != nil {
			t.Fatal(err)
		}
		m.take(do("c", strangerPacket(), mailPacket("<a@b>")))
		m.send(eohPacket)
		began := time.Now()
		m.send(eomPacket) // taken once the policy is done with the header
		if waited := time.Since(began); waited != fake.delays["eoh"] {
			t.Errorf("something was sent within %v", waited)
		}
		began = time.Now()
		for _, after := range []time.Duration{4 * time.Second, 8 * time.Second, 12 * time.Second} {
			m.want("p")
			if waited := time.Since(began); waited != after {
				t.Errorf("progress after %v, want %v", waited, after)
			}
		}
		m.want("c")
		m.quit()
		server.running.Wait()
	})
}

// pipeConn is a connection without a network, in one process.
type pipeConn struct{ net.Conn }

func (pipeConn) RemoteAddr() net.Addr { return &net.UnixAddr{Name: "@", Net: "unix"} }
func (pipeConn) LocalAddr() net.Addr  { return &net.UnixAddr{Name: "/pipe", Net: "unix"} }

// TestSlowPolicy: a session that waits for the policy holds up no other.
func TestSlowPolicy(t *testing.T) {
	slow := newFake()
	slow.block = map[string]chan struct{}{"end": make(chan struct{})}
	sessions := make(chan Session, 2)
	sessions <- slow
	sessions <- silentSession()
	server := serve(t, func() Session { return <-sessions })
	m := connected(t, server.Addr, fullOffer)
	m.take(do("c", mailPacket("<a@b>")))
	m.send(eohPacket, eomPacket)

	other := connected(t, server.Addr, fullOffer)
	other.take(do("c", mailPacket("<a@b>")))
	other.take(do("c", eohPacket, eomPacket))
	other.quit()

	close(slow.block["end"])
	m.want("c")
	m.quit()
}
