package runner

import (
	"slices"

	"mailweir/internal/policy"
)

// edits reports whether the ruling asks for edits of the message, which then goes on.
func (ru *ruling) edits() bool { return len(ru.verdict.Edits()) > 0 }

// edit returns what the MTA is to do to a message that goes on: it takes recipients off, and does
// what checks ask for. What it has not granted to us is recorded as not done.
func (s *Session) edit(rs *resolver, sum aggregated) []policy.Edit {
	var all []policy.Edit
	for _, ru := range sum.removed {
		if own := []policy.Edit{policy.RemoveRecipient(&ru.r.Recipient)}; s.granted(own[0]) {
			s.takeOff(ru.r, rs.recordRemoval(ru))
			all = append(all, own...)
		} else {
			rs.recordEdits(ru, ru.r, policy.ActionNotDone, own)
		}
	}
	for _, rulings := range sum.edited {
		var own, not []policy.Edit
		for _, ru := range rulings {
			own = policy.JoinEdits(own, ru.verdict.Edits())
		}
		own, not = s.possible(own)
		if len(not) > 0 {
			rs.recordEdits(rulings[0], nil, policy.ActionNotDone, not)
		}
		if len(own) == 0 {
			continue
		}
		e := rs.recordEdits(rulings[0], nil, policy.ActionChanged, own)
		for _, r := range s.msg.recipients {
			if slices.ContainsFunc(own, func(edit policy.Edit) bool { return takesOff(edit, r) }) {
				s.takeOff(r, e)
			}
		}
		all = policy.JoinEdits(all, own)
	}
	return all
}

func (s *Session) granted(e policy.Edit) bool { return !s.conn.Denied.Has(e.Kind) }

// possible divides edits into those that can be done and the others: what the MTA has not granted,
// and taking off a recipient who is not there or the last one, which would lose the message
// silently.
func (s *Session) possible(edits []policy.Edit) (can, cannot []policy.Edit) {
	left := s.msg.recipients
	for _, e := range edits {
		rest, removes := left, e.Kind == policy.EditRemoveRecipient
		if removes {
			rest = slices.DeleteFunc(slices.Clone(left), func(r *recipient) bool { return takesOff(e, r) })
		}
		if !s.granted(e) || removes && (len(rest) == 0 || len(rest) == len(left)) {
			cannot = append(cannot, e)
			continue
		}
		can, left = append(can, e), rest
	}
	return can, cannot
}

// takesOff reports whether an edit takes a recipient off. A client may name one twice, and the MTA
// takes off all whom it spells alike.
func takesOff(e policy.Edit, r *recipient) bool {
	return e.Kind == policy.EditRemoveRecipient && r.Spelling == e.Value
}

// takeOff ends a recipient who is taken off the message by an event.
func (s *Session) takeOff(r *recipient, e *policy.Event) {
	if s.explaining() {
		return
	}
	s.dismiss(r, policy.Outcome{Fate: policy.Removed, Check: e.Check, Reply: e.Reply, Event: e.ID, At: e.Time})
	s.msg.recipients = slices.DeleteFunc(slices.Clone(s.msg.recipients), func(other *recipient) bool { return other == r })
}
