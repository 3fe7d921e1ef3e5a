package runner

import (
	"runtime/debug"

	"mailweir/internal/policy"
)

// Fault takes notice of a defect outside the policy, such as a panic on the wire. The message under
// way, or the next one, is answered with the reply of the check fault, wherever an answer is owed
// from now on.
func (s *Session) Fault(err error) {
	s.ensureConnection()
	if s.msg == nil {
		s.faulted = err
		return
	}
	s.fail(err)
}

// fail keeps a fault in the message.
func (s *Session) fail(err error) {
	due := stageSet(1<<policy.StageRcpt | 1<<policy.StageEnd) // whichever is still to come
	if s.conn.Local {
		due = 1 << policy.StageEnd
	}
	s.msg.findings = append(s.msg.findings, &finding{
		check: s.policy().fault, stage: policy.StageEnd, due: due, said: said{err: &fault{cause: err}},
	})
}

// surviveFault makes a message where a fault at MAIL has left none: mail must not pass unseen.
func (s *Session) surviveFault() {
	if s.msg == nil && s.faulted != nil {
		s.openMessage(policy.MailFacts{})
	}
}

// caught turns a panic in a hook that has no verdict into a fault of the message. Deferred by the
// caller. What such a check has seen of the message is no longer whole, so its other hooks are left
// out; those of other checks are not.
func (s *Session) caught(b *bound, stage policy.Stage) {
	r := recover()
	if r == nil {
		return
	}
	m := s.msg
	m.broken = append(m.broken, b)
	s.keep(b, stage, said{err: panicked(r, debug.Stack())}, &m.scope, nil)
}
