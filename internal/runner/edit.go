package runner

import "mailweir/internal/policy"

// changes reports whether the ruling changes the message instead of refusing it.
func (ru *ruling) changes() bool { return !ru.verdict.Change().Empty() }

// change records what changes the message, one event a check, and adds it all up.
func (rs *resolver) change(groups [][]*ruling) policy.Change {
	var all policy.Change
	for _, rulings := range groups {
		var change policy.Change
		for _, ru := range rulings {
			change.Add(ru.verdict.Change())
		}
		all.Add(change)
		rs.recordChange(rulings[0], change)
	}
	return all
}
