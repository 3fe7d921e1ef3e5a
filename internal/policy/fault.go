package policy

import "runtime/debug"

// Fault takes notice of a defect outside the policy, such as a panic on the wire. The message under way, or the next
// one, is answered with the reply of the check fault, wherever an answer is owed from now on.
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
	s.msg.pending = append(s.msg.pending, &pending{
		check: s.policy().fault, stage: StageEnd, anywhere: true, word: word{err: &fault{cause: err}},
	})
}

// surviveFault makes a message where a fault at MAIL has left none: mail must not pass unseen.
func (s *Session) surviveFault() {
	if s.msg == nil && s.faulted != nil {
		s.openMessage(MailFacts{})
	}
}

// caught turns a panic in a hook that has no verdict into a fault of the message. Deferred by the caller. What such a
// check has seen of the message is no longer whole, so its other hooks are left out; those of other checks are not.
func (s *Session) caught(b *bound, stage Stage) {
	r := recover()
	if r == nil {
		return
	}
	m := s.msg
	m.broken = append(m.broken, b)
	m.pending = append(m.pending, &pending{check: b, stage: stage, pos: b.pos[stage], word: word{err: panicked(r, debug.Stack())}})
}
