package milter

import (
	"fmt"
	"hash/crc32"
	"strings"
	"sync"
	"time"

	"mailweir/internal/policy"
)

// fakeSession records what the wire tells the policy, and answers what the test wants.
type fakeSession struct {
	answers map[string]policy.Answer // by call, as recorded
	panics  map[string]int           // calls that panic, and how often
	quiet   bool                     // record nothing, for benchmarks and loads
	block   map[string]chan struct{} // calls that wait until the channel is closed
	delays  map[string]time.Duration // calls that take time, for tests with a clock of their own
	ended   chan struct{}            // closed by Close

	mu    sync.Mutex
	calls []string
	body  []byte // what has come of one since the latest call
}

func newFake() *fakeSession { return &fakeSession{ended: make(chan struct{})} }

func (f *fakeSession) call(format string, args ...any) policy.Answer {
	if f.quiet {
		return policy.Answer{}
	}
	call := fmt.Sprintf(format, args...)
	f.mu.Lock()
	f.endBody()
	f.calls = append(f.calls, call)
	f.mu.Unlock()
	name, _, _ := strings.Cut(call, " ")
	f.stumble(name)
	if delay := f.delays[name]; delay > 0 {
		time.Sleep(delay)
	}
	if wait := f.block[name]; wait != nil {
		<-wait
	}
	return f.answers[call]
}

// stumble panics where the test wants it.
func (f *fakeSession) stumble(name string) {
	if f.panics[name] > 0 {
		f.panics[name]--
		panic("test: " + name)
	}
}

// record returns the calls so far.
func (f *fakeSession) record() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.endBody()
	return append([]string(nil), f.calls...)
}

func (f *fakeSession) ID() string { return "fake" }

func (f *fakeSession) Connect(c policy.ConnectFacts) { f.call("connect %+v", c) }

func (f *fakeSession) Helo(h policy.HeloFacts) policy.Answer {
	if h.TLS != (policy.TLS{}) {
		return f.call("helo %s %+v", h.Name, h.TLS)
	}
	return f.call("helo %s", h.Name)
}

func (f *fakeSession) Mail(m policy.MailFacts) policy.Answer {
	call := "mail <" + m.Sender + ">"
	if m.Size != 0 {
		call += fmt.Sprintf(" size=%d", m.Size)
	}
	if m.SMTPUTF8 {
		call += " smtputf8"
	}
	if m.Login != "" {
		call += " login=" + m.Login + " by " + m.AuthType
	}
	return f.call("%s", call+queued(m.QueueID))
}

func (f *fakeSession) Rcpt(r policy.RcptFacts) policy.Answer {
	return f.call("rcpt %s %s%s", r.Recipient, r.Spelling, queued(r.QueueID))
}

func (f *fakeSession) RcptRefusedByMTA(r policy.RcptFacts) {
	f.call("refused %s with %s", r.Recipient, r.Refusal)
}

func (f *fakeSession) Header(h policy.Field, queueID string) {
	if !f.quiet {
		f.call("header %s: %q%s", h.Name, h.Value, queued(queueID))
	}
}

func (f *fakeSession) EndOfHeaders() { f.call("eoh") }

// Body puts the pieces together: how they are cut is the wire's own affair.
func (f *fakeSession) Body(piece []byte) {
	if f.quiet {
		return
	}
	f.mu.Lock()
	f.body = append(f.body, piece...)
	f.mu.Unlock()
	f.stumble("body")
}

// endBody records the body that has come so far, if any.
func (f *fakeSession) endBody() {
	switch {
	case len(f.body) > 40:
		f.calls = append(f.calls, fmt.Sprintf("body of %d, sum %x", len(f.body), crc32.ChecksumIEEE(f.body)))
	case len(f.body) > 0:
		f.calls = append(f.calls, fmt.Sprintf("body %q", f.body))
	}
	f.body = nil
}

func (f *fakeSession) EndOfMessage(queueID string) policy.Answer {
	return f.call("end%s", queued(queueID))
}

func (f *fakeSession) Abort() { f.call("abort") }

func (f *fakeSession) Close() {
	f.call("close")
	close(f.ended)
}

func (f *fakeSession) Fault(err error) {
	first, _, _ := strings.Cut(err.Error(), "\n")
	f.call("fault %s", first)
}

func queued(id string) string {
	if id == "" {
		return ""
	}
	return " [" + id + "]"
}
