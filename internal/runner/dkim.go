package runner

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	"mailweir/internal/mailauth"
	"mailweir/internal/trace"

	"mailweir/internal/policy"
)

// maxSpool bounds the octets of a body that wait for a signature's key to come from the DNS.
const maxSpool = 4 << 20

var (
	errSpool    = errors.New("dkim: the key did not come before the message had grown too large to wait for it")
	errUnsigned = errors.New("dkim: the signatures were not looked at")
)

// dkimFuture verifies the signatures of one message while its body arrives.
type dkimFuture struct {
	spool  *spool
	done   chan struct{}
	passed []string // domains whose signature is valid
	err    error    // could not tell: a key could not be had
}

// StartDKIM begins to verify the message's DKIM signatures (RFC 6376), if there are any. It is asked for at the end of headers, by a
// check that will need [Message.DKIM]; asking again changes nothing.
func (m *message) StartDKIM() {
	if m.dkim.Load() != nil || len(m.Values("DKIM-Signature")) == 0 || m.FieldsDropped {
		return
	}
	f := &dkimFuture{spool: newSpool(), done: make(chan struct{})}
	f.spool.write(headerText(m.Fields))
	m.dkim.Store(f)
	rn, backends := m.runner, m.conn.policy.backends
	launched := rn.launch(func() {
		defer close(f.done)
		ctx, cancel := context.WithTimeout(rn.ctx, rn.limits.End)
		defer cancel()
		w := call(func(ctx context.Context) (policy.Verdict, error) { return policy.Pass, f.verify(ctx, backends) }, ctx)
		f.err = w.err
	})
	if !launched {
		f.err = errBusy
		f.spool.close(errBusy)
		close(f.done)
	}
}

// headerText is the header section as it was sent, but for white space around the colon: a signature with simple
// canonicalization of headers that has other than one space there does not verify.
func headerText(fields []policy.Field) []byte {
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(f.Name + ": " + strings.ReplaceAll(strings.ReplaceAll(f.Value, "\r\n", "\n"), "\n", "\r\n") + "\r\n")
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}

// verify sets the domains that pass. Its error means that not all signatures could be judged.
func (f *dkimFuture) verify(ctx context.Context, backends *policy.Backends) error {
	passed, err := mailauth.DKIM(ctx, backends.Resolver(), f.spool)
	_, _ = io.Copy(io.Discard, f.spool) // whatever is not needed any more must not hold up the session
	if cut := f.spool.failure(); cut != nil {
		return cut
	}
	f.passed = passed
	return err
}

// DKIM returns the domains with a valid signature. Ask in a [Later] of the end of the message, after [Message.StartDKIM]. With the error some
// signatures could not be judged; the domains are good all the same.
func (m *message) DKIM(ctx context.Context) ([]string, error) {
	f := m.dkim.Load()
	if f == nil {
		if len(m.Values("DKIM-Signature")) > 0 {
			return nil, errUnsigned
		}
		return nil, nil
	}
	select {
	case <-f.done:
		trace.Add(ctx, "dkim", "pass for "+strings.Join(f.passed, ", "))
		return f.passed, f.err
	case <-ctx.Done():
		return nil, errDeadline
	}
}

// signedBySender reports whether a valid signature is aligned with the envelope sender, false while none has been asked for.
func (m *message) signedBySender(ctx context.Context) (bool, error) {
	if m.dkim.Load() == nil || m.Sender.IsNull() {
		return false, nil
	}
	domains, err := m.DKIM(ctx)
	if slices.ContainsFunc(domains, func(d string) bool { return mailauth.Aligned(d, m.Sender.Domain) }) {
		return true, nil
	}
	return false, err
}

// wantsDKIM reports, at the end of headers, whether a signature could vouch for a permit that matters: there is, or may come, an
// objection to be answered at the end that gives way to one.
func (s *Session) wantsDKIM() bool {
	m, p := s.msg, s.policy()
	if m.Sender.IsNull() {
		return false
	}
	yields := func(b *bound) bool {
		return b.Exempt&m.mayPermit&^(policy.ExemptPermitClient|policy.ExemptUnvouched) != 0
	}
	return slices.ContainsFunc(p.hooks.message, yields) || slices.ContainsFunc(p.hooks.messageFor, yields) ||
		slices.ContainsFunc(s.due(policy.StageEnd), func(f *finding) bool { return yields(f.check) })
}

// spool passes the body on to the verifier without making the session wait: what is not read yet is kept, up to a bound.
type spool struct {
	mu     sync.Mutex
	filled sync.Cond
	data   []byte
	ended  bool
	err    error
}

func newSpool() *spool {
	s := &spool{}
	s.filled.L = &s.mu
	return s
}

// write keeps a chunk. Beyond the bound the whole is given up: the verifier sees the end, and failure says why.
func (s *spool) write(chunk []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	if len(s.data)+len(chunk) > maxSpool {
		s.ended, s.err, s.data = true, errSpool, nil
	} else {
		s.data = append(s.data, chunk...)
	}
	s.filled.Signal()
}

// close ends the body; with an error it ends too early.
func (s *spool) close(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended, s.err = true, err
	}
	s.filled.Signal()
}

func (s *spool) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Read gives what is there, and waits while nothing is. A body that ended early reads as one that ended: the library
// would leave goroutines behind on an error.
func (s *spool) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.data) == 0 && !s.ended {
		s.filled.Wait()
	}
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.data)
	s.data = s.data[n:]
	if len(s.data) == 0 {
		s.data = nil
	}
	return n, nil
}
