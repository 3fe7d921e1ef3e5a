package dns

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"mailweir/internal/dns/dnstest"
)

func background(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// Many who ask the same at once are one question on the wire, and each gets the answer.
func TestOneQuestionForMany(t *testing.T) {
	l := dnstest.New(t)
	release := make(chan struct{})
	l.Set("bl.example", func(_ string, m *dnstest.Msg, _ bool) [][]byte {
		select {
		case <-release:
		case <-l.Stop:
		}
		return dnstest.One(dnstest.Has(m, "300", "A 127.0.0.2"))
	})
	r := newTestResolver(t, ResolverOptions{AttemptTimeout: time.Minute, QuestionTimeout: time.Minute}, l.Addr)
	q := NewQuestion(A, "99.2.0.192.bl.example")
	const askers = 200
	answers := make(chan Answer, askers)
	for range askers {
		go func() { answers <- r.Ask(context.Background(), q) }()
	}
	deadline := time.Now().Add(10 * time.Second)
	for r.Stats().Shared < askers-1 && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	close(release)
	for range askers {
		if a := <-answers; a.Status != Found {
			t.Fatal(a)
		}
	}
	if n := l.Questions(); n != 1 {
		t.Errorf("%d questions", n)
	}
	if s := r.Stats(); s.Misses != 1 || s.Shared != askers-1 {
		t.Errorf("%d misses, %d shared", s.Misses, s.Shared)
	}
}

// A question lives while somebody waits for it and is cancelled when the last one leaves.
func TestLastWaiterCancels(t *testing.T) {
	l := dnstest.New(t)
	l.Set("bl.example", dnstest.Silent)
	r := newTestResolver(t, ResolverOptions{AttemptTimeout: time.Hour, QuestionTimeout: time.Hour}, l.Addr)
	q := NewQuestion(A, "99.2.0.192.bl.example")
	ask := func() (context.CancelFunc, chan Answer) {
		ctx, cancel := context.WithCancel(context.Background())
		ch := make(chan Answer, 1)
		go func() { ch <- r.Ask(ctx, q) }()
		return cancel, ch
	}
	cancel1, first := ask()
	waitFor(t, func() bool { return r.Stats().Misses == 1 })
	cancel2, second := ask()
	waitFor(t, func() bool { return r.Stats().Shared == 1 })
	cancel1()
	if a := <-first; a.Err == nil || a.Err.Failure != Cancelled {
		t.Errorf("first: %v", a)
	}
	if n := r.Stats().Open; n != 1 {
		t.Errorf("%d open questions while one waits", n)
	}
	cancel2()
	<-second
	waitFor(t, func() bool { return r.Stats().Open == 0 })
	if s := r.Stats(); s.Names != 0 {
		t.Errorf("a cancelled question left %d answers in the cache", s.Names)
	}
}

// waitFor waits for a state that another goroutine brings about.
func waitFor(t testing.TB, reached func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !reached() {
		if time.Now().After(deadline) {
			t.Fatal("not reached in time")
		}
		runtime.Gosched()
	}
}

// More questions than may be open wait for their turn, and too many of those fail at once.
func TestBoundedQuestions(t *testing.T) {
	l := dnstest.New(t)
	release := make(chan struct{})
	l.Set("example", func(_ string, m *dnstest.Msg, _ bool) [][]byte {
		select {
		case <-release:
		case <-l.Stop:
		}
		return dnstest.One(dnstest.NX(m))
	})
	r := newTestResolver(t, ResolverOptions{InFlight: 1, AttemptTimeout: time.Minute, QuestionTimeout: time.Minute}, l.Addr)
	answers := make(chan Answer, 70)
	for i := range 65 { // one open, 64 queued
		go func() { answers <- r.Ask(context.Background(), NewQuestion(A, fmt.Sprint(i, ".example"))) }()
	}
	waitFor(t, func() bool { s := r.Stats(); return s.Open == 1 && s.Queued == 64 })
	if a := r.Ask(background(t), NewQuestion(A, "more.example")); a.Err == nil || a.Err.Failure != Overloaded {
		t.Errorf("one too many: %v", a)
	}
	close(release)
	for range 65 {
		if a := <-answers; a.Status != NoName {
			t.Fatal(a)
		}
	}
}

func TestClosedResolver(t *testing.T) {
	l := dnstest.New(t)
	l.Set("example", dnstest.Silent)
	r := newTestResolver(t, ResolverOptions{AttemptTimeout: time.Hour, QuestionTimeout: time.Hour, InFlight: 1}, l.Addr)
	answers := make(chan Answer, 2)
	for i := range 2 { // one open, one queued
		go func() { answers <- r.Ask(context.Background(), NewQuestion(A, fmt.Sprint(i, ".example"))) }()
	}
	waitFor(t, func() bool { s := r.Stats(); return s.Open == 1 && s.Queued == 1 })
	r.Close()
	for range 2 {
		if a := <-answers; a.Err == nil || a.Err.Failure != Cancelled {
			t.Error(a)
		}
	}
	if a := r.Ask(context.Background(), NewQuestion(A, "x.example")); a.Err == nil || a.Err.Failure != Cancelled {
		t.Error(a)
	}
}

// What nobody waited for to the end is counted, too: a DNS that is dnstest.Silent must be seen in
// the metrics.
func TestSilenceIsCounted(t *testing.T) {
	l := dnstest.New(t)
	l.Set("bl.example", dnstest.Silent)
	r := newTestResolver(t, ResolverOptions{}, l.Addr)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if a := r.Ask(ctx, NewQuestion(A, "1.2.0.192.bl.example")); a.Status != Failed {
		t.Errorf("silence answers %v", a)
	}
	if n := r.Stats().Failures[Timeout]; n != 1 {
		t.Errorf("%d failures counted, want 1", n)
	}
}
