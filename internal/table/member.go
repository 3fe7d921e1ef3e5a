package table

// Member reports whether what a list answered makes its subject a member of the list. In lists where only the key counts any
// right-hand side does, except those that say no: DUNNO, REJECT, DEFER and numeric replies take a subject out of a wider entry.
func Member(m Match, found bool) bool {
	if !found {
		return false
	}
	a, err := ParseAction(m.Value)
	return err != nil || a.Verb == OK
}
