package handover

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Handler answers what the other side asks under one method. It is called in a goroutine of its own
// for each question. Its context ends with the peer.
type Handler func(ctx context.Context, body []byte) (any, error)

// Peer is the other process: both sides may ask.
type Peer struct {
	conn     net.Conn
	handlers map[string]Handler
	done     chan struct{} // closed when nothing more comes from there
	serving  sync.WaitGroup

	writing sync.Mutex

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan message
	gone    bool
}

// ErrGone says that the other process has ended, or has closed the connection.
var ErrGone = errors.New("handover: the other process has gone")

// RemoteError is an error that the other process answers with, or by which it ends.
type RemoteError struct {
	Text string
	// Code is the exit code of sysexits(3) of one by which it ends.
	Code int
}

func (e *RemoteError) Error() string { return e.Text }

// NewPeer talks to the other process over a connection, which it closes in the end.
func NewPeer(conn net.Conn, handlers map[string]Handler) *Peer {
	p := &Peer{conn: conn, handlers: handlers, done: make(chan struct{}), waiting: map[uint64]chan message{}}
	p.serving.Go(p.read)
	return p
}

// Done is closed when the other process has gone.
func (p *Peer) Done() <-chan struct{} { return p.done }

// Close ends the connection, and waits for answers that are being made.
func (p *Peer) Close() {
	_ = p.conn.Close()
	p.serving.Wait()
}

// Call asks the other process, and reads its answer into out. The error is a [RemoteError],
// [ErrGone] or that of the context.
func (p *Peer) Call(ctx context.Context, method string, in, out any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("handover: %w", err)
	}
	number, answer, err := p.ask()
	if err != nil {
		return err
	}
	defer p.forget(number)
	if err := p.send(message{Number: number, Method: method, Body: body}); err != nil {
		return err
	}
	select {
	case m, more := <-answer:
		switch {
		case !more:
			return ErrGone
		case m.Error != "":
			return &RemoteError{Text: m.Error}
		case out == nil:
			return nil
		}
		if err := json.Unmarshal(m.Body, out); err != nil {
			return fmt.Errorf("handover: %s: %w", method, err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask makes room for an answer.
func (p *Peer) ask() (uint64, <-chan message, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return 0, nil, ErrGone
	}
	p.last++
	answer := make(chan message, 1)
	p.waiting[p.last] = answer
	return p.last, answer, nil
}

func (p *Peer) forget(number uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, number)
}

func (p *Peer) send(m message) error {
	raw, err := encode(m)
	if err != nil {
		return err
	}
	p.writing.Lock()
	defer p.writing.Unlock()
	if err = p.conn.SetWriteDeadline(time.Now().Add(writeWithin)); err == nil {
		_, err = p.conn.Write(raw)
	}
	if err != nil {
		_ = p.conn.Close() // a part of the message may be on its way
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return nil
}

// writeWithin is how long the other process may leave what it is told unread.
const writeWithin = 10 * time.Second

// read takes what comes, until nothing more does.
func (p *Peer) read() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer p.leave()
	from := bufio.NewReaderSize(p.conn, 64<<10)
	for {
		m, err := decode(from)
		if err != nil {
			return
		}
		if m.Method == "" {
			p.take(m)
			continue
		}
		p.serving.Go(func() { p.answer(ctx, m) })
	}
}

// leave tells whoever waits that there will be no answer.
func (p *Peer) leave() {
	p.mu.Lock()
	p.gone = true
	for number, answer := range p.waiting {
		close(answer)
		delete(p.waiting, number)
	}
	p.mu.Unlock()
	_ = p.conn.Close() // what it says from now on nobody reads
	close(p.done)
}

// take gives an answer to whoever waits for it. One that nobody waits for any more is dropped.
func (p *Peer) take(m message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if answer := p.waiting[m.Number]; answer != nil {
		delete(p.waiting, m.Number)
		answer <- m
	}
}

// answer answers a question. An answer that does not arrive is that of a process that has gone.
func (p *Peer) answer(ctx context.Context, m message) {
	reply := message{Number: m.Number}
	body, err := p.handle(ctx, m)
	if err == nil {
		reply.Body, err = json.Marshal(body)
	}
	if err != nil {
		reply.Error, reply.Body = err.Error(), nil
	}
	_ = p.send(reply)
}

func (p *Peer) handle(ctx context.Context, m message) (body any, err error) {
	handler := p.handlers[m.Method]
	if handler == nil {
		return nil, fmt.Errorf("handover: nothing here answers %q", m.Method)
	}
	defer func() {
		if panicked := recover(); panicked != nil {
			body, err = nil, fmt.Errorf("a defect of mailweir, please report it: panic: %v", panicked)
		}
	}()
	return handler(ctx, m.Body)
}
