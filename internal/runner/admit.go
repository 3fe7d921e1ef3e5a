package runner

import (
	"mailweir/internal/policy"
)

// admit waits for a place where a check limits how many messages are examined at once. It is called
// at the end of the message: before it an MTA waits for no filter that stops reading, at the end it
// hears of progress. The wait is part of the time that the end of a message may take. Without a
// place the message is answered as mail that could not be processed.
func (s *Session) admit() {
	m, p := s.msg, s.policy()
	if m.condemned || s.explaining() || len(p.hooks.admit) == 0 || len(p.hooks.message) == 0 {
		return
	}
	for _, b := range p.hooks.admit {
		leave := b.hooks.Admit(s.patience.context(s.runner, policy.StageEnd))
		if leave != nil {
			m.Hold(func(policy.Fate) { leave() })
			continue
		}
		v := policy.Object(p.registry.Unprocessed).Because("%s: too many messages are examined at once", b.Name)
		s.keep(b, policy.StageEnd, said{verdict: v}, &m.scope, nil)
		m.condemned = b.modeNow(s.orders).Refuses()
	}
}
