package milter

import (
	"slices"
	"strings"
	"testing"

	gomilter "github.com/emersion/go-milter"
)

func TestNegotiation(t *testing.T) {
	const everything = wantedProtocol
	tests := []struct {
		name     string
		offer    []byte
		actions  gomilter.OptAction
		protocol gomilter.OptProtocol
		degraded []string // a part of each
	}{
		{"the newest", fullOffer, wantedActions, everything, nil},
		{"postfix with milter_protocol 2", oldOffer, wantedActions &^ gomilter.OptSetSymList, 0, []string{"macros", "refuses itself", "blanks", "waits"}},
		{
			"nothing granted", packet('O', 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0),
			0, 0,
			[]string{"removed", "tagged", "changed", "held", "macros", "refuses itself", "blanks", "waits"},
		},
		{
			"header answers only", packet('O', 0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xff, 0x7f),
			wantedActions, everything &^ gomilter.OptNoHeaderReply,
			[]string{"waits"},
		},
		{"more than anyone knows", packet('O', 0, 0, 0, 9, 255, 255, 255, 255, 255, 255, 255, 255), wantedActions, everything, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := serve(t, silentSession)
			var m *mta
			for range 2 { // what is degraded is said once
				m = negotiated(t, server.Addr, tt.offer)
				if m.actions != tt.actions || m.granted != tt.protocol {
					t.Errorf("asked for %#x and %#x, want %#x and %#x", m.actions, m.granted, tt.actions, tt.protocol)
				}
				m.quit()
			}
			asked := m.macros[gomilter.StageConnect] != ""
			if want := tt.actions&gomilter.OptSetSymList != 0; asked != want {
				t.Errorf("macros asked for: %v, want %v: %v", asked, want, m.macros)
			}
			_, degraded := server.said()
			if len(degraded) != len(tt.degraded) {
				t.Fatalf("degraded %q, want %q", degraded, tt.degraded)
			}
			for i, part := range tt.degraded {
				if !strings.Contains(degraded[i], part) {
					t.Errorf("degraded %q, want something of %q", degraded[i], part)
				}
			}
		})
	}
}

// TestMacrosAsked: Sendmail needs both of the last two stages set.
func TestMacrosAsked(t *testing.T) {
	m := negotiated(t, serve(t, silentSession).Addr, fullOffer)
	for stage, macro := range map[gomilter.Stage]string{
		gomilter.StageConnect: "{daemon_port}", gomilter.StageHelo: "{tls_version}", gomilter.StageMailFrom: "{auth_authen}",
		gomilter.StageRcptTo: "{rcpt_mailer}", gomilter.StageEOH: "i", gomilter.StageEOM: "i",
	} {
		if !slices.Contains(strings.Fields(m.macros[stage]), macro) {
			t.Errorf("stage %d: %q lacks %s", stage, m.macros[stage], macro)
		}
	}
	m.quit()
}

func TestNoMTA(t *testing.T) {
	tests := []struct{ name, sent, log string }{
		{"nothing", "", ""},
		{"web browser", "GET / HTTP/1.1\r\n\r\n", "milter connection from HERE: packet length 1195725856 is not between 1 and 1048576"},
		{"no negotiation", string(heloPacket("h")), "milter connection from HERE: the peer does not begin with option negotiation: is it an MTA?"},
		{"a body", string(packet('B', "x")), "milter connection from HERE: the peer does not begin with option negotiation: is it an MTA?"},
		{"a short offer", string(packet('O', 0, 0, 0, 6)), "milter connection from HERE: malformed option negotiation packet"},
		{
			"version 1", string(packet('O', 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)),
			"milter connection from HERE: the MTA speaks milter protocol version 1, at least 2 is needed",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := serve(t, func() Session {
				t.Error("a session for what is no MTA")
				return silentSession()
			})
			conn := dial(t, server.Addr)
			if _, err := conn.Write([]byte(tt.sent)); err != nil {
				t.Fatal(err)
			}
			if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if code, data, err := (&mta{conn: conn}).read(); err == nil {
				t.Errorf("answered with %q %q", code, data)
			}
			shutDown(t, server)
			errs, _ := server.said()
			got := strings.ReplaceAll(strings.Join(errs, "; "), server.Addr.String(), "HERE")
			if got != tt.log {
				t.Errorf("log %q, want %q", got, tt.log)
			}
		})
	}
}

// TestPanicOfTheWire: it ends its connection, and no other.
func TestPanicOfTheWire(t *testing.T) {
	sessions := make(chan Session, 1)
	server := serve(t, func() Session {
		if session := <-sessions; session != nil {
			return session
		}
		panic("test")
	})
	sessions <- nil
	m := &mta{tb: t, conn: dial(t, server.Addr)}
	m.send(fullOffer)
	m.wantEnd()
	sessions <- silentSession()
	negotiated(t, server.Addr, fullOffer).quit()
	shutDown(t, server)
	if errs, _ := server.said(); len(errs) != 1 || !strings.Contains(errs[0], ": panic: test\n") {
		t.Errorf("errors %q", errs)
	}
}

// FuzzAgree: never is anything asked for that is not offered.
func FuzzAgree(f *testing.F) {
	f.Add(fullOffer[5:])
	f.Add(oldOffer[5:])
	f.Add([]byte{0, 0, 0, 1, 0, 0})
	f.Fuzz(func(t *testing.T, offer []byte) {
		granted, err := agree(offer)
		if err != nil {
			return
		}
		var actions, protocol uint32
		for i := range 4 {
			actions = actions<<8 | uint32(offer[4+i])
			protocol = protocol<<8 | uint32(offer[8+i])
		}
		if uint32(granted.actions)&^actions != 0 || uint32(granted.protocol)&^protocol != 0 {
			t.Errorf("offer %x is answered with %+v", offer, granted)
		}
		if len(granted.degradations()) == 0 && (granted.actions != wantedActions || granted.protocol&noReplies != noReplies) {
			t.Errorf("offer %x: %+v is degraded, and nobody is told", offer, granted)
		}
	})
}
