package milter

import (
	"net"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// silentSession is a policy that does nothing.
func silentSession() Session {
	f := newFake()
	f.quiet = true
	return f
}

// postfixMessage is one message as Postfix sends it: 20 header fields, a body of 8 KiB. Each of the
// parts has one reply.
func postfixMessage() (mail, rcpt, content []byte) {
	parts := make([][]byte, 0, 64)
	for i := range 20 {
		value := strings.Repeat("value of a header field ", 2) + strconv.Itoa(i)
		parts = append(parts, macroPacket('L', "i", "4XyZabcdefgh"), headerPacket("X-Header-Field-"+strconv.Itoa(i), value))
	}
	parts = append(parts, macroPacket('N', "i", "4XyZabcdefgh"), eohPacket,
		macroPacket('E', "i", "4XyZabcdefgh"), packet('B', strings.Repeat("0123456789abcde\n", 512)),
		macroPacket('E', "i", "4XyZabcdefgh"), eomPacket)
	return join([][]byte{macroPacket('M'), mailPacket("<sender@test.example>", "SIZE=9000")}),
		join([][]byte{macroPacket('R', "{rcpt_mailer}", "relay"), rcptPacket("<recipient@test.example>")}), join(parts)
}

// BenchmarkMessage is the wire alone, with one and five messages a connection. The MTA's side runs
// in this process too: cpu-µs/message is what both take together.
func BenchmarkMessage(b *testing.B) {
	for _, messages := range []int{1, 5} {
		b.Run(strconv.Itoa(messages), func(b *testing.B) {
			server := serve(b, silentSession)
			mail, rcpt, content := postfixMessage()
			hello := join([][]byte{macroPacket('C', "{daemon_port}", "25"), strangerPacket(), macroPacket('H'), heloPacket("h")})
			b.ReportAllocs()
			before := cpuTime(b)
			b.ResetTimer()
			for done := 0; done < b.N; {
				conn, err := net.Dial(server.Addr.Network(), server.Addr.String())
				if err != nil {
					b.Fatal(err)
				}
				m := &mta{tb: b, conn: conn}
				if err := m.negotiate(fullOffer); err != nil {
					b.Fatal(err)
				}
				m.send(hello)
				m.want("c")
				for range messages {
					m.send(mail)
					m.want("c")
					m.send(rcpt)
					m.want("c")
					m.send(content)
					m.want("c")
					m.send(resetPacket)
					done++
				}
				m.quit()
				_ = m.conn.Close()
			}
			b.StopTimer()
			b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/message")
		})
	}
}

// BenchmarkBody is a message of 10 MiB, in chunks as Postfix cuts them.
func BenchmarkBody(b *testing.B) {
	const size = 10 << 20
	m := connected(b, serve(b, silentSession).Addr, fullOffer)
	chunk := packet('B', strings.Repeat("0123456789abcde\n", 4096)[:65535])
	b.SetBytes(size)
	before := cpuTime(b)
	b.ResetTimer()
	for range b.N {
		m.take(do("c", mailPacket("<a@b>")))
		m.send(eohPacket)
		for range size / 65535 {
			m.send(chunk)
		}
		m.take(do("c", eomPacket))
	}
	b.StopTimer()
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/message")
	m.quit()
}

// cpuTime is what this process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkIdleSession measures what a connection holds that waits for its next message.
func BenchmarkIdleSession(b *testing.B) {
	const sessions = 1000
	server := serve(b, silentSession)
	mail, rcpt, content := postfixMessage()
	for range b.N {
		before := inUse()
		mtas := make([]*mta, sessions)
		for i := range mtas {
			m := negotiated(b, server.Addr, fullOffer)
			m.send(strangerPacket(), heloPacket("h"))
			m.want("c")
			for _, part := range [][]byte{mail, rcpt, content} {
				m.send(part)
				m.want("c")
			}
			mtas[i] = m
		}
		after := inUse()
		b.ReportMetric(float64(after-before)/sessions, "B/session")
		for _, m := range mtas {
			m.quit()
			_ = m.conn.Close()
		}
	}
}

// inUse is the memory of heap and stacks that is in use.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapInuse + stats.StackInuse
}
