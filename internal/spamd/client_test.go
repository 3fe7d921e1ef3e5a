package spamd

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"mailweir/internal/spamscan"
)

const text = "Subject: x\r\n\r\nhello\r\n"

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func message(change ...func(*spamscan.Message)) *spamscan.Message {
	m := &spamscan.Message{Sender: "a@example.net", Recipients: []string{"b@example.org"}, Open: func() io.Reader { return strings.NewReader(text) }}
	for _, c := range change {
		c(m)
	}
	return m
}

// serve answers one connection after the other, and returns where.
func serve(t *testing.T, network, address string, answer func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			answer(conn)
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

// says reads the request to its end and answers with these octets.
func says(answer string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.Copy(io.Discard, conn)
		_, _ = io.WriteString(conn, answer)
	}
}

func client(t *testing.T, address string) *Client {
	t.Helper()
	c, err := New(address, noon)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRequest: the length is exact, the end is told, and whoever chooses names cannot write more of
// the envelope than them.
func TestRequest(t *testing.T) {
	got := make(chan string, 1)
	path := filepath.Join(t.TempDir(), "s")
	serve(t, "unix", path, func(conn net.Conn) {
		all, err := io.ReadAll(conn) // until we have closed our side
		if err != nil {
			t.Error(err)
		}
		got <- string(all)
		_, _ = io.WriteString(conn, "SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\nSpam: False ; 0.0 / 5.0\r\n\r\n")
	})
	for _, tt := range []struct {
		name   string
		change func(*spamscan.Message)
		want   string
	}{
		{"IPv4", func(m *spamscan.Message) {
			m.Client, m.ClientName, m.Helo = netip.MustParseAddr("192.0.2.1"), "mail.example.net", "mail.example.net"
			m.MTA, m.QueueID = "mx.example.org", "4AbC"
		}, "Received: from mail.example.net (mail.example.net [192.0.2.1])\r\n\tby mx.example.org with ESMTP id 4AbC;\r\n\tMon, 23 Nov 2026 12:00:00 +0000\r\n"},
		{"IPv6, a login over TLS", func(m *spamscan.Message) {
			m.Client, m.Login, m.TLSVersion = netip.MustParseAddr("2001:db8::1"), "bob", "TLSv1.3"
		}, "Received: from unknown (unknown [IPv6:2001:db8::1])\r\n\tby unknown with ESMTPSA id none;\r\n\tMon, 23 Nov 2026 12:00:00 +0000\r\n"},
		{"a forged HELO", func(m *spamscan.Message) {
			m.Client, m.Helo = netip.MustParseAddr("192.0.2.1"), "x (y [10.0.0.1])\r\n\tby us with ESMTPA id 1;"
		}, "Received: from x??y?[10.0.0.1]????by?us?with?ESMTPA?id?1? (unknown [192.0.2.1])\r\n\tby unknown with ESMTP id none;\r\n\tMon, 23 Nov 2026 12:00:00 +0000\r\n"},
		{"nobody", func(*spamscan.Message) {}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := client(t, "unix:"+path).Scan(t.Context(), message(tt.change)); err != nil {
				t.Fatal(err)
			}
			head, body, _ := strings.Cut(<-got, "\r\n\r\n")
			if want := "X-Envelope-From: <a@example.net>\r\n" + tt.want + text; body != want {
				t.Errorf("sent %q\nwant %q", body, want)
			}
			if want := "SYMBOLS SPAMC/1.5\r\nContent-length: "; !strings.HasPrefix(head, want) || strings.TrimPrefix(head, want) != itoa(len(body)) {
				t.Errorf("head %q for %d octets", head, len(body))
			}
		})
	}
}

// TestSender: a sender cannot end his line.
func TestSender(t *testing.T) {
	front := envelope(message(func(m *spamscan.Message) { m.Sender = "a\r\nReceived: from x" }), noon())
	if front != "X-Envelope-From: <a??Received: from x>\r\n" {
		t.Errorf("%q", front)
	}
}

