package clamd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mailweir/internal/backend"
	"mailweir/internal/clamd/clamdtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// log keeps what an observer is told.
type log struct {
	mu   sync.Mutex
	said []string
	wait map[string]chan struct{} // closed when that has been said
}

func (l *log) say(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, what)
	if c := l.wait[what]; c != nil {
		close(c)
		delete(l.wait, what)
	}
}

// await returns when that has been said, be it before.
func (l *log) await(what string) {
	l.mu.Lock()
	for _, said := range l.said {
		if said == what {
			l.mu.Unlock()
			return
		}
	}
	c := make(chan struct{})
	l.wait[what] = c
	l.mu.Unlock()
	<-c
}

func (l *log) lines() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.said, ", ")
}

func (l *log) observer() *backend.Observer {
	l.wait = map[string]chan struct{}{}
	return &backend.Observer{Down: func(string, error) { l.say("down") }, Up: func(string) { l.say("up") }}
}

// scanner returns one for the fake, with a deadline that a test can wait for.
func scanner(t testing.TB, f *clamdtest.Fake, change ...func(*Options)) *Scanner {
	t.Helper()
	address, err := ParseAddress(f.Spec())
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Address: address, Deadline: 10 * time.Second, MaxSize: 1 << 20, PingWithin: 2 * time.Second}
	for _, c := range change {
		c(&o)
	}
	s := NewScanner(o)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func message(text string) func() io.Reader {
	return func() io.Reader { return strings.NewReader(text) }
}

func TestScan(t *testing.T) {
	const head = "Subject: x\r\n\r\n"
	long := strings.Repeat("0123456789abcdef", 20_000)
	for _, tt := range []struct {
		name, message, answer string
		maxSize               int64
		want                  Result
		err                   string
	}{
		{name: "clean", message: head + "hello", want: Result{Octets: 19}},
		{name: "infected", message: head + clamdtest.Virus, want: Result{Kind: Infected, Signature: "Test.Virus.UNOFFICIAL", Octets: 31}},
		{name: "long", message: long, want: Result{Octets: 320_000}},
		{name: "empty", message: "", want: Result{}},
		{name: "whole chunks", message: strings.Repeat("x", 2*chunk-len(front)), want: Result{Octets: int64(2*chunk - len(front))}},
		{name: "just as much as is sent", message: long[:100_000-len(front)], maxSize: 100_000, want: Result{Octets: int64(100_000 - len(front))}},
		{name: "one octet more", message: long[:100_001-len(front)], maxSize: 100_000, want: Result{Octets: int64(100_000 - len(front)), Cut: true}},
		{name: "a virus behind it", message: long + clamdtest.Virus, maxSize: 100_000, want: Result{Octets: int64(100_000 - len(front)), Cut: true}},
		{name: "a virus before it", message: clamdtest.Virus + long, maxSize: 100_000, want: Result{Kind: Infected, Signature: "Test.Virus.UNOFFICIAL", Octets: int64(100_000 - len(front)), Cut: true}},
		{name: "answer that ends with LF", answer: "COMMAND READ TIMED OUT\n", err: "COMMAND READ TIMED OUT"},
		{name: "half an answer", answer: "stream: O", err: `broken off its answer: clamd answers "stream: O"`},
		{name: "no answer", answer: "\x00", err: `clamd answers ""`},
		{name: "rubbish", answer: strings.Repeat("\xff\x01", 3000), err: "an answer without an end"},
		{name: "encrypted", answer: "stream: Heuristics.Encrypted.Zip FOUND\x00", want: Result{Kind: Encrypted, Signature: "Heuristics.Encrypted.Zip"}},
		{name: "error", answer: "stream: Can't allocate memory ERROR\x00", err: "Can't allocate memory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := clamdtest.Start(t, &clamdtest.Fake{Answer: tt.answer})
			s := scanner(t, f, func(o *Options) {
				if tt.maxSize > 0 {
					o.MaxSize = tt.maxSize
				}
			})
			got, err := s.Scan(t.Context(), message(tt.message))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), s.Name()) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			tt.want.Scanner = s.Name()
			if err != nil || got != tt.want {
				t.Fatalf("%+v, %v; want %+v", got, err, tt.want)
			}
			if shown := f.Seen()[0]; string(shown) != front+tt.message[:tt.want.Octets] {
				t.Errorf("it was shown %q…", shown[:min(len(shown), 60)])
			}
		})
	}
}

