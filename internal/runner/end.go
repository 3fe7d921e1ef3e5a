package runner

import (
	"cmp"
	"context"
	"slices"

	"mailweir/internal/byhand"
	"mailweir/internal/policy"
)

// group is what one check found at one stage about a message: one finding for the whole, or one for
// each recipient.
type group struct {
	check    *bound
	findings []*finding
	// remaining are the recipients whom the findings are held against.
	remaining []*recipient
	rulings   []ruling
	orders    byhand.Orders
}

// answerMessage answers the end of the message. Here only the whole message can be refused, or
// recipients taken off it.
func (s *Session) answerMessage() policy.Answer {
	m := s.msg
	if s.quiet() && !slices.ContainsFunc(m.recipients, func(r *recipient) bool { return len(r.findings) > 0 }) {
		return policy.Answer{}
	}
	a := answering{resolver: s.resolver(policy.StageEnd), session: s}
	var sum aggregated
	remaining := m.recipients
	for _, g := range grouped(s.due(policy.StageEnd)) {
		g.remaining = remaining
		a.resolveGroup(&g)
		if g.waits() && g.mode() <= policy.Monitor && !s.explaining() {
			m.late.add(&s.background, &a.resolver, g) // whatever is found can only be recorded, and nobody waits for it
			continue
		}
		a.awaitGroup(&g, a.patience)
		own := a.aggregate(g)
		a.recordWatched(own)
		sum.add(own)
		if !s.conn.Denied.Has(policy.EditRemoveRecipient) {
			remaining = without(remaining, own.removed)
		}
		if sum.refusal != nil && !s.explaining() {
			break
		}
	}
	if sum.refusal != nil {
		e := a.record(sum.refusal, nil)
		m.decided = outcome(e)
		return policy.Answer{Line: e.Line}
	}
	return policy.Answer{Edits: s.edit(&a.resolver, sum)}
}

// due returns what is answered at a stage, in the printed order.
func (s *Session) due(stage policy.Stage) []*finding {
	var list []*finding
	add := func(findings []*finding) {
		for _, f := range findings {
			if f.due.has(stage) {
				list = append(list, f)
			}
		}
	}
	add(s.conn.findings)
	add(s.msg.findings)
	for _, r := range s.msg.recipients {
		add(r.findings)
	}
	slices.SortStableFunc(list, func(a, b *finding) int { return cmp.Compare(a.pos, b.pos) })
	return list
}

// grouped puts the findings of one check about single recipients together.
func grouped(list []*finding) []group {
	var groups []group
	for _, f := range list {
		last := len(groups) - 1
		if f.rcpt != nil && last >= 0 && groups[last].findings[0].rcpt != nil &&
			groups[last].check == f.check && groups[last].findings[0].stage == f.stage {
			groups[last].findings = append(groups[last].findings, f)
			continue
		}
		groups = append(groups, group{check: f.check, findings: []*finding{f}})
	}
	return groups
}

// resolveGroup resolves each finding for its recipient, or for every one that remains.
func (rs *resolver) resolveGroup(g *group) {
	g.orders = rs.orders
	for _, f := range g.findings {
		switch {
		case f.rcpt != nil && slices.Contains(g.remaining, f.rcpt):
			g.rulings = append(g.rulings, rs.resolve(f, f.rcpt, nil))
		case f.rcpt != nil: // taken off by now
		case len(g.remaining) == 0:
			g.rulings = append(g.rulings, rs.resolve(f, nil, nil))
		default:
			for _, r := range g.remaining {
				g.rulings = append(g.rulings, rs.resolve(f, r, nil))
			}
		}
	}
}

// waits reports whether something must be waited for.
func (g *group) waits() bool {
	return slices.ContainsFunc(g.rulings, func(ru ruling) bool { return ru.is == open })
}

// mode is the highest mode that any of the rulings can have.
func (g *group) mode() (highest policy.Mode) {
	for _, ru := range g.rulings {
		if ru.is != drop {
			highest = max(highest, ru.mode)
		}
	}
	return highest
}

// awaitGroup waits for what the rulings of the group are open for.
func (rs *resolver) awaitGroup(g *group, patience func() context.Context) {
	for i := range g.rulings {
		if g.rulings[i].is == open {
			g.rulings[i] = rs.await(patience(), g.rulings[i])
		}
		rs.report(&g.rulings[i])
	}
}

func without(recipients []*recipient, removed []*ruling) []*recipient {
	if len(removed) == 0 {
		return recipients
	}
	return slices.DeleteFunc(slices.Clone(recipients), func(r *recipient) bool {
		return slices.ContainsFunc(removed, func(ru *ruling) bool { return ru.r == r })
	})
}
