package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mailweir/test/wire"
)

// load speaks the MTA's side of the milter protocol, as Postfix does, from
// prepared packets: it must cost little beside the filter that is measured.
type load struct {
	socket      string
	connections int      // at once
	letters     []letter // of each connection
	// people are how many clients with a sender each there are, who take turns; 0 is one of each.
	people int
	each   bool // each person sends one of the letters, not all of them
}

// usualLetters are that many usual messages with bodies of that size.
func usualLetters(messages, bodySize int) []letter {
	return slices.Repeat([]letter{usualLetter(bodySize)}, messages)
}

// run keeps the connections busy for the given time, and finishes those that
// have begun. It returns the number of messages.
func (l load) run(ctx <-chan struct{}) (int, error) {
	var done, turn atomic.Int64
	plans := make([]atomic.Pointer[[]exchange], max(l.people, 1))
	failures := make(chan error, l.connections)
	var all sync.WaitGroup
	for range l.connections {
		all.Add(1)
		go func() {
			defer all.Done()
			for {
				select {
				case <-ctx:
					return
				default:
				}
				person := int(turn.Add(1)) % len(plans)
				if err := l.session(person, &plans[person]); err != nil {
					failures <- err
					return
				}
				done.Add(int64(len(l.of(person))))
			}
		}()
	}
	all.Wait()
	close(failures)
	return int(done.Load()), <-failures
}

// session goes through one connection of a person. The plan depends on the filter's answer to the
// offer, which is the same for all of a filter's connections.
func (l load) session(person int, plan *atomic.Pointer[[]exchange]) error {
	conn, err := net.Dial("unix", l.socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(wire.Patience)); err != nil {
		return err
	}
	in := bufio.NewReaderSize(conn, streamBuffer)
	agreed, err := wire.Negotiate(conn, in)
	if err != nil {
		return err
	}
	prepared := plan.Load()
	if prepared == nil {
		p := session(agreed, l.of(person), person)
		prepared = &p
		plan.Store(prepared)
	}
	return play(conn, in, *prepared)
}

// of are the letters of one connection of a person.
func (l load) of(person int) []letter {
	if !l.each {
		return l.letters
	}
	i := person % len(l.letters)
	return l.letters[i : i+1]
}

// once goes through one connection.
func (l load) once() error { return l.session(0, new(atomic.Pointer[[]exchange])) }

// play goes through exchanges.
func play(conn io.Writer, in *bufio.Reader, exchanges []exchange) error {
	for _, e := range exchanges {
		for _, data := range e.writes {
			if _, err := conn.Write(data); err != nil {
				return err
			}
		}
		for _, command := range e.waits {
			if err := await(in, command); err != nil {
				return err
			}
		}
	}
	return nil
}

// await reads the answer to a command. Anything but "go on" is an error: a bench
// of refused mail would measure something else.
func await(in *bufio.Reader, command byte) error {
	for {
		code, data, err := wire.ReadPacket(in)
		if err != nil {
			return fmt.Errorf("after %q: %w", command, err)
		}
		switch code {
		case 'c', 'a':
			return nil
		case 'p': // progress: go on waiting
		default:
			return fmt.Errorf("answer %q %q to %q", code, data, command)
		}
	}
}
