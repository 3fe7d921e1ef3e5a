// Package clamdtest plays clamd, for what the real one does not do on demand: to hang, to tear its
// answers, to lie. It speaks the protocol of clamd(8) over a unix socket or TCP.
package clamdtest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Virus is what the fake finds in a message that has it.
const Virus = "a-virus-for-tests"

// Fake is a clamd that answers as it is told to. Fields are set before it starts, or by
// [Fake.Change].
type Fake struct {
	// Answer is what it sends after a message, as it stands; "" stands for what a scan comes to.
	Answer string
	// Silent keeps it from answering anything, PING included.
	Silent bool
	// Hold, if it is not nil, is waited for before the answer to a message.
	Hold <-chan struct{}
	// Slowly has it send one octet of the answer to a message a time, and no more than that many.
	Slowly int
	// Closes has it close the connection when a message begins.
	Closes bool
	// MaxSize is its StreamMaxLength, 0 for none.
	MaxSize int
	// Threads is what it says of itself by STATS, 0 for nothing.
	Threads int
	// Version is its answer to VERSION.
	Version string

	// Address is where it listens: unix:/PATH or tcp:HOST:PORT.
	Address string

	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
	ended    chan struct{} // closed by Stop
	work     sync.WaitGroup
	seen     [][]byte
	now      int // scans under way
	most     int
}

// Start starts the fake at a socket of its own, until the test ends.
func Start(t testing.TB, f *Fake) *Fake {
	t.Helper()
	dir, err := os.MkdirTemp("", "clamd") // short: a socket's path has 107 octets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	f.Address = "unix:" + filepath.Join(dir, "s")
	f.Listen(t)
	t.Cleanup(f.Stop)
	return f
}

// Listen listens at Address; after Stop, again.
func (f *Fake) Listen(t testing.TB) {
	t.Helper()
	network, target, _ := strings.Cut(f.Address, ":")
	listener, err := net.Listen(network, target)
	if err != nil {
		t.Fatal(err)
	}
	if network == "tcp" {
		f.Address = "tcp:" + listener.Addr().String()
	}
	f.mu.Lock()
	f.listener, f.open, f.ended = listener, map[net.Conn]bool{}, make(chan struct{})
	f.mu.Unlock()
	f.work.Go(func() { f.accept(listener) })
}

// Stop ends it, with all its connections.
func (f *Fake) Stop() {
	f.mu.Lock()
	_ = f.listener.Close()
	if f.open != nil {
		close(f.ended)
	}
	for conn := range f.open {
		_ = conn.Close()
	}
	f.open = nil
	f.mu.Unlock()
	f.work.Wait()
}

// Change changes what it does, while it runs.
func (f *Fake) Change(change func(*Fake)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// Spec is the scanner as flags name it.
func (f *Fake) Spec() string { return "clamd:" + f.Address }

// Seen returns the messages that it was shown whole, without a lock on them.
func (f *Fake) Seen() [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([][]byte(nil), f.seen...)
}

// Most returns how many messages it was shown at once.
func (f *Fake) Most() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.most
}

func (f *Fake) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		closed := f.open == nil
		if !closed {
			f.open[conn] = true
			f.work.Go(func() { f.serve(conn) })
		}
		f.mu.Unlock()
		if closed {
			_ = conn.Close()
		}
	}
}

func (f *Fake) serve(conn net.Conn) {
	defer func() {
		f.mu.Lock()
		delete(f.open, conn)
		f.mu.Unlock()
		_ = conn.Close()
	}()
	in := bufio.NewReaderSize(conn, 64<<10)
	command, err := in.ReadString(0)
	if err != nil {
		return
	}
	f.mu.Lock()
	silent, threads, version := f.Silent, f.Threads, f.Version
	f.mu.Unlock()
	if silent {
		_, _ = io.Copy(io.Discard, in) // until the other side has enough
		return
	}
	switch strings.TrimSuffix(command, "\x00") {
	case "zPING":
		_, _ = io.WriteString(conn, "PONG\x00")
	case "zVERSION":
		_, _ = io.WriteString(conn, version+"\x00")
	case "zSTATS":
		if threads > 0 {
			_, _ = fmt.Fprintf(conn, "POOLS: 1\n\nSTATE: VALID PRIMARY\nTHREADS: live 1  idle 0 max %d idle-timeout 30\nQUEUE: 0 items\n\nEND\x00", threads)
		}
	case "zINSTREAM":
		f.scan(conn, in)
	default:
		_, _ = io.WriteString(conn, "UNKNOWN COMMAND\n")
	}
}

var errSize = errors.New("too much")

func (f *Fake) scan(conn net.Conn, in io.Reader) {
	f.mu.Lock()
	f.now++
	f.most = max(f.most, f.now)
	closes, maxSize := f.Closes, f.MaxSize
	f.mu.Unlock()
	over := func() {
		f.mu.Lock()
		f.now--
		f.mu.Unlock()
	}
	if closes {
		over()
		return
	}
	message, err := readChunks(in, maxSize)
	f.mu.Lock()
	answer, hold, slowly, ended := f.Answer, f.Hold, f.Slowly, f.ended
	if err == nil {
		f.seen = append(f.seen, message)
	}
	f.mu.Unlock()
	switch {
	case err == errSize:
		answer = "INSTREAM size limit exceeded. ERROR\x00"
	case err != nil:
		over()
		return
	case answer == "" && strings.Contains(string(message), Virus):
		answer = "stream: Test.Virus.UNOFFICIAL FOUND\x00"
	case answer == "":
		answer = "stream: OK\x00"
	}
	if hold != nil {
		select {
		case <-hold:
		case <-ended:
		}
	}
	over() // before who reads the answer sends the next
	if slowly == 0 {
		_, _ = io.WriteString(conn, answer)
		return
	}
	for i := 0; i < len(answer) && i < slowly; i++ {
		if _, err := io.WriteString(conn, answer[i:i+1]); err != nil {
			return
		}
	}
	_, _ = io.Copy(io.Discard, in)
}

// readChunks reads a message. Like clamd it stops at the first chunk that is too much.
func readChunks(in io.Reader, maxSize int) ([]byte, error) {
	var message []byte
	for {
		var head [4]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return nil, err
		}
		n := int(binary.BigEndian.Uint32(head[:]))
		switch {
		case n == 0:
			return message, nil
		case maxSize > 0 && len(message)+n > maxSize, n > 1<<30:
			return nil, errSize
		}
		chunk := make([]byte, n)
		if _, err := io.ReadFull(in, chunk); err != nil {
			return nil, err
		}
		message = append(message, chunk...)
	}
}
