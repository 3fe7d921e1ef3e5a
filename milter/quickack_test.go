package milter

import (
	"io"
	"net"
	"strings"
	"testing"
)

// TestAcknowledged counts the calls that have the kernel acknowledge: only for what no reply
// follows, before waiting for more.
func TestAcknowledged(t *testing.T) {
	macros, fields := macroPacket('M', "i", "x"), headerPacket("A", "b")
	mail, rcpt := mailPacket("<a@b>"), rcptPacket("<c@d>")
	tests := []struct {
		name  string
		reads [][]byte
		want  int
	}{
		{"commands, each with its macros", [][]byte{join([][]byte{macros, mail}), join([][]byte{macros, rcpt}), rcpt}, 0},
		{"macros alone, as Sendmail writes them", [][]byte{macros, mail, macros, rcpt}, 2},
		{"fields alone", [][]byte{fields, fields, join([][]byte{fields, eohPacket}), eomPacket}, 3},
		{"a command in two parts", [][]byte{mail[:7], mail[7:], rcpt}, 1},
		{"a body that fills the buffer", [][]byte{join([][]byte{eohPacket, packet('B', strings.Repeat("x", 3*largeBuffer))}), eomPacket}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := 0
			c := scripted(&script{fragments: tt.reads, err: io.EOF}, new([]string))
			c.in.acknowledge = func() { got++ }
			c.serve()
			if got != tt.want {
				t.Errorf("acknowledged %d times, want %d", got, tt.want)
			}
		})
	}
}

// BenchmarkNagle is Sendmail over TCP: each packet is a write of its own, and Nagle's algorithm
// holds the second small one back until the first is acknowledged.
func BenchmarkNagle(b *testing.B) {
	l, err := Listen("127.0.0.1:0", ListenOptions{})
	if err != nil {
		b.Fatal(err)
	}
	server := serveOn(b, l, silentSession)
	m := negotiated(b, server.Addr, fullOffer)
	if err := m.conn.(*net.TCPConn).SetNoDelay(false); err != nil {
		b.Fatal(err)
	}
	write := func(reply string, packets ...[]byte) {
		for _, p := range packets {
			m.send(p)
		}
		m.want(reply)
	}
	write("c", macroPacket('C', "{daemon_port}", "25"), strangerPacket(), macroPacket('H'), heloPacket("h"))
	for b.Loop() {
		write("c", macroPacket('M', "i", "x"), mailPacket("<a@b>"))
		write("c", macroPacket('R', "{rcpt_mailer}", "relay"), rcptPacket("<c@d>"))
		var content [][]byte
		for range 20 {
			content = append(content, headerPacket("X-Field", "some value of a header field that is not short"))
		}
		content = append(content, macroPacket('N', "i", "x"), eohPacket, packet('B', "hello"), macroPacket('E', "i", "x"), eomPacket)
		write("c", content...)
	}
	m.quit()
}
