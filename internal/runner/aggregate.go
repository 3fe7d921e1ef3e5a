package runner

import (
	"slices"

	"mailweir/internal/policy"
)

// aggregated is what groups come to: the refusal of the message, recipients to be taken off it, its
// edits, and what is only to be recorded.
type aggregated struct {
	refusal *ruling
	removed []*ruling
	edited  [][]*ruling // each check's
	watched []watched
}

// watched is an objection that is only recorded, about one recipient or, with nil, about the
// message.
type watched struct {
	*ruling
	about *recipient
}

// add joins what another group comes to. The first refusal counts.
func (sum *aggregated) add(other aggregated) {
	if sum.refusal == nil {
		sum.refusal = other.refusal
	}
	sum.removed = append(sum.removed, other.removed...)
	sum.edited = append(sum.edited, other.edited...)
}

// aggregate adds up what a check found for the remaining recipients, as its declaration says. Edits
// are for the whole message, and come to nothing where it is refused.
func (rs *resolver) aggregate(g group) aggregated {
	var refusing, watching, editing, wouldEdit []*ruling
	for i := range g.rulings {
		ru := &g.rulings[i]
		switch {
		case ru.is == enforce && ru.edits():
			editing = append(editing, ru)
		case ru.is == enforce:
			refusing = append(refusing, ru)
		case ru.is == record && ru.edits():
			wouldEdit = append(wouldEdit, ru)
		case ru.is == record:
			watching = append(watching, ru)
		}
	}
	sum := rs.aggregateObjections(g, refusing, watching)
	switch only := append(editing, wouldEdit...); {
	case sum.refusal != nil:
	case len(editing) > 0 && g.allEnforced():
		sum.edited = [][]*ruling{editing}
	case len(only) > 0 && len(sum.watched) == 0:
		sum.watched = g.watch(only[:1]).watched
	}
	return sum
}

func (rs *resolver) aggregateObjections(g group, refusing, watching []*ruling) aggregated {
	if len(refusing)+len(watching) == 0 {
		return aggregated{}
	}
	switch rs.aggregateOf(g) {
	case policy.AggregateAny:
		return g.aggregateAny(refusing, watching)
	case policy.AggregateRemove:
		return g.aggregateRemove(refusing, watching)
	}
	return g.aggregateAll(refusing, watching)
}

// aggregateOf tells how the group's findings add up. One about the whole message is dropped by a
// permit for any recipient.
func (rs *resolver) aggregateOf(g group) policy.Aggregate {
	first := g.findings[0]
	switch {
	case first.rcpt == nil:
		return policy.AggregateAll
	case rs.conn.Local && first.stage <= policy.StageRcpt:
		// Nothing could be answered earlier. One bad recipient sends the message back to its
		// author, who is one of ours: leaving the recipient out silently would lose mail.
		return policy.AggregateAny
	}
	return g.check.Aggregate
}

func (g *group) aggregateAny(refusing, watching []*ruling) aggregated {
	if len(refusing) == 0 || !g.allEnforced() {
		return g.watch(append(refusing, watching...)[:1])
	}
	// One objection is enough, so the strictest counts: where one is permanent, trying again would
	// not help the others.
	strictest := slices.IndexFunc(refusing, func(ru *ruling) bool { return ru.failure == nil && !ru.temporary() })
	if strictest < 0 {
		strictest = slices.IndexFunc(refusing, func(ru *ruling) bool { return ru.failure == nil })
	}
	return aggregated{refusal: refusing[max(strictest, 0)]}
}

// aggregateAll refuses only when every recipient's mail should not pass; permanently only when that
// is sure for every one.
func (g *group) aggregateAll(refusing, watching []*ruling) aggregated {
	need := max(len(g.remaining), 1)
	spared := 0
	if g.findings[0].rcpt == nil { // one that is spared would let others have what is not for them
		spared = g.spared()
	}
	switch {
	case len(refusing) > 0 && len(refusing) == need-spared:
		unsure := slices.IndexFunc(refusing, (*ruling).temporary)
		return aggregated{refusal: refusing[max(unsure, 0)]}
	case len(refusing)+len(watching) == need:
		return aggregated{watched: []watched{{append(refusing, watching...)[0], nil}}}
	}
	return aggregated{}
}

// aggregateRemove takes recipients off, which is permanent: only where the objection is, and is
// enforced. Where the check failed for one of them, the whole message is deferred.
func (g *group) aggregateRemove(refusing, watching []*ruling) aggregated {
	if len(refusing) == max(len(g.remaining), 1) {
		return g.aggregateAll(refusing, watching)
	}
	sum := g.watch(watching)
	for _, ru := range refusing {
		switch {
		case ru.failure != nil && g.allEnforced():
			return aggregated{refusal: ru}
		case ru.failure != nil || ru.temporary():
			sum.watched = append(sum.watched, g.watch([]*ruling{ru}).watched...)
		default:
			sum.removed = append(sum.removed, ru)
		}
	}
	return sum
}

// watch only records rulings, each about the recipient whom its finding is about.
func (g *group) watch(rulings []*ruling) (sum aggregated) {
	for _, ru := range rulings {
		sum.watched = append(sum.watched, watched{ru, ru.f.rcpt})
	}
	return sum
}

// allEnforced reports whether the check is enforced for every remaining recipient: under
// --enforce-for a message is refused only then. Those that --monitor-for spares do not count,
// unless there are no others.
func (g *group) allEnforced() bool {
	spared := g.spared()
	return (spared == 0 || spared < len(g.remaining)) &&
		!slices.ContainsFunc(g.remaining, func(r *recipient) bool { return !r.spares(g.check) && !g.check.modeFor(r, g.orders).Refuses() })
}

// spared counts the remaining recipients for whom the check only monitors by --monitor-for.
func (g *group) spared() (n int) {
	for _, r := range g.remaining {
		if r.spares(g.check) {
			n++
		}
	}
	return n
}