// One that takes less than it should is sent less from then on, and says so once.
func TestScannerTakesLess(t *testing.T) {
	f := clamdtest.Start(t, &clamdtest.Fake{MaxSize: 300_000})
	s := scanner(t, f)
	if limit, news := s.Limit(); limit != 1<<20 || news {
		t.Errorf("limit %d, news %t", limit, news)
	}
	body := strings.Repeat("x", 20_000) + clamdtest.Virus + strings.Repeat("x", 2<<20)
	for range 2 {
		got, err := s.Scan(t.Context(), message(body))
		if err != nil || got.Kind != Infected || !got.Cut || got.Octets+int64(len(front)) != s.limit.Load() {
			t.Errorf("%+v, %v", got, err)
		}
	}
	for _, news := range []bool{true, false} {
		if limit, got := s.Limit(); limit < smallest || limit > 300_000 || got != news {
			t.Errorf("limit %d, news %t, want %t", limit, got, news)
		}
	}
	f.Change(func(f *clamdtest.Fake) { f.MaxSize = 1000 })
	if _, err := s.Scan(t.Context(), message(body)); !errors.Is(err, errSizeLimit) {
		t.Errorf("what takes next to nothing: %v", err)
	}
	if got, err := s.Scan(t.Context(), message("hello")); err != nil || got.Kind != Clean {
		t.Errorf("%+v, %v", got, err)
	}
}

// An error of the message itself is no fault of the scanner, and is never taken for its end.
func TestMessageThatCannotBeRead(t *testing.T) {
	f := clamdtest.Start(t, &clamdtest.Fake{})
	var said log
	s := scanner(t, f, func(o *Options) { o.Observer = said.observer() })
	gone := errors.New("the body is gone")
	for _, before := range []string{"", "x", strings.Repeat("x", 1<<20-len(front))} {
		_, err := s.Scan(t.Context(), func() io.Reader {
			return io.MultiReader(strings.NewReader(before), failing{gone})
		})
		if !errors.Is(err, gone) || !errors.Is(err, ErrMessage) {
			t.Errorf("after %d octets: %v", len(before), err)
		}
	}
	if got := said.lines(); got != "" || len(f.Seen()) != 0 {
		t.Errorf("%s; %d messages were shown whole", got, len(f.Seen()))
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// What is silent is waited for until the deadline, asked whether it is there, and lost then. One
// line says so, and one that it is back.
func TestSilentScanner(t *testing.T) {
	for _, tt := range []struct {
		name string
		hang func(*clamdtest.Fake)
	}{
		{"to everything", func(f *clamdtest.Fake) { f.Silent = true }},
		{"an octet, and then nothing", func(f *clamdtest.Fake) { f.Slowly, f.Silent = 1, true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := clamdtest.Start(t, &clamdtest.Fake{})
			var said log
			s := scanner(t, f, func(o *Options) { o.Observer, o.PingWithin = said.observer(), time.Second })
			g := NewGroup(2*time.Second, s) // enough for a busy machine to connect
			f.Change(tt.hang)
			result, err := g.Scan(t.Context(), message("hello"))
			if err == nil || !strings.Contains(err.Error(), "no answer within 2s") || result.Took < 2*time.Second {
				t.Errorf("%+v, %v", result, err)
			}
			said.await("down")
			if _, err := g.Scan(t.Context(), message("hello")); !errors.Is(err, backend.ErrUnavailable) {
				t.Errorf("the next message: %v", err)
			}
			f.Change(func(f *clamdtest.Fake) { f.Silent, f.Slowly = false, 0 })
			said.await("up")
			if _, err := NewGroup(10*time.Second, s).Scan(t.Context(), message("hello")); err != nil {
				t.Error(err)
			}
			if got := said.lines(); got != "down, up" {
				t.Error(got)
			}
		})
	}
}

// One that takes too long over a message, or fails over it, is not lost as long as it answers PING.
func TestSlowScannerIsNotLost(t *testing.T) {
	hold := make(chan struct{})
	f := clamdtest.Start(t, &clamdtest.Fake{Hold: hold})
	var said log
	s := scanner(t, f, func(o *Options) { o.Observer, o.PingWithin = said.observer(), 5*time.Second })
	if _, err := NewGroup(20*time.Millisecond, s).Scan(t.Context(), message("hello")); err == nil {
		t.Error("no error")
	}
	close(hold)
	f.Change(func(f *clamdtest.Fake) { f.Answer = "stream: Can't allocate memory ERROR\x00" })
	if _, err := s.Scan(t.Context(), message("hello")); err == nil {
		t.Error("no error")
	}
	f.Change(func(f *clamdtest.Fake) { f.Answer = "" })
	if _, err := s.Scan(t.Context(), message("hello")); err != nil {
		t.Error(err)
	}
	_ = s.Close() // when it has been asked
	if got := said.lines(); got != "" {
		t.Error(got)
	}
}

// One that answers PING and nothing about any message is lost, until it scans again.
func TestThreadsHang(t *testing.T) {
	hold := make(chan struct{})
	f := clamdtest.Start(t, &clamdtest.Fake{Hold: hold})
	var said log
	s := scanner(t, f, func(o *Options) { o.Observer, o.Deadline = said.observer(), 100*time.Millisecond })
	if _, err := NewGroup(100*time.Millisecond, s).Scan(t.Context(), message("hello")); err == nil {
		t.Error("no error")
	}
	said.await("down")
	if _, err := s.Scan(t.Context(), message("hello")); !errors.Is(err, backend.ErrUnavailable) {
		t.Error(err)
	}
	close(hold)
	said.await("up")
	if got := said.lines(); got != "down, up" {
		t.Error(got)
	}
}

// What does not run is lost at once, and is back when it runs.
func TestScannerThatIsNotThere(t *testing.T) {
	f := clamdtest.Start(t, &clamdtest.Fake{})
	var said log
	s := scanner(t, f, func(o *Options) { o.Observer = said.observer() })
	f.Stop()
	if _, err := s.Scan(t.Context(), message("hello")); err == nil {
		t.Error("no error")
	}
	said.await("down")
	f.Listen(t)
	said.await("up")
	if _, err := s.Scan(t.Context(), message("hello")); err != nil {
		t.Error(err)
	}
}

// A scanner is shown as many messages at once as it has threads; the others wait for their turn.
func TestThreads(t *testing.T) {
	for _, tt := range []struct{ threads, want int }{{0, usualThreads}, {3, 3}} {
		hold := make(chan struct{})
		f := clamdtest.Start(t, &clamdtest.Fake{Hold: hold, Threads: tt.threads})
		s := scanner(t, f)
		s.askThreads(t.Context())
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				if _, err := s.Scan(t.Context(), message("hello")); err != nil {
					t.Error(err)
				}
			})
		}
		for s.free() || len(f.Seen()) < tt.want {
			time.Sleep(time.Millisecond)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		if _, err := s.Scan(ctx, message("late")); !errors.Is(err, backend.ErrBusy) {
			t.Errorf("without a thread: %v", err)
		}
		cancel()
		close(hold)
		all.Wait()
		if got := f.Most(); got != tt.want {
			t.Errorf("%d messages were shown at once, want %d", got, tt.want)
		}
	}
}

