package runner

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"mailweir/internal/policy"
)

// scanner is the example of a check that shows the message to somebody who takes his time: it has
// the body kept from its Headers hook, and its Later opens as many readers as it likes.
func scanner(ask func(ctx context.Context, whole, body io.Reader) (policy.Verdict, error), change ...func(*policy.Check)) *policy.Check {
	return check("scanner", policy.Hooks{
		Headers: func(m *policy.Message) (policy.Verdict, error) {
			m.Keep()
			return policy.Pass, nil
		},
		Message: func(m *policy.Message) (policy.Verdict, error) {
			return policy.Asks(policy.Network{}).Later(func(ctx context.Context) (policy.Verdict, error) {
				return ask(ctx, m.Open(), m.OpenBody())
			}), nil
		},
	}, append([]func(*policy.Check){func(c *policy.Check) { c.OnError = policy.Delay }}, change...)...)
}

// virus objects to a message that has the word in it.
func virus(_ context.Context, whole, _ io.Reader) (policy.Verdict, error) {
	text, err := io.ReadAll(whole)
	if err != nil {
		return policy.Pass, err
	}
	if bytes.Contains(text, []byte("virus")) {
		return no("scanner")
	}
	return policy.Pass, nil
}

// wantSpoolEmpty waits for everything beside the sessions, and then nothing may be kept any more.
func wantSpoolEmpty(t *testing.T, r *rig) {
	t.Helper()
	r.idle()
	if used := r.runner.Policy().spool.Used(); used != 0 {
		t.Errorf("%d octets are still kept", used)
	}
}

func TestMessageIsShown(t *testing.T) {
	large := strings.Repeat("0123456789abcdef\r\n", 100_000)
	for _, tt := range []struct{ name, body, want string }{
		{"small, clean", "hello\r\n", ""},
		{"small", "a virus\r\n", "end 550 5.7.1 scanner"},
		{"large, clean", large, ""},
		{"large", large + "a virus\r\n", "end 550 5.7.1 scanner"},
		{"no body", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, "", scanner(virus))
			l := mail("a@ours.example")
			l.body = tt.body
			wantSaid(t, r.send(l), tt.want)
			wantSpoolEmpty(t, r)
		})
	}
}

// Each reader begins at the first octet, however the others stand.
func TestReadersOfOneMessage(t *testing.T) {
	const body = "line\r\nline\r\n"
	const head = "From: x@else.example\r\nSubject: a\r\n folded\r\n\r\n"
	r := newRig(t, "", scanner(func(_ context.Context, whole, text io.Reader) (policy.Verdict, error) {
		return policy.Pass, errors.Join(iotest.TestReader(whole, []byte(head+body)), iotest.TestReader(text, []byte(body)))
	}))
	l := mail("a@ours.example")
	l.fields = []policy.Field{{Name: "From", Value: "x@else.example"}, {Name: "Subject", Value: "a\n folded"}}
	l.body = body
	wantSaid(t, r.send(l), "")
	wantEvents(t, r)
}

// What cannot be kept is an error of the check that wanted to show it: recorded, and what becomes
// of the mail is its own affair.
func TestWhatIsNotKeptIsACheckError(t *testing.T) {
	many := make([]policy.Field, maxFields+1)
	for i := range many {
		many[i] = policy.Field{Name: "X", Value: "y"}
	}
	for _, tt := range []struct {
		name, flags, cause string
		onError            policy.OnError
		fields             []policy.Field
		want, event        string
	}{
		{"budget full, defer", "--scan-spool-max=100KiB", "--scan-spool-max", policy.Delay, nil, "end 451 4.3.0 Unable to process now", "scanner deferred a@ours.example"},
		{"budget full, accept", "--scan-spool-max=100KiB", "--scan-spool-max", policy.Accept, nil, "", "scanner check_error a@ours.example"},
		{"header too long", "", "header section", policy.Delay, many, "end 451 4.3.0 Unable to process now", "scanner deferred a@ours.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.flags, scanner(virus, func(c *policy.Check) { c.OnError = tt.onError }))
			l := mail("a@ours.example")
			l.fields, l.body = tt.fields, strings.Repeat("0123456789abcdef\r\n", 10_000)
			wantSaid(t, r.send(l), tt.want)
			wantEvents(t, r, tt.event)
			if e := r.seen.list[0]; !strings.Contains(e.Cause+e.Err, tt.cause) {
				t.Errorf("cause %q, error %q", e.Cause, e.Err)
			}
			wantSpoolEmpty(t, r)
		})
	}
}

