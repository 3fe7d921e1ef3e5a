package policy

import (
	"context"
	"slices"
)

// group is what one check said at one stage about a message: one word for the whole, or one for each recipient.
type group struct {
	check *bound
	words []*pending
}

// answerMessage answers the end of the message. Here only the whole message can be refused, or recipients taken off it.
func (s *Session) answerMessage() Answer {
	m := s.msg
	rs := s.resolver(StageEnd)
	scopes := []*scope{&s.conn.scope, &m.scope}
	for _, r := range m.Recipients {
		scopes = append(scopes, &r.scope)
	}
	list := rs.collect(scopes...)
	if len(list) == 0 {
		return Answer{}
	}
	ctx, cancel := s.deadline(StageEnd)
	defer cancel()
	var answer Answer
	for _, g := range grouped(list) {
		if g.check.mode == Monitor && !g.known() && !s.explaining() {
			s.recordLater(rs, g.words, nil)
			continue
		}
		refusal, removed := rs.fold(ctx, g, m.Recipients)
		if refusal != nil && !answer.Refuses() {
			answer.Line = s.refuseMessage(rs, *refusal)
		}
		answer.Remove = append(answer.Remove, s.remove(rs, removed)...)
		if answer.Refuses() && !s.explaining() {
			break
		}
	}
	if answer.Refuses() {
		answer.Remove = nil
	}
	return answer
}

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

func (g group) known() bool {
	return !slices.ContainsFunc(g.words, func(p *pending) bool { return !p.known() })
}

// fold adds up what a check said for the remaining recipients: whether the message is refused, and which recipients are to
// be taken off it.
func (rs *resolver) fold(ctx context.Context, g group, remaining []*Recipient) (refusal *ruling, removed []ruling) {
	rulings := rs.rulings(ctx, g, remaining)
	if len(rulings) == 0 {
		return nil, nil
	}
	var refusing, watching []ruling
	for _, ru := range rulings {
		if ru.mode.Refuses() {
			refusing = append(refusing, ru)
		} else {
			watching = append(watching, ru)
		}
	}
	need := max(len(remaining), 1)
	fold := g.check.Fold
	switch {
	case rs.conn.Local && g.words[0].stage <= StageRcpt:
		// Nothing could be answered earlier. One bad recipient sends the message back to its author, who is one of
		// ours: leaving the recipient out silently would lose mail.
		fold = FoldAny
	case g.words[0].rcpt == nil:
		fold = FoldAll
	}
	switch {
	case fold == FoldRemove && len(refusing) > 0 && len(refusing) < need:
		return nil, refusing
	case fold == FoldAny && len(refusing) > 0 && rs.allEnforced(g.check, remaining):
		return &refusing[0], nil
	case len(refusing) == need:
		return &refusing[0], nil
	case fold == FoldAny || len(refusing)+len(watching) == need:
		would := rulings[0]
		would.mode = Monitor
		rs.record(would, nil)
	}
	return nil, nil
}

// rulings returns one ruling for each remaining recipient that the check objects to.
func (rs *resolver) rulings(ctx context.Context, g group, remaining []*Recipient) []ruling {
	var list []ruling
	add := func(p *pending, r *Recipient) {
		if ru := rs.rule(ctx, p, r); ru.objects() {
			list = append(list, ru)
		}
	}
	for _, p := range g.words {
		switch {
		case p.rcpt != nil:
			add(p, p.rcpt)
		case len(remaining) == 0:
			add(p, nil)
		default:
			for _, r := range remaining {
				add(p, r)
			}
		}
	}
	return list
}

func (rs *resolver) allEnforced(b *bound, remaining []*Recipient) bool {
	return !slices.ContainsFunc(remaining, func(r *Recipient) bool { return !rs.mode(b, r).Refuses() })
}

func (s *Session) refuseMessage(rs *resolver, ru ruling) Line {
	e := rs.record(ru, nil)
	s.msg.fate = e.outcome()
	return e.Line
}

// remove takes recipients off the message.
func (s *Session) remove(rs *resolver, removed []ruling) []string {
	var spellings []string
	for _, ru := range removed {
		r := ru.p.rcpt
		e := rs.recordRemoval(ru, r)
		r.fate = Outcome{Fate: Removed, Check: e.Check, Reply: e.Reply, Event: e.ID}
		spellings = append(spellings, r.Spelling)
		if !s.explaining() {
			s.msg.Recipients = slices.DeleteFunc(slices.Clone(s.msg.Recipients), func(other *Recipient) bool { return other == r })
			s.settleRecipient(r)
		}
	}
	return spellings
}
