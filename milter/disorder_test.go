package milter

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/policy"
)

// TestOutOfOrder: what no MTA sends in this order ends the connection, with one line in the log and
// without an answer for the message.
func TestOutOfOrder(t *testing.T) {
	client, mail, rcpt := strangerPacket(), mailPacket("<a@b>"), rcptPacket("<c@d>")
	field, body := headerPacket("A", "b"), packet('B', "x")
	helo := heloPacket("h")
	tests := []struct {
		name    string
		packets [][]byte // the last one is out of order
		log     string
	}{
		{"HELO before connect", [][]byte{helo}, "HELO before connect"},
		{"MAIL before connect", [][]byte{mail}, "MAIL before connect"},
		{"RCPT before connect", [][]byte{resetPacket, rcpt}, "RCPT before connect"},
		{"end before connect", [][]byte{eomPacket}, "the end of a message before connect"},
		{"two clients", [][]byte{client, client}, "connect for the second time"},
		{"two clients in a message", [][]byte{client, mail, rcpt, client}, "connect for the second time"},
		{"RCPT without MAIL", [][]byte{client, helo, rcpt}, "RCPT without MAIL"},
		{"field without MAIL", [][]byte{client, field}, "a header field without MAIL"},
		{"end of header without MAIL", [][]byte{client, eohPacket}, "the end of the header without MAIL"},
		{"body without MAIL", [][]byte{client, body}, "a body without MAIL"},
		{"end without MAIL", [][]byte{client, eomPacket}, "the end of a message without MAIL"},
		{"RCPT after RSET", [][]byte{client, mail, resetPacket, rcpt}, "RCPT without MAIL"},
		{"RCPT after HELO", [][]byte{client, mail, helo, rcpt}, "RCPT without MAIL"},
		{"RCPT after a refused MAIL", [][]byte{client, mailPacket("<bad@b>"), rcpt}, "RCPT without MAIL"},
		{"RCPT after the message", [][]byte{client, mail, rcpt, eohPacket, eomPacket, rcpt}, "RCPT without MAIL"},
		{"two ends", [][]byte{client, mail, rcpt, eohPacket, eomPacket, eomPacket}, "the end of a message without MAIL"},
		{"RCPT within the header", [][]byte{client, mail, field, rcpt}, "RCPT within the header"},
		{"body within the header", [][]byte{client, mail, field, body}, "a body within the header"},
		{"body without a header", [][]byte{client, mail, body}, "a body within the header"},
		{"RCPT after the header", [][]byte{client, mail, eohPacket, rcpt}, "RCPT after the end of the header"},
		{"field after the header", [][]byte{client, mail, eohPacket, field}, "a header field after the end of the header"},
		{"field after the body", [][]byte{client, mail, eohPacket, body, field}, "a header field after the end of the header"},
		{"two ends of the header", [][]byte{client, mail, eohPacket, eohPacket}, "the end of the header after the end of the header"},
		{"RCPT after HELO in the header", [][]byte{client, mail, rcpt, field, helo, rcpt}, "RCPT without MAIL"},
		{"end after HELO in a message", [][]byte{client, mail, rcpt, eohPacket, body, helo, eomPacket}, "the end of a message without MAIL"},
		{"field after a second MAIL's end", [][]byte{client, mail, rcpt, field, mail, eohPacket, eomPacket, field}, "a header field without MAIL"},
		{"client after HELO", [][]byte{client, helo, client}, "connect for the second time"},
		{"client after the message", [][]byte{client, mail, rcpt, eohPacket, eomPacket, client}, "connect for the second time"},
		{"MAIL after quit", [][]byte{client, join([][]byte{quitPacket, mail})}, "more after it has quit"},
	}
	refused := refuseWith(t, 550, "5.7.1", "No")
	for _, tt := range tests {
		for offerName, offer := range map[string][]byte{"new": fullOffer, "old": oldOffer} {
			t.Run(tt.name+", "+offerName+" offer", func(t *testing.T) {
				fake := newFake()
				fake.answers = map[string]policy.Answer{"mail <bad@b>": refused}
				server := serveFake(t, fake)
				m := negotiated(t, server.Addr, offer)
				for i, p := range tt.packets {
					m.send(p)
					if i < len(tt.packets)-1 && m.replyDue(p[lengthSize]) {
						if _, _, err := m.read(); err != nil {
							t.Fatal(err)
						}
					}
				}
				m.wantEnd()
				shutDown(t, server)
				errs, _ := server.said()
				want := "milter session fake: protocol error: the MTA sends " + tt.log
				if !slices.Equal(errs, []string{want}) {
					t.Errorf("log %q, want %q", errs, want)
				}
			})
		}
	}
}

