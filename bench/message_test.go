package main

import (
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"

	"mailweir/test/testbed"
	"mailweir/test/wire"
)

// offerReply is a filter's answer to the offer.
func offerReply(version, protocol uint32, macros string) []byte {
	data := binary.BigEndian.AppendUint32(nil, version)
	data = binary.BigEndian.AppendUint32(data, 0)
	data = binary.BigEndian.AppendUint32(data, protocol)
	return append(data, macros...)
}

// commands lists the commands of a plan in order, D for macros, with "." where
// the MTA waits.
func commands(t *testing.T, exchanges []exchange) string {
	t.Helper()
	var b strings.Builder
	for _, e := range exchanges {
		var octets []byte
		for _, w := range e.writes {
			if len(w) == 0 || len(w) > streamBuffer {
				t.Errorf("a write of %d octets", len(w))
			}
			octets = append(octets, w...)
		}
		for len(octets) > 0 {
			length := binary.BigEndian.Uint32(octets)
			b.WriteByte(octets[4])
			octets = octets[4+length:]
		}
		for range e.waits {
			b.WriteByte('.')
		}
	}
	return b.String()
}

func TestSessionFollowsTheTerms(t *testing.T) {
	headers := func(one string) string { return strings.Repeat(one, 20) }
	const noReply = 0x1000 | 0x80 | 0x40000 | 0x80000 // connect, headers, their end, body
	tests := []struct {
		name  string
		reply []byte
		want  string
	}{
		{"every answer awaited", offerReply(6, 0, ""), "DC.DH.DM.DR.DT." + headers("DL.") + "DN.DB.DE.AQ"},
		{"version 2 has no DATA", offerReply(2, 0, ""), "DC.DH.DM.DR." + headers("DL.") + "DN.DB.DE.AQ"},
		{"not sent", offerReply(6, 0x1|0x2|0x20|0x200, ""), "DM.DR.DN.DB.DE.AQ"},
		{"not answered", offerReply(2, noReply, ""), "DCDH.DM.DR." + headers("DL") + "DNDBDE.AQ"},
		{"no macros for headers", offerReply(6, noReply|0x200, "\x00\x00\x00\x06\x00"), "DCDH.DM.DR." + headers("L") + "NDBDE.AQ"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			agreed, err := wire.ParseTerms(test.reply)
			if err != nil {
				t.Fatal(err)
			}
			if got := commands(t, session(agreed, []letter{usualLetter(bodySize)}, 0)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestSessionMacrosAsAsked(t *testing.T) {
	agreed, err := wire.ParseTerms(offerReply(6, 0, "\x00\x00\x00\x00{daemon_port} {unknown}\x00\x00\x00\x00\x02{client_addr}\x00"))
	if err != nil {
		t.Fatal(err)
	}
	first := string(session(agreed, []letter{usualLetter(0)}, 0)[0].writes[0])
	if want := "DC{daemon_port}\x0025\x00\x00"; !strings.Contains(first, want) {
		t.Errorf("connect begins with %q, want %q in it", first, want)
	}
}

func FuzzSession(f *testing.F) {
	f.Add(offerReply(6, 0, ""))
	f.Add(offerReply(2, 0xffffffff, "\x00\x00\x00\x01i j\x00\x00\x00\x00\x09"))
	f.Fuzz(func(t *testing.T, data []byte) {
		agreed, err := wire.ParseTerms(data)
		if err == nil && len(session(agreed, []letter{usualLetter(10)}, 0)) == 0 {
			t.Error("a plan without an exchange")
		}
	})
}

// A filter of libmilter's, which checks what it reads, understands the load.
func TestLoadAgainstLibmilter(t *testing.T) {
	program := testbed.BuildNoop(t)
	socket := filepath.Join(testbed.TempDir(t), "noop.sock")
	testbed.StartNoop(t, program, socket)
	for _, size := range []int{0, bodySize, 200_000} {
		l := load{socket: socket, connections: 1, letters: usualLetters(3, size)}
		if err := l.once(); err != nil {
			t.Errorf("body of %d octets: %v", size, err)
		}
	}
}
