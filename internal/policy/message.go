package policy

import "slices"

// group is what one check said at one stage about a message: one word for the whole, or one for each recipient.
type group struct {
	check *bound
	words []*pending
	// remaining are the recipients whom the words are held against.
	remaining []*Recipient
}

// answerMessage answers the end of the message. Here only the whole message can be refused, or recipients taken off it.
func (s *Session) answerMessage() Answer {
	m := s.msg
	if s.quiet() && !slices.ContainsFunc(m.Recipients, func(r *Recipient) bool { return len(r.pending) > 0 }) {
		return Answer{}
	}
	rs := s.resolver(StageEnd)
	list := rs.collect(m.scopes()...)
	if len(list) == 0 {
		return Answer{}
	}
	ctx, cancel := s.deadline(StageEnd)
	defer cancel()
	var refusal *ruling
	var removed []ruling
	var changed [][]ruling
	var late []group
	remaining := m.Recipients
	for _, g := range grouped(list) {
		g.remaining = remaining
		if rs.watches(g) && !s.explaining() {
			late = append(late, g)
			continue
		}
		sum := rs.fold(ctx, g)
		rs.recordWatched(sum)
		if refusal == nil {
			refusal = sum.refusal
		}
		removed = append(removed, sum.removed...)
		if len(sum.changed) > 0 {
			changed = append(changed, sum.changed)
		}
		remaining = without(remaining, sum.removed)
		if refusal != nil && !s.explaining() {
			break
		}
	}
	s.recordGroups(rs, late)
	if refusal != nil {
		e := rs.record(*refusal, nil)
		m.fate = e.outcome(refusal.verdict.reply)
		return Answer{Line: e.Line}
	}
	return Answer{Remove: s.remove(rs, removed), Change: rs.change(changed)}
}

// scopes are those whose words may be answered at the end of the message.
func (m *Message) scopes() []*scope {
	scopes := []*scope{&m.Conn.scope, &m.scope}
	for _, r := range m.Recipients {
		scopes = append(scopes, &r.scope)
	}
	return scopes
}

// grouped puts the words of one check about single recipients together.
func grouped(list []*pending) []group {
	var groups []group
	for _, p := range list {
		last := len(groups) - 1
		if p.rcpt != nil && last >= 0 && groups[last].words[0].rcpt != nil &&
			groups[last].check == p.check && groups[last].words[0].stage == p.stage {
			groups[last].words = append(groups[last].words, p)
			continue
		}
		groups = append(groups, group{check: p.check, words: []*pending{p}})
	}
	return groups
}

// watches reports whether the words can only be recorded, whatever they are; then nobody waits for them.
func (rs *resolver) watches(g group) bool {
	if p := g.words[0]; p.rcpt == nil && p.later != nil && p.monitored() {
		return true
	}
	if len(g.remaining) == 0 {
		return rs.mode(g.check, nil) <= Monitor
	}
	return !slices.ContainsFunc(g.remaining, func(r *Recipient) bool { return rs.mode(g.check, r).Refuses() })
}

func without(recipients []*Recipient, removed []ruling) []*Recipient {
	if len(removed) == 0 {
		return recipients
	}
	return slices.DeleteFunc(slices.Clone(recipients), func(r *Recipient) bool {
		return slices.ContainsFunc(removed, func(ru ruling) bool { return ru.p.rcpt == r })
	})
}

// remove takes recipients off the message.
func (s *Session) remove(rs *resolver, removed []ruling) []string {
	var spellings []string
	for _, ru := range removed {
		r := ru.p.rcpt
		e := rs.recordRemoval(ru, r)
		spellings = append(spellings, r.Spelling)
		if !s.explaining() {
			s.dismiss(r, Outcome{Fate: Removed, Check: e.Check, Reply: e.Reply, Event: e.ID})
		}
	}
	if !s.explaining() {
		s.msg.Recipients = without(s.msg.Recipients, removed)
	}
	return spellings
}

// recordWatched records what only would have been refused.
func (rs *resolver) recordWatched(sum folded) {
	for _, ru := range sum.watched {
		ru.mode = min(ru.mode, Monitor)
		rs.record(ru, ru.about)
	}
}
