package sql

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/table/remote"
)

// server is a host of a test, with what happens to its connections.
type server struct {
	mu              sync.Mutex
	dialled, closed int
	most            int   // connections that it takes; 0: any number
	down            error // of connecting
}

func (s *server) host(name string, rank int) *host {
	return &host{name: name, rank: rank, dial: func(context.Context) (session, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case s.down != nil:
			return nil, s.down
		case s.most > 0 && s.dialled-s.closed >= s.most:
			return nil, errFull{errors.New("too many connections")}
		}
		s.dialled++
		return &line{server: s}, nil
	}}
}

// line is a connection.
type line struct {
	*server
	stale bool
}

func (l *line) find(context.Context, string) ([]string, error) { return nil, nil }
func (l *line) ping(context.Context) (string, error)           { return "", nil }
func (l *line) fresh() bool                                    { return !l.stale }

func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed++
}

// count is one of the numbers.
func (s *server) count(of *int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *of
}

func nothing(context.Context, session) error { return nil }

func TestPoolOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up, down server
		down.down = errors.New("refused")
		p := newPool([]*host{up.host("a", rankTCP), up.host("b", rankTCP), down.host("socket", rankSocket), up.host("uri", rankURI)}, time.Minute, time.Second)
		defer p.close()
		firsts := map[string]bool{}
		for range 100 {
			order := p.order()
			if order[0].name != "socket" || order[3].name != "uri" {
				t.Fatalf("the order is %s, …, %s", order[0].name, order[3].name)
			}
			firsts[order[1].name] = true
		}
		if len(firsts) != 2 {
			t.Errorf("among equals always the same comes first: %v", firsts)
		}
		if err := p.do(t.Context(), nothing); err != nil {
			t.Fatal(err)
		}
		if last := p.order()[3].name; last != "socket" {
			t.Errorf("last comes %s, and not the one that has failed", last)
		}
		time.Sleep(time.Minute)
		if first := p.order()[0].name; first != "socket" {
			t.Errorf("after retry_interval first comes %s", first)
		}
	})
}

func TestPoolKeepsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s server
		p := newPool([]*host{s.host("a", 0)}, time.Minute, 10*time.Second)
		for range 5 {
			if err := p.do(t.Context(), nothing); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if s.count(&s.dialled) != 1 {
			t.Errorf("dialled %d times", s.count(&s.dialled))
		}
		time.Sleep(30 * time.Second)
		if s.count(&s.closed) != 1 {
			t.Errorf("%d closed after idle_interval", s.count(&s.closed))
		}
		if err := p.do(t.Context(), nothing); err != nil || s.count(&s.dialled) != 2 {
			t.Errorf("dialled %d times, %v", s.count(&s.dialled), err)
		}
		p.close()
		if s.count(&s.closed) != 2 {
			t.Errorf("%d closed at the end", s.count(&s.closed))
		}
	})
}

func TestPoolLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s server
		p := newPool([]*host{s.host("a", 0)}, time.Minute, time.Minute)
		defer p.close()
		for range 3000 {
			if err := p.do(t.Context(), nothing); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n := s.count(&s.dialled); n < 5 || n > 6 {
			t.Errorf("dialled %d times in 50 minutes", n)
		}
	})
}

func TestPoolDialsAgain(t *testing.T) {
	var s server
	p := newPool([]*host{s.host("a", 0)}, time.Minute, time.Minute)
	defer p.close()
	broken := errors.New("closed by the server")
	for _, test := range []struct {
		name   string
		fail   int // how many tries
		err    error
		dials  int
		answer bool
	}{
		{"first", 0, nil, 1, true},
		{"again", 0, nil, 0, true},
		{"was closed", 1, broken, 1, true},
		{"is down", 2, broken, 1, false},
		{"is back", 0, nil, 1, true},
		{"wrong query", 1, remote.Answered{Err: broken}, 0, false},
		{"right query", 0, nil, 0, true},
	} {
		before, tries := s.count(&s.dialled), 0
		err := p.do(t.Context(), func(context.Context, session) error {
			if tries++; tries <= test.fail {
				return test.err
			}
			return nil
		})
		if s.count(&s.dialled)-before != test.dials || (err == nil) != test.answer {
			t.Errorf("%s: dialled %d times, %v", test.name, s.count(&s.dialled)-before, err)
		}
	}
}

// Who finds no room waits for a connection that comes back, and learns when none will.
func TestPoolOfAFullServer(t *testing.T) {
	for _, failure := range []error{nil, errors.New("the server is gone")} {
		t.Run(fmt.Sprint(failure), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := server{most: 2}
				p := newPool([]*host{s.host("a", 0)}, time.Minute, time.Minute)
				defer p.close()
				results := make(chan error, 6)
				for range 6 {
					go func() {
						results <- p.do(t.Context(), func(context.Context, session) error {
							time.Sleep(time.Second)
							return failure
						})
					}()
				}
				failed := 0
				for range 6 {
					if <-results != nil {
						failed++
					}
				}
				if failure == nil && failed > 0 || failure != nil && failed != 6 || s.count(&s.dialled) > 2 && failure == nil {
					t.Errorf("%d have failed, dialled %d times", failed, s.count(&s.dialled))
				}
				if p.hosts[0].used != 0 || len(p.hosts[0].waiting) != 0 {
					t.Errorf("%d in use, %d wait", p.hosts[0].used, len(p.hosts[0].waiting))
				}
			})
		})
	}
}

// Who waits and leaves takes no connection with him.
func TestPoolLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server{most: 1}
		p := newPool([]*host{s.host("a", 0)}, time.Minute, time.Hour)
		defer p.close()
		go func() {
			_ = p.do(t.Context(), func(context.Context, session) error {
				time.Sleep(time.Minute)
				return nil
			})
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.do(ctx, nothing); err == nil {
			t.Error("one connection serves two")
		}
		time.Sleep(time.Minute)
		if err := p.do(t.Context(), nothing); err != nil || s.count(&s.dialled) != 1 {
			t.Errorf("dialled %d times, %v", s.count(&s.dialled), err)
		}
	})
}
