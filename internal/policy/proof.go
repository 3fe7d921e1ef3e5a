package policy

// Proof says what is to be known of a check before it is enforced.
type Proof struct {
	// Week: how it does with the mail of this host should be watched for a week first. Without it,
	// it may be enforced on the first day.
	Week bool
	// Why is the reason, in words that go on after "because".
	Why string
}

// FirstDay is for what can hardly hurt mail that is wanted.
func FirstDay(why string) Proof { return Proof{Why: why} }

// AfterAWeek is for what depends on the mail that comes.
func AfterAWeek(why string) Proof { return Proof{Week: true, Why: why} }

// String tells when the check may be enforced, and why.
func (p Proof) String() string {
	if p.Week {
		return "after a week of watching: " + p.Why
	}
	return "on the first day: " + p.Why
}
