package spamscan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/backend"
)

// scanner is one that a test plays.
type scanner struct {
	name string
	scan func(context.Context) (Answer, error)
	ping func(context.Context) error

	mu    sync.Mutex
	scans int
}

func (s *scanner) Name() string  { return s.name }
func (s *scanner) InClear() bool { return false }

func (s *scanner) Scan(ctx context.Context, _ *Message) (Answer, error) {
	s.mu.Lock()
	s.scans++
	s.mu.Unlock()
	return s.scan(ctx)
}

func (s *scanner) Ping(ctx context.Context) (string, error) {
	s.mu.Lock()
	ping := s.ping
	s.mu.Unlock()
	return s.name, ping(ctx)
}

// back has the scanner answer pings.
func (s *scanner) back() {
	s.mu.Lock()
	s.ping = answers
	s.mu.Unlock()
}

func clean(context.Context) (Answer, error) { return Answer{Said: "clean", Score: math.NaN()}, nil }
func fails(context.Context) (Answer, error) { return Answer{}, errors.New("refused") }
func hangs(ctx context.Context) (Answer, error) {
	<-ctx.Done()
	return Answer{}, ctx.Err()
}
func answers(context.Context) error { return nil }
func silent(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// run plays scanners in a pool whose log is said.
func run(t *testing.T, test func(t *testing.T, p *Pool, said *[]string), scanners ...*scanner) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var said []string
		list := make([]Scanner, len(scanners))
		for i, s := range scanners {
			list[i] = s
		}
		p := NewPool(&backend.Observer{
			Down: func(name string, _ error) { said = append(said, name+" down") },
			Up:   func(name string) { said = append(said, name+" up") },
		}, 2, list...)
		defer func() { _ = p.Close() }()
		test(t, p, &said)
		synctest.Wait()
	})
}

func shown() *Message {
	return &Message{Open: func() io.Reader { return strings.NewReader("x") }}
}

func TestByTurn(t *testing.T) {
	a, b := &scanner{name: "a", scan: clean, ping: answers}, &scanner{name: "b", scan: clean, ping: answers}
	run(t, func(t *testing.T, p *Pool, _ *[]string) {
		var by string
		for range 4 {
			r, err := p.Scan(t.Context(), shown())
			if err != nil {
				t.Fatal(err)
			}
			by += r.By
		}
		if by != "abab" {
			t.Errorf("asked %s", by)
		}
	}, a, b)
}

// TestFailover: the next one is asked, and the lost one no more until it is back.
func TestFailover(t *testing.T) {
	a, b := &scanner{name: "a", scan: fails, ping: silent}, &scanner{name: "b", scan: clean, ping: answers}
	run(t, func(t *testing.T, p *Pool, said *[]string) {
		for range 4 {
			if r, err := p.Scan(t.Context(), shown()); err != nil || r.By != "b" {
				t.Fatalf("%s, %v", r.By, err)
			}
		}
		if a.scans != 1 {
			t.Errorf("the lost one was asked %d times", a.scans)
		}
		synctest.Wait()
		a.back()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if fmt.Sprint(*said) != "[a down a up]" {
			t.Errorf("said %q", *said)
		}
	}, a, b)
}

// TestDeadlines: a message never takes longer than its time, however many hang.
func TestDeadlines(t *testing.T) {
	for name, scanners := range map[string][]*scanner{
		"one":   {{name: "a", scan: hangs, ping: silent}},
		"two":   {{name: "a", scan: hangs, ping: silent}, {name: "b", scan: hangs, ping: silent}},
		"three": {{name: "a", scan: hangs, ping: silent}, {name: "b", scan: hangs, ping: silent}, {name: "c", scan: hangs, ping: silent}},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, p *Pool, _ *[]string) {
				begun := time.Now()
				r, err := p.Scan(t.Context(), shown())
				if took := time.Since(begun); err == nil || took != Deadline || len(r.Tried) == 0 {
					t.Errorf("%v after %v, tried %v", err, took, r.Tried)
				}
			}, scanners...)
		})
	}
	t.Run("the second in time", func(t *testing.T) {
		run(t, func(t *testing.T, p *Pool, _ *[]string) {
			begun := time.Now()
			r, err := p.Scan(t.Context(), shown())
			if err != nil || r.By != "b" || time.Since(begun) != attempt {
				t.Errorf("%s, %v after %v", r.By, err, time.Since(begun))
			}
			if len(r.Tried) != 2 || !strings.Contains(r.Tried[0].Answer, "no answer in time") || r.Tried[1].Answer != "clean" {
				t.Errorf("tried %v", r.Tried)
			}
		}, &scanner{name: "a", scan: hangs, ping: silent}, &scanner{name: "b", scan: clean, ping: answers})
	})
}