// order is what a policy may see: the first letter of each call, with R for refusedByMTA, M for a
// refused MAIL, and N for the end of the header.
var order = regexp.MustCompile(`^a*(c([ha]|M|m[rR]*(l*(Nb*e?)?)?)*)?q$`)

// letters are the calls of a session, a letter each.
func letters(calls []string) string {
	var b strings.Builder
	for _, call := range calls {
		name, rest, _ := strings.Cut(call, " ")
		switch {
		case name == "refused":
			b.WriteByte('R')
		case name == "mail" && strings.HasPrefix(rest, "<bad"):
			b.WriteByte('M')
		case name == "eoh":
			b.WriteByte('N')
		case name == "header":
			b.WriteByte('l')
		case name == "helo":
			b.WriteByte('h')
		case name == "close":
			b.WriteByte('q')
		default:
			b.WriteByte(name[0])
		}
	}
	return b.String()
}

// FuzzOrder: whatever a peer sends in whatever order, the policy sees an orderly dialog and nothing
// panics. Each octet of the input is a packet.
func FuzzOrder(f *testing.F) {
	packets := [][]byte{
		strangerPacket(), heloPacket("h"), mailPacket("<a@b>"), mailPacket("<bad@b>"), rcptPacket("<c@d>"),
		join([][]byte{macroPacket('R', "{rcpt_mailer}", "error"), rcptPacket("<x@y>")}), headerPacket("A", "b"), eohPacket,
		packet('B', "x"), eomPacket, packet('E', "tail"), resetPacket, quitPacket, macroPacket('M', "{auth_type}", "x"), packet('T'),
		packet('L', "unsplit"), packet('U', "x"), fullOffer,
	}
	f.Add([]byte{0, 1, 2, 4, 6, 7, 8, 9, 11, 2, 4, 7, 9, 12}, false)
	f.Add([]byte{0, 1, 2, 4, 5, 1, 11, 3, 2, 9, 2, 6, 9, 12}, true)
	f.Add([]byte{2}, false)
	f.Add([]byte{0, 0}, false)
	f.Add([]byte{0, 2, 7, 7}, true)
	refused := refuseWith(f, 550, "5.7.1", "No")
	f.Fuzz(func(t *testing.T, sent []byte, old bool) {
		offer := fullOffer
		if old {
			offer = oldOffer
		}
		fragments := [][]byte{slices.Clone(offer)}
		for _, b := range sent {
			fragments = append(fragments, slices.Clone(packets[int(b)%len(packets)]))
		}
		fake := newFake()
		fake.answers = map[string]policy.Answer{"mail <bad@b>": refused}
		var errs []string
		server := &Server{
			NewSession: func() Session { return fake },
			ErrorLog:   func(err error) { errs = append(errs, err.Error()) },
		}
		server.start(pipeConn{&script{fragments: fragments, err: io.EOF}})
		server.running.Wait()
		if seen := letters(fake.record()); !order.MatchString(seen) {
			t.Errorf("packets %v: the policy sees %s", sent, seen)
		}
		if len(errs) > 1 {
			t.Errorf("packets %v: more than one line: %q", sent, errs)
		}
	})
}
