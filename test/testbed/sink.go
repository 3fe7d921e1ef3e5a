package testbed

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"time"
)

// Message is what arrived at a Sink.
type Message struct {
	From string   // reverse path without angle brackets
	To   []string // forward paths without angle brackets, in order
	Data string   // header and body, with LF line ends
}

// Sink is an SMTP server that accepts and keeps every message: the next hop of
// the MTAs under test.
type Sink struct {
	Address  string
	listener net.Listener
	sessions sync.WaitGroup

	mu       sync.Mutex
	messages []Message
	changed  chan struct{}
}

// StartSink starts a sink; it ends with the test.
func StartSink(tb TB) *Sink {
	tb.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("sink: %v", err)
	}
	s := &Sink{Address: listener.Addr().String(), listener: listener}
	s.sessions.Add(1)
	go s.serve()
	tb.Cleanup(func() {
		_ = listener.Close()
		s.sessions.Wait()
	})
	return s
}

func (s *Sink) serve() {
	defer s.sessions.Done()
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.sessions.Add(1)
		go func() {
			defer s.sessions.Done()
			defer conn.Close()
			s.session(conn)
		}()
	}
}

// session speaks enough ESMTP for Postfix and Sendmail as clients.
func (s *Sink) session(conn net.Conn) {
	in := textproto.NewReader(bufio.NewReader(conn))
	say := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	say("220 sink.test ESMTP")
	var m Message
	for {
		// MTAs keep connections open for reuse; do not outlive a test for one.
		_ = conn.SetReadDeadline(time.Now().Add(Patience))
		line, err := in.ReadLine()
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE 0\r\n250 ENHANCEDSTATUSCODES")
		case "MAIL":
			m = Message{From: path(arg)}
			say("250 2.1.0 ok")
		case "RCPT":
			m.To = append(m.To, path(arg))
			say("250 2.1.5 ok")
		case "DATA":
			say("354 go on")
			data, err := in.ReadDotBytes()
			if err != nil {
				return
			}
			m.Data = string(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))
			s.keep(m)
			m = Message{}
			say("250 2.0.0 kept")
		case "QUIT":
			say("221 2.0.0 bye")
			return
		case "RSET":
			m = Message{}
			say("250 2.0.0 ok")
		default:
			say("250 ok")
		}
	}
}

// path returns the address between the angle brackets of "FROM:<a@b> SIZE=1".
func path(arg string) string {
	_, rest, _ := strings.Cut(arg, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}

func (s *Sink) keep(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// Clear forgets what has arrived.
func (s *Sink) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = nil
}

// Messages returns what has arrived so far.
func (s *Sink) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// Wait returns the messages as soon as done is content with them, or an error
// with what there is when that takes longer than Patience.
func (s *Sink) Wait(done func([]Message) bool) ([]Message, error) {
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		messages := append([]Message(nil), s.messages...)
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		if done(messages) {
			return messages, nil
		}
		select {
		case <-changed:
		case <-deadline.C:
			return messages, fmt.Errorf("sink: not all mail arrived within %v; %d messages did", Patience, len(messages))
		}
	}
}

// WaitQueued waits until every message that an MTA has queued under one of the
// ids has arrived. An MTA's own Received field carries the id.
func (s *Sink) WaitQueued(ids []string) ([]Message, error) {
	return s.Wait(func(messages []Message) bool {
		for _, id := range ids {
			if !arrived(messages, id) {
				return false
			}
		}
		return true
	})
}

func arrived(messages []Message, id string) bool {
	for _, m := range messages {
		if strings.Contains(m.Data, " id "+id) {
			return true
		}
	}
	return false
}
