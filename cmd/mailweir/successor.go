package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"syscall"
	"time"

	"mailweir/internal/handover"
	"mailweir/internal/record"
	"mailweir/internal/state"
)

// successor is the new process as the old one sees it.
type successor struct {
	between
	d      *daemon
	pid    int
	loaded chan handover.Loaded
	take   chan struct{}
	serves chan struct{}
	failed chan handover.Failed
	// Answers to the first three. A channel that is closed is an answer, too.
	released chan struct{}
	taken    chan handover.Taken
	goes     chan struct{}
	rows     func() (state.Entry, bool) // of a state in memory
}

// startSuccessor starts the program at a path.
func (d *daemon) startSuccessor(path string) (*successor, error) {
	s := &successor{
		d: d, loaded: make(chan handover.Loaded, 1), take: make(chan struct{}, 1), serves: make(chan struct{}, 1), failed: make(chan handover.Failed, 1),
		released: make(chan struct{}), taken: make(chan handover.Taken, 1), goes: make(chan struct{}),
	}
	sockets, descriptors, err := d.sockets.offer()
	if err != nil {
		return nil, err
	}
	offer := handover.Offer{Version: version, PID: os.Getpid(), Sockets: sockets}
	if d.state != nil {
		offer.State = stateSpec(*d.settings.daemon.state)
	}
	if d.record != nil && d.record.exchange != nil {
		offer.Record = d.record.spec
	}
	conn, err := handover.Start(path, append([]string{"serve"}, d.settings.origin.Given.Words()...), os.Environ(), descriptors)
	if err != nil {
		return nil, err
	}
	ready := make(chan struct{}) // the handlers need the peer
	s.peer = handover.NewPeer(conn, s.handlers(map[string]handover.Handler{
		handover.MethodOffer: func(context.Context, []byte) (any, error) {
			<-ready
			return offer, nil
		},
		handover.MethodLoaded: reading(func(ctx context.Context, l handover.Loaded) (any, error) {
			s.loaded <- l
			return answered(ctx, s.released)
		}),
		handover.MethodTake: func(ctx context.Context, _ []byte) (any, error) {
			s.take <- struct{}{}
			return answered(ctx, s.taken)
		},
		handover.MethodRows: func(context.Context, []byte) (any, error) { return s.someRows(), nil },
		handover.MethodServing: func(ctx context.Context, _ []byte) (any, error) {
			s.serves <- struct{}{}
			return answered(ctx, s.goes)
		},
		handover.MethodFailed: reading(func(_ context.Context, f handover.Failed) (any, error) {
			s.failed <- f
			return struct{}{}, nil
		}),
	}))
	if d.state != nil {
		s.shows(d.state, nil)
	}
	close(ready)
	return s, nil
}

// answered waits for the answer to a question.
func answered[T any](ctx context.Context, answer <-chan T) (any, error) {
	select {
	case a := <-answer:
		return a, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// rowsAtOnce bounds one answer with rows.
const rowsAtOnce = 500

func (s *successor) someRows() (some []handover.Row) {
	for s.rows != nil && len(some) < rowsAtOnce {
		e, more := s.rows()
		if !more {
			break
		}
		row := handover.Row{Key: []byte(e.Key), Value: e.Value, Entered: e.Entered}
		if !e.Until.IsZero() {
			row.Until = e.Until.UnixMilli()
		}
		some = append(some, row)
	}
	return some
}

// How long the successor may take: to load, to open the record, and to open the state, for which
// mail waits meanwhile.
const (
	loadsWithin = 5 * time.Minute
	opensWithin = time.Minute
	takesWithin = 6 * time.Second
)

// wait waits for the next word of the successor.
func wait[T any](ctx context.Context, s *successor, word <-chan T, within time.Duration) (said T, err error) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case said = <-word:
		return said, nil
	case f := <-s.failed:
		return said, &handover.RemoteError{Text: f.Error, Code: f.Code}
	case <-s.peer.Done():
		select {
		case f := <-s.failed: // its last word
			return said, &handover.RemoteError{Text: f.Error, Code: f.Code}
		default:
			return said, errors.New("the new process has ended before it was ready; the log says why")
		}
	case <-timer.C:
		return said, fmt.Errorf("the new process is not ready within %v", within)
	case <-ctx.Done():
		return said, ctx.Err()
	}
}

// handOver gives the successor all that it wants to take over. After an error everything is as it
// was before.
func (s *successor) handOver(ctx context.Context) (loaded handover.Loaded, err error) {
	defer func() {
		if err != nil {
			s.end()
		}
	}()
	if loaded, err = wait(ctx, s, s.loaded, loadsWithin); err != nil {
		return loaded, err
	}
	s.pid = loaded.PID
	if loaded.Record {
		if err := s.d.record.release(); err != nil {
			return loaded, err
		}
		defer func() {
			if err != nil {
				s.end()
				s.d.record.takeBack(s.d.log)
			}
		}()
	}
	close(s.released)
	if _, err := wait(ctx, s, s.take, opensWithin); err != nil {
		return loaded, err
	}
	if loaded.State {
		err = s.d.state.Exchange(func(was state.Store, held []string) (state.Store, error) { return s.give(ctx, was, held) })
	} else {
		s.taken <- handover.Taken{}
		_, err = wait(ctx, s, s.serves, takesWithin)
	}
	if err != nil {
		return loaded, err
	}
	if loaded.Record {
		s.d.record.exchange.Put(&record.Remote{Call: s.peer.Call})
	}
	return loaded, nil
}

// give gives the state up, and returns what is used from now on: the successor's, or what was taken
// back.
func (s *successor) give(ctx context.Context, was state.Store, held []string) (state.Store, error) {
	taken := handover.Taken{}
	for _, key := range held {
		taken.Held = append(taken.Held, []byte(key))
	}
	memory, inMemory := was.(*state.Memory)
	if inMemory {
		taken.Rows = true
		next, stop := iter.Pull(memory.Rows())
		defer stop()
		s.rows = next
	} else if err := was.Close(); err != nil {
		return s.takeBack(was, fmt.Errorf("the state is not written: %w", err))
	}
	s.taken <- taken
	if _, err := wait(ctx, s, s.serves, takesWithin); err != nil {
		return s.takeBack(was, err)
	}
	s.hides()
	return s.uses(), nil
}

// takeBack opens the state again, once the new process has let go of it.
func (s *successor) takeBack(was state.Store, why error) (state.Store, error) {
	s.end()
	if _, inMemory := was.(*state.Memory); inMemory {
		return was, why
	}
	for began := time.Now(); ; time.Sleep(takeBackAgain) {
		store, err := openState(*s.d.settings.daemon.state, s.d.log, time.Now)
		if err == nil {
			return store, why
		}
		if time.Since(began) > takeBackWithin {
			// Whoever goes on without a state forgets whom it has seen; a start reads it from the
			// disk.
			s.d.log.WithError(err).Fatal("the state cannot be opened again after an upgrade that failed; mailweir ends, to be started again")
		}
	}
}

const (
	takeBackWithin = 10 * time.Second
	takeBackAgain  = 20 * time.Millisecond
)

// endsBy is how long a process may take to be gone after SIGKILL.
const endsBy = 5 * time.Second

// end ends the successor, and waits until it has let go of everything.
func (s *successor) end() {
	if s.pid > 0 {
		_ = syscall.Kill(s.pid, syscall.SIGKILL) // it may have ended
	} else {
		go s.peer.Close() // it ends when it reads that
	}
	select {
	case <-s.peer.Done():
	case <-time.After(endsBy):
		s.d.log.Error("the new process does not end")
	}
	s.peer.Close()
	s.hides()
}
