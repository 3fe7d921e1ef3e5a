package attempts

import (
	"slices"
	"time"

	"mailweir/internal/address"
	"mailweir/internal/policy"
	"mailweir/internal/record"
)

// transactionKey names a mail transaction over all hosts.
type transactionKey struct {
	host, session string
	number        int
}

// gather brings what the record has of each transaction together, in the order of time. It leaves
// out what is of other senders and recipients. The sum of many decisions names the transaction of
// the first alone, so it belongs to those that name it.
func gather(m Mail, entries []record.Entry) []*Attempt {
	sender, recipient := address.Parse(m.Sender).SenderKey(), address.Parse(m.Recipient).Key()
	known := make(map[transactionKey]*Attempt)
	var all []*Attempt
	sums := make(map[string]*policy.Event)
	of := func(host, session string, number int) *Attempt {
		key := transactionKey{host, session, number}
		if known[key] == nil {
			known[key] = new(Attempt)
			all = append(all, known[key])
		}
		return known[key]
	}
	for _, e := range entries {
		switch {
		case e.Message != nil && address.Parse(e.Message.Sender).SenderKey() == sender:
			if o, ok := outcomeFor(e.Message, recipient); ok {
				of(e.Message.Host, e.Message.Session, e.Message.Number).take(e.Message, o)
			}
		case e.Event != nil && e.Event.Dedup != nil:
			sums[e.Event.ID] = e.Event
		case e.Event != nil && isPart(e.Event) && address.Parse(e.Event.Sender).SenderKey() == sender && concerns(e.Event, recipient):
			of(e.Event.Host, e.Event.Session, e.Event.Transaction).decide(e.Event)
		}
	}
	for _, a := range all {
		if sum := sums[a.Outcome.Event]; sum != nil {
			a.decide(sum)
		}
		a.settle()
	}
	slices.SortStableFunc(all, func(a, b *Attempt) int { return a.Time.Compare(b.Time) })
	return all
}

// outcomeFor is what became of a recipient. One who was named twice has the later answer.
func outcomeFor(t *policy.Transaction, recipient string) (o policy.Outcome, ok bool) {
	for _, r := range t.Recipients {
		if address.Parse(r.Recipient).Key() == recipient {
			o, ok = r.Outcome, true
		}
	}
	return o, ok
}

// isPart reports whether an event belongs to a transaction: that deferred mail has not come back
// belongs to none.
func isPart(e *policy.Event) bool { return e.Session != "" && e.HasSender }

func concerns(e *policy.Event, recipient string) bool {
	return slices.ContainsFunc(e.Recipients, func(r string) bool { return address.Parse(r).Key() == recipient })
}

func (a *Attempt) take(t *policy.Transaction, o policy.Outcome) {
	a.Message, a.Outcome, a.Known, a.Time = t, o, true, t.Ended
}

// decide keeps the decision that is told of: that which the client read, or else the first one.
func (a *Attempt) decide(e *policy.Event) {
	if a.Event == nil || ends(e) && !ends(a.Event) {
		a.Event = e
	}
}

// ends reports whether the decision ended the attempt for its recipients.
func ends(e *policy.Event) bool {
	switch e.Action {
	case policy.ActionRefused, policy.ActionDeferred, policy.ActionRemoved:
		return true
	}
	return false
}

// settle takes time and outcome from the decision where that is all there is.
func (a *Attempt) settle() {
	if a.Message != nil {
		return
	}
	e := a.Event
	a.Time = e.Time
	if !ends(e) {
		return
	}
	a.Known = true
	a.Outcome = policy.Outcome{Fate: policy.Refused, Check: e.Check, Reply: e.Reply, Event: e.ID}
	switch e.Action {
	case policy.ActionDeferred:
		a.Outcome.Fate = policy.Deferred
	case policy.ActionRemoved:
		a.Outcome.Fate = policy.Removed
	}
}

// messageID is that of the attempt, "" where its header had not come.
func (a *Attempt) messageID() string {
	switch {
	case a.Message != nil && a.Message.MessageID != "":
		return messageID(a.Message.MessageID)
	case a.Event != nil:
		return messageID(a.Event.MessageID)
	}
	return ""
}

// is reports whether it is the attempt of that name.
func (a *Attempt) is(session string, number int) bool {
	switch {
	case session == "":
		return false
	case a.Message != nil:
		return a.Message.Session == session && a.Message.Number == number
	}
	return a.Event.Session == session && a.Event.Transaction == number
}

// comesBack reports whether a further attempt of the mail is to be expected: it was told to try
// again, or its client went away.
func (a *Attempt) comesBack() bool {
	if !a.Known {
		return false
	}
	switch a.Outcome.Fate {
	case policy.Deferred, policy.Abandoned, policy.Lost:
		return true
	}
	return false
}

// away is how far the attempt is from a time.
func (a *Attempt) away(t time.Time) time.Duration { return a.Time.Sub(t).Abs() }
