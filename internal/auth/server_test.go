package auth

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"mailweir/internal/policy"
)

func mustAddr(s string) netip.Addr { return netip.MustParseAddr(s) }

// Beyond the bound the stream that has been idle for longest makes room, and none that is at work.
func TestStreamsMakeRoom(t *testing.T) {
	evicted := 0
	limit := func(o *Options) { o.Streams, o.Evicted = 2, func() { evicted++ } }
	play(t, byFile, func(r *rig) {
		first, _ := r.connect()
		second, _ := r.connect()
		first.ask("PLAIN", b64("\x00bob\x00secret")) // it is the second now that nobody has used for longest
		third, _ := r.connect()
		second.said("the second", second.hear(), closed)
		first.said("the first", first.ask("PLAIN", b64("\x00bob\x00secret")), okBob)
		third.said("the third", third.ask("PLAIN", b64("\x00bob\x00secret")), okBob)
		if evicted != 1 {
			t.Errorf("%d evicted", evicted)
		}
		held := make(chan struct{})
		r.block = func(policy.Login) (bool, string, error) { <-held; return false, "", nil }
		answers := make(chan string)
		for _, p := range []*smtpd{first, third} {
			go func() { answers <- p.ask("PLAIN", b64("\x00bob\x00secret")) }()
		}
		synctest.Wait()
		fourth := make(chan *smtpd)
		go func() { p, _ := r.connect(); fourth <- p }()
		synctest.Wait()
		select {
		case <-fourth:
			t.Error("served while all are at work")
		default:
		}
		r.mu.Lock()
		r.block = nil
		r.mu.Unlock()
		close(held)
		for range 2 {
			if got := <-answers; got != okBob {
				t.Errorf("one at work: %q", got)
			}
		}
		p := <-fourth
		p.said("the fourth", p.ask("PLAIN", b64("\x00bob\x00secret")), okBob)
	}, limit)
}

// At the end idle streams are closed at once, and who is waiting gets his answer.
func TestShutdown(t *testing.T) {
	play(t, byFile, func(r *rig) {
		idle, _ := r.connect()
		busy, _ := r.connect()
		held := make(chan struct{})
		r.block = func(policy.Login) (bool, string, error) { <-held; return false, "", nil }
		answer := make(chan string)
		go func() { answer <- busy.ask("PLAIN", b64("\x00bob\x00secret")) }()
		synctest.Wait()
		ended := make(chan struct{})
		go func() { r.Shutdown(context.Background()); close(ended) }()
		idle.said("idle", idle.hear(), closed)
		close(held)
		if got := <-answer; got != okBob {
			t.Errorf("at work: %q", got)
		}
		busy.said("afterwards", busy.hear(), closed)
		<-ended
	})
}

// Whoever connects at the very end is greeted all the same.
func TestGreetedWhileClosing(t *testing.T) {
	play(t, byFile, func(r *rig) {
		r.Shutdown(context.Background())
		p, _ := r.connect()
		p.said("afterwards", p.hear(), closed)
	})
}

// Guesses take turns; who does not get his within the time that Postfix waits is told to try again.
func TestParallel(t *testing.T) {
	var file *File
	judge := func(r *rig) Judge { file = NewFile(cheapFile(r.t), 2); return file }
	play(t, judge, func(r *rig) {
		p, _ := r.connect()
		if err := file.turns.Acquire(context.Background(), 2); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		p.said("no turn", p.ask("PLAIN", b64("\x00bob\x00secret")), closed)
		if took, want := time.Since(begun), answerTime-file.passwords.Find("bob").Effort(); took != want {
			t.Errorf("after %s, want %s", took, want)
		}
		r.want("events", &r.events, "deferred 454 bob mechanism PLAIN too many guesses are under way (--auth-parallel)")
		file.turns.Release(1)
		p, _ = r.connect()
		p.said("a turn", p.ask("PLAIN", b64("\x00bob\x00secret")), okBob)
		file.turns.Release(1)
	})
}
