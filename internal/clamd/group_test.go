package clamd

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"mailweir/internal/backend"
	"mailweir/internal/clamd/clamdtest"
)

// pair is two scanners and a group of them.
type pair struct {
	fakes [2]*clamdtest.Fake
	said  [2]log
	group *Group
}

func newPair(t *testing.T) *pair {
	p := &pair{}
	var scanners []*Scanner
	for i := range p.fakes {
		p.fakes[i] = clamdtest.Start(t, &clamdtest.Fake{})
		scanners = append(scanners, scanner(t, p.fakes[i], func(o *Options) { o.Observer = p.said[i].observer() }))
	}
	p.group = NewGroup(10*time.Second, scanners...)
	p.group.patience = 20 * time.Millisecond
	return p
}

// by says which of the two has scanned a message.
func (p *pair) by(t *testing.T) int {
	t.Helper()
	result, err := p.group.Scan(t.Context(), message("hello"))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range p.fakes {
		if result.Scanner == f.Spec() {
			return i
		}
	}
	t.Fatalf("scanned by %q", result.Scanner)
	return 0
}

func TestByTurn(t *testing.T) {
	p := newPair(t)
	p.group.patience = time.Minute
	for i := range 6 {
		if by := p.by(t); by != i%2 {
			t.Errorf("message %d was scanned by %d", i, by)
		}
	}
}

// One that fails over a message, whatever the way, leaves it to the other.
func TestFailover(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fails func(*clamdtest.Fake)
		lost  bool
	}{
		{"is gone", (*clamdtest.Fake).Stop, true},
		{"closes early", func(f *clamdtest.Fake) { f.Change(func(f *clamdtest.Fake) { f.Closes = true }) }, false},
		{"half an answer", func(f *clamdtest.Fake) { f.Change(func(f *clamdtest.Fake) { f.Answer = "stream: OK" }) }, false},
		{"rubbish", func(f *clamdtest.Fake) { f.Change(func(f *clamdtest.Fake) { f.Answer = "\x01\x02\x00" }) }, false},
		{"out of memory", func(f *clamdtest.Fake) {
			f.Change(func(f *clamdtest.Fake) { f.Answer = "stream: Can't allocate memory ERROR\x00" })
		}, false},
		{"slow octets", func(f *clamdtest.Fake) { f.Change(func(f *clamdtest.Fake) { f.Slowly = 5 }) }, false},
		{"its threads hang", func(f *clamdtest.Fake) { f.Change(func(f *clamdtest.Fake) { f.Hold = make(chan struct{}) }) }, true},
		{"hangs", func(f *clamdtest.Fake) { f.Change(func(f *clamdtest.Fake) { f.Silent = true }) }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t)
			tt.fails(p.fakes[0])
			for range 4 {
				if by := p.by(t); by != 1 {
					t.Error("scanned by the one that fails")
				}
			}
			if tt.lost {
				p.said[0].await("down")
			}
			if got := p.said[1].lines(); got != "" {
				t.Errorf("the one that works: %s", got)
			}
		})
	}
}

// Where all fail, the error names each.
func TestAllFail(t *testing.T) {
	p := newPair(t)
	p.fakes[0].Stop()
	p.fakes[1].Change(func(f *clamdtest.Fake) { f.Answer = "stream: (null) FOUND\x00" })
	for range 2 {
		_, err := p.group.Scan(t.Context(), message("hello"))
		if err == nil || !strings.Contains(err.Error(), p.fakes[0].Spec()) || !strings.Contains(err.Error(), p.fakes[1].Spec()+": a signature without a name") {
			t.Error(err)
		}
	}
	p.said[0].await("down")
	p.fakes[1].Stop()
	_, _ = p.group.Scan(t.Context(), message("hello"))
	p.said[1].await("down")
	if _, err := p.group.Scan(t.Context(), message("hello")); !errors.Is(err, backend.ErrUnavailable) {
		t.Error(err)
	}
}

// A message that cannot be read is shown to nobody else.
func TestGroupMessageThatCannotBeRead(t *testing.T) {
	p := newPair(t)
	gone := errors.New("gone")
	opened := 0
	_, err := p.group.Scan(t.Context(), func() io.Reader { opened++; return failing{gone} })
	if !errors.Is(err, gone) || opened != 1 {
		t.Errorf("opened %d times: %v", opened, err)
	}
}

// The one with a free thread comes first, and what is lost last.
func TestOrder(t *testing.T) {
	p := newPair(t)
	a, b := p.group.scanners[0], p.group.scanners[1]
	a.setThreads(1)
	leave, err := a.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := p.group.order(); got[0] != b || got[1] != a {
			t.Error("the busy one is asked first")
		}
	}
	_ = b.watch.Lose(errors.New("gone"), 0)
	for range 2 {
		if got := p.group.order(); got[0] != a || got[1] != b {
			t.Error("the lost one is asked first")
		}
	}
	leave()
}