// TestOneMessage: who stumbles over one message, and answers a ping, is there for others.
func TestOneMessage(t *testing.T) {
	for name, scan := range map[string]func(context.Context) (Answer, error){
		"fails": fails, "hangs": hangs,
		"answers something else": func(context.Context) (Answer, error) { return Answer{}, &AnsweredError{"500"} },
		"cannot be read":         func(context.Context) (Answer, error) { return Answer{}, &ReadError{errors.New("disk")} },
	} {
		t.Run(name, func(t *testing.T) {
			a := &scanner{name: "a", scan: scan, ping: answers}
			run(t, func(t *testing.T, p *Pool, said *[]string) {
				if _, err := p.Scan(t.Context(), shown()); err == nil || !strings.Contains(err.Error(), "a: ") {
					t.Errorf("error %v", err)
				}
				a.scan = clean
				if _, err := p.Scan(t.Context(), shown()); err != nil || len(*said) > 0 {
					t.Errorf("the next one: %v; said %q", err, *said)
				}
			}, a)
		})
	}
}

// TestUnreadable: what cannot be read is not read again for another scanner.
func TestUnreadable(t *testing.T) {
	unread := func(context.Context) (Answer, error) { return Answer{}, &ReadError{errors.New("disk")} }
	a, b := &scanner{name: "a", scan: unread, ping: answers}, &scanner{name: "b", scan: clean, ping: answers}
	run(t, func(t *testing.T, p *Pool, _ *[]string) {
		if _, err := p.Scan(t.Context(), shown()); err == nil || b.scans != 0 {
			t.Errorf("%v, and %d more", err, b.scans)
		}
	}, a, b)
}

// TestWhoLeaves: a message that nobody waits for any more is nobody's fault.
func TestWhoLeaves(t *testing.T) {
	a := &scanner{name: "a", scan: hangs, ping: silent}
	run(t, func(t *testing.T, p *Pool, said *[]string) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begun := time.Now()
		if _, err := p.Scan(ctx, shown()); !errors.Is(err, context.Canceled) || time.Since(begun) != time.Second || len(*said) > 0 {
			t.Errorf("%v after %v; said %q", err, time.Since(begun), *said)
		}
	}, a)
}

// TestInFlight: a scanner gets no more messages at once than it can take.
func TestInFlight(t *testing.T) {
	slow := func(context.Context) (Answer, error) {
		time.Sleep(time.Second)
		return clean(context.Background())
	}
	a := &scanner{name: "a", scan: slow, ping: answers}
	run(t, func(t *testing.T, p *Pool, _ *[]string) {
		begun := time.Now()
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				if _, err := p.Scan(t.Context(), shown()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("six messages, two at a time, took %v", took)
		}
	}, a)
}

func TestOneLine(t *testing.T) {
	for s, want := range map[string]string{
		"a": "a", "a\r\nb": "a??b", " x\t": "x", "jörg": "jörg", "\xff": "\ufffd", strings.Repeat("ö", 30): strings.Repeat("ö", 10), "\x00": "?", "": "",
	} {
		if got := OneLine(s, 21); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[float64]string{0: "0", -0.001: "0", 15: "15", 6.5: "6.5", 6.555: "6.55", -1.25: "-1.25", 100: "100"} {
		if got := Number(n); got != want {
			t.Errorf("%v: %s, want %s", n, got, want)
		}
	}
}

func TestAnswerInWords(t *testing.T) {
	a := Answer{Said: "reject", Score: 20, Required: 15}
	for i := range 30 {
		a.Symbols = append(a.Symbols, Symbol{fmt.Sprintf("S%02d", i), float64(i % 7)})
	}
	if got, want := a.String(), "reject, score 20 of 15: S06 6, S13 6, S20 6, S27 6, S05 5 and 25 more"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := a.Whole(); !strings.HasSuffix(got, " and 10 more") {
		t.Errorf("%s", got)
	}
}