// Nothing is kept of a message whose refusal is certain, or that nobody wants.
func TestCondemnedMessagesKeepNothing(t *testing.T) {
	object := policy.Hooks{Headers: func(*policy.Message) (policy.Verdict, error) { return no("early") }}
	for _, tt := range []struct {
		name   string
		checks []*policy.Check
		want   bool
	}{
		{"wanted", []*policy.Check{scanner(virus)}, true},
		{"condemned", []*policy.Check{check("early", object), scanner(virus)}, false},
		{"nobody wants it", []*policy.Check{check("other", policy.Hooks{Message: func(*policy.Message) (policy.Verdict, error) { return policy.Pass, nil }})}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, "", tt.checks...)
			s := r.begin("a@ours.example")
			s.Body([]byte("hello\r\n"))
			if kept := r.runner.Policy().spool.Used() > 0; kept != tt.want {
				t.Errorf("kept: %t", kept)
			}
			s.Close()
			wantSpoolEmpty(t, r)
		})
	}
}

// begin plays a message up to its body.
func (r *rig) begin(to string) *Session {
	s := r.runner.NewSession()
	s.Connect(mail(to).connect())
	s.Helo(policy.HeloFacts{Name: "helo.example"})
	s.Mail(policy.MailFacts{Sender: "sender@else.example"})
	s.Rcpt(policy.RcptFacts{Recipient: to, Spelling: "<" + to + ">"})
	s.EndOfHeaders()
	return s
}

// However a message ends, what was kept of it is gone.
func TestWhatIsKeptEndsWithTheMessage(t *testing.T) {
	boom := check("boom", policy.Hooks{Body: func(*policy.Message, []byte) { panic("boom") }})
	for _, tt := range []struct {
		name string
		end  func(*Session)
	}{
		{"abort", (*Session).Abort},
		{"lost connection", (*Session).Close},
		{"another MAIL", func(s *Session) { s.Mail(policy.MailFacts{Sender: "x@else.example"}) }},
		{"HELO", func(s *Session) { s.Helo(policy.HeloFacts{Name: "again.example"}) }},
		{"a panic of the wire", func(s *Session) { s.Fault(errors.New("panic")); s.Close() }},
		{"its own end, after a panic", func(s *Session) { s.EndOfMessage("4AbC") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, "", boom, scanner(virus))
			s := r.begin("a@ours.example")
			defer s.Close()
			s.Body(bytes.Repeat([]byte("0123456789abcdef"), 10_000))
			if r.runner.Policy().spool.Used() == 0 {
				t.Fatal("nothing was kept")
			}
			tt.end(s)
			wantSpoolEmpty(t, r)
		})
	}
}

// Nobody waits for a check that only monitors; the message is there for it all the same until it
// has finished.
func TestMonitoredScannerReadsAfterTheEnd(t *testing.T) {
	ended := make(chan struct{})
	r := newRig(t, "", scanner(func(ctx context.Context, whole, body io.Reader) (policy.Verdict, error) {
		<-ended
		return virus(ctx, whole, body)
	}, func(c *policy.Check) { c.Mode = policy.Monitor }))
	l := mail("a@ours.example")
	l.body = "a virus\r\n"
	wantSaid(t, r.send(l), "")
	close(ended)
	wantEvents(t, r, "scanner would_refuse a@ours.example")
	if e := r.seen.list[0]; e.Reply != "scanner" {
		t.Errorf("reply %s, error %q: the scanner did not see the message", e.Reply, e.Err)
	}
	wantSpoolEmpty(t, r)
}

// A scanner that never answers is given up at the deadline, and its reader ends.
func TestScannerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reading sync.WaitGroup
		reading.Add(1)
		read := make(chan error, 1)
		r := newBubbleRig(t, "", scanner(func(_ context.Context, _, body io.Reader) (policy.Verdict, error) {
			reading.Wait()
			_, err := io.ReadAll(body)
			read <- err
			return policy.Pass, err
		}))
		l := mail("a@ours.example")
		l.body = "hello\r\n"
		wantSaid(t, r.send(l), "end 451 4.3.0 Unable to process now")
		reading.Done()
		if err := <-read; err == nil {
			t.Error("the message was read after its end")
		}
		wantSpoolEmpty(t, r)
	})
}

// Who names no directory and has no temporary one is told before a message comes.
func TestSpoolRemark(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	remarks := strings.Join(newRig(t, "").runner.Policy().Remarks(), "\n")
	if !strings.Contains(remarks, "--scan-spool") {
		t.Errorf("remarks: %s", remarks)
	}
	if remarks := strings.Join(newRig(t, "--scan-spool="+t.TempDir()).runner.Policy().Remarks(), "\n"); strings.Contains(remarks, "--scan-spool") {
		t.Errorf("remarks: %s", remarks)
	}
}

// A reload that changes nothing about it keeps the spool: the budget is one for all sessions.
func TestSpoolOutlivesReload(t *testing.T) {
	r := newRig(t, "")
	old := r.runner.Policy().spool
	for _, tt := range []struct {
		flags string
		same  bool
	}{{"", true}, {"--scan-spool-max=1GiB", false}} {
		p := r.policy(tt.flags)
		if same := p.spool == old; same != tt.same {
			t.Errorf("%q: the same spool %t", tt.flags, same)
		}
		p.Close()
	}
}