func TestAnswers(t *testing.T) {
	const whole = "SPAMD/1.1 0 EX_OK\r\nContent-length: 5\r\nSpam: True ; 1000.0 / 5.0\r\n\r\nGTUBE"
	for name, tt := range map[string]struct{ answer, want string }{
		"whole":           {whole, ""},
		"busy":            {"SPAMD/1.0 69 service unavailable\r\n", "it answers 69 service unavailable"},
		"torn":            {whole[:30], "ends early"},
		"nothing":         {"", "without an answer"},
		"another server":  {"HTTP/1.1 200 OK\r\n\r\n", "this is no spamd"},
		"beyond measure":  {whole + strings.Repeat(",X", maxAnswer), "more than"},
		"another command": {"SPAMD/1.5 0 PONG\r\n", "ends early"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := client(t, serve(t, "tcp", "127.0.0.1:0", says(tt.answer))).Scan(t.Context(), message())
			switch {
			case tt.want == "" && (err != nil || a.Action != spamscan.Reject):
				t.Errorf("%v, %v", a, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%v, %v, want %q", a, err, tt.want)
			}
		})
	}
}

// An answer that comes before the message is whole counts as well: it says why.
func TestEarlyAnswer(t *testing.T) {
	address := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
		_, _ = bufio.NewReader(conn).ReadString('\n')
		_, _ = io.WriteString(conn, "SPAMD/1.0 76 Bad header line\r\n")
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
	})
	_, err := client(t, address).Scan(t.Context(), message())
	var said *spamscan.AnsweredError
	if !errors.As(err, &said) || said.Said != "76 Bad header line" {
		t.Errorf("error %v", err)
	}
}

// TestHangs: all children are busy, which looks like silence.
func TestHangs(t *testing.T) {
	asked := make(chan struct{})
	left := make(chan struct{})
	address := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
		_, _ = io.Copy(io.Discard, conn) // our side is closed when all is sent
		close(asked)
		<-left
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	_, err := client(t, address).Scan(ctx, message())
	close(left)
	if err == nil || ctx.Err() == nil {
		t.Errorf("error %v", err)
	}
}

// TestUnreadable: a message that cannot be read whole is never taken for a shorter one: spamd sees
// no end of it.
func TestUnreadable(t *testing.T) {
	readings := 0
	address := serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
		all, _ := io.ReadAll(conn)
		if strings.HasSuffix(string(all), text) {
			t.Errorf("sent %q", all)
		}
	})
	for name, open := range map[string]func() io.Reader{
		"at once": func() io.Reader { return iotest.ErrReader(errors.New("disk")) },
		"nothing": func() io.Reader { return strings.NewReader("") },
		"the second time": func() io.Reader {
			if readings++; readings == 1 {
				return strings.NewReader(text)
			}
			return io.MultiReader(strings.NewReader(text[:15]), iotest.ErrReader(errors.New("disk")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client(t, address).Scan(t.Context(), message(func(m *spamscan.Message) { m.Open = open }))
			var unread *spamscan.ReadError
			if !errors.As(err, &unread) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestPing(t *testing.T) {
	for name, tt := range map[string]struct{ answer, want, err string }{
		"spamd":   {"SPAMD/1.5 0 PONG\r\n", "spamd, protocol SPAMD/1.5", ""},
		"another": {"220 mx ESMTP\r\n", "", "this is no spamd"},
		"nobody":  {"", "", "without an answer"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := client(t, serve(t, "tcp", "127.0.0.1:0", says(tt.answer))).Ping(t.Context())
			if text != tt.want || (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q, %v", text, err)
			}
		})
	}
}

func TestNew(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:783": "127.0.0.1:783", "localhost": "localhost:783", "[2001:db8::1]:1783": "[2001:db8::1]:1783", "[2001:db8::1]": "[2001:db8::1]:783",
		"unix:/run/spamd": "/run/spamd",
	} {
		if c, err := New(address, noon); err != nil || c.target != want || c.Name() != "spamd:"+address {
			t.Errorf("%s: %v, %v", address, c, err)
		}
	}
	for address, want := range map[string]bool{"127.0.0.1:783": false, "localhost": false, "[::1]": false, "unix:/x": false, "192.0.2.1": true, "h:783": true} {
		if c := client(t, address); c.InClear() != want {
			t.Errorf("%s: in clear %t", address, c.InClear())
		}
	}
	for _, address := range []string{"", ":783", "h:x", "h:0", "h:70000", "unix:run", "http://h:783", "u@h"} {
		if _, err := New(address, noon); err == nil {
			t.Errorf("%s is taken", address)
		}
	}
}