// Who leaves takes the scan with him, and the scanner is not blamed.
func TestWhoLeaves(t *testing.T) {
	f := clamdtest.Start(t, &clamdtest.Fake{Silent: true})
	var said log
	s := scanner(t, f, func(o *Options) { o.Observer = said.observer() })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := s.Scan(ctx, message("hello")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	_ = s.Close()
	if got := said.lines(); got != "" {
		t.Error(got)
	}
}

func TestVersion(t *testing.T) {
	f := clamdtest.Start(t, &clamdtest.Fake{Version: "ClamAV 1.4.6/27456/Thu Nov 26 09:32:14 2026", Threads: 4})
	s := scanner(t, f)
	if v, err := s.Version(t.Context()); err != nil || v.Program != "ClamAV 1.4.6" || v.Database != "27456" || v.Made.IsZero() {
		t.Errorf("%+v, %v", v, err)
	}
	f.Stop()
	if _, err := s.Version(t.Context()); err == nil {
		t.Error("no error")
	}
}

// FuzzStream: whatever a scanner says and when it says it, a scan ends, and what it has found has a
// name.
func FuzzStream(f *testing.F) {
	f.Add([]byte("stream: OK\x00"), uint16(10), int64(100))
	f.Add([]byte("INSTREAM size limit exceeded. ERROR\x00"), uint16(60_000), int64(70_000))
	f.Add([]byte("stream: X FOUND\n"), uint16(0), int64(22))
	f.Fuzz(func(t *testing.T, answer []byte, size uint16, limit int64) {
		if limit < int64(len(front)) { // nobody sends so little
			return
		}
		line, err := readReply(bytes.NewReader(answer), "\x00\n")
		if err == nil && (len(line) > maxReply+512 || strings.ContainsAny(line, "\x00")) {
			t.Errorf("%q", line)
		}
		var out bytes.Buffer
		how, err := write(&out, strings.NewReader(strings.Repeat("x", int(size))), limit)
		want := min(limit, int64(len(front))+int64(size))
		if err != nil || how.octets != want-int64(len(front)) || how.cut != (limit < int64(len(front))+int64(size)) {
			t.Errorf("%+v, %v", how, err)
		}
		if got := int64(out.Len()); got != int64(len(begin))+4*((want+chunk-1)/chunk)+want+4 {
			t.Errorf("%d octets for a message of %d", got, want)
		}
	})
}
