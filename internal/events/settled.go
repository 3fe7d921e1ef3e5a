package events

import "mailweir/internal/policy"

// recordSettled records what is known of a message only when it is over, and what is no decision.
// Check, action and cause are given.
func (r *Recorder) recordSettled(t *policy.Transaction, e policy.Event) {
	e.Time, e.Mode, e.Stage, e.AnsweredAt = t.Ended, policy.Monitor, policy.StageEnd, policy.StageEnd
	e.Session, e.Transaction, e.Service = t.Session, t.Number, t.Service
	e.Client, e.ClientName, e.Helo, e.Login = t.Client, t.ClientName, t.Helo, t.Login
	e.Sender, e.HasSender, e.QueueID = t.Sender, true, t.QueueID
	recipients := t.Remaining()
	for _, one := range recipients {
		e.Recipients = append(e.Recipients, one.Recipient)
	}
	e.Count = t.RecipientCount - (len(t.Recipients) - len(recipients))
	if len(recipients) > 0 {
		e.Direction = recipients[0].Direction
	}
	e.ID = r.Identify(&e)
	r.Record(&e)
}
