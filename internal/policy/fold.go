package policy

import (
	"context"
	"slices"
)

// folded is what a group comes to: the refusal of the message, recipients to be taken off it, what changes it, objections that
// are only to be recorded.
type folded struct {
	refusal *ruling
	removed []ruling
	changed []ruling
	watched []ruling
}

// fold adds up what a check said for the remaining recipients.
func (rs *resolver) fold(ctx context.Context, g group) folded {
	refusing, watching := rs.rulings(ctx, g)
	changing := slices.DeleteFunc(slices.Clone(refusing), func(ru ruling) bool { return !ru.changes() })
	refusing = slices.DeleteFunc(refusing, func(ru ruling) bool { return ru.changes() })
	switch {
	case len(refusing) == 0 && len(changing) > 0:
		return rs.foldChanges(g, changing, watching)
	case len(refusing)+len(watching) == 0:
		return folded{}
	}
	switch rs.foldOf(g) {
	case FoldAny:
		return rs.foldAny(g, refusing, watching)
	case FoldRemove:
		return rs.foldRemove(g, refusing, watching)
	}
	return rs.foldAll(g, refusing, watching)
}

// foldChanges changes the message, for all of its recipients, where the check is enforced for each of them.
func (rs *resolver) foldChanges(g group, changing, watching []ruling) folded {
	if rs.allEnforced(g) {
		return folded{changed: changing}
	}
	return folded{watched: append(changing, watching...)[:1]}
}

// foldOf tells how the group's words add up. A word about the whole message is dropped by a permit for any recipient.
func (rs *resolver) foldOf(g group) Fold {
	switch {
	case g.words[0].rcpt == nil:
		return FoldAll
	case rs.conn.Local && g.words[0].stage <= StageRcpt:
		// Nothing could be answered earlier. One bad recipient sends the message back to its author, who is one of
		// ours: leaving the recipient out silently would lose mail.
		return FoldAny
	}
	return g.check.Fold
}

func (rs *resolver) foldAny(g group, refusing, watching []ruling) folded {
	if len(refusing) == 0 || !rs.allEnforced(g) {
		return folded{watched: append(refusing, watching...)[:1]}
	}
	// One objection is enough, so the strictest counts: where one is for good, trying again would not help the others.
	strictest := slices.IndexFunc(refusing, func(ru ruling) bool { return ru.failure == nil && !rs.temporary(ru) })
	if strictest < 0 {
		strictest = slices.IndexFunc(refusing, func(ru ruling) bool { return ru.failure == nil })
	}
	return folded{refusal: &refusing[max(strictest, 0)]}
}

// foldAll refuses only when every recipient's mail should not pass; for good only when that is sure for every one.
func (rs *resolver) foldAll(g group, refusing, watching []ruling) folded {
	need := max(len(g.remaining), 1)
	switch {
	case len(refusing) == need:
		unsure := slices.IndexFunc(refusing, rs.temporary)
		return folded{refusal: &refusing[max(unsure, 0)]}
	case len(refusing)+len(watching) == need:
		would := append(refusing, watching...)[0]
		would.about = nil
		return folded{watched: []ruling{would}}
	}
	return folded{}
}

// foldRemove takes recipients off, which is for good: only where the objection is, and is enforced. Where the check could
// not tell about one of them, the whole message is deferred.
func (rs *resolver) foldRemove(g group, refusing, watching []ruling) folded {
	if len(refusing) == max(len(g.remaining), 1) {
		return rs.foldAll(g, refusing, watching)
	}
	sum := folded{watched: watching}
	for _, ru := range refusing {
		switch {
		case ru.failure != nil && rs.allEnforced(g):
			return folded{refusal: &ru}
		case ru.failure != nil || rs.temporary(ru):
			sum.watched = append(sum.watched, ru)
		default:
			sum.removed = append(sum.removed, ru)
		}
	}
	return sum
}

// rulings returns one ruling for each remaining recipient that the check objects to, apart for those that are only to
// be recorded.
func (rs *resolver) rulings(ctx context.Context, g group) (refusing, watching []ruling) {
	add := func(p *pending, r *Recipient) {
		ru := rs.rule(ctx, p, r)
		switch {
		case !ru.objects():
			return
		case p.rcpt != nil:
			ru.about = r
		}
		if ru.mode.Refuses() {
			refusing = append(refusing, ru)
		} else {
			watching = append(watching, ru)
		}
	}
	for _, p := range g.words {
		switch {
		case p.rcpt != nil && slices.Contains(g.remaining, p.rcpt):
			add(p, p.rcpt)
		case p.rcpt != nil: // taken off by now
		case len(g.remaining) == 0:
			add(p, nil)
		default:
			for _, r := range g.remaining {
				add(p, r)
			}
		}
	}
	return refusing, watching
}

// allEnforced reports whether the check is enforced for every remaining recipient: under --enforce-for a message is
// refused only then.
func (rs *resolver) allEnforced(g group) bool {
	return !slices.ContainsFunc(g.remaining, func(r *Recipient) bool { return !rs.mode(g.check, r).Refuses() })
}

func (rs *resolver) temporary(ru ruling) bool { return rs.line(ru, "").code/100 == 4 }
