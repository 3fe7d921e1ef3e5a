package events

import "mailweir/internal/policy"

// settledRecipients bounds the recipients that the event of a settled message names.
const settledRecipients = 10

// recordSettled records what is known of a message only when it is over, and what is no decision. Check, action and cause are given.
func (r *Recorder) recordSettled(m *policy.Message, e policy.Event) {
	e.Time, e.Mode, e.Stage, e.AnsweredAt = r.folds.clock(), policy.Monitor, policy.StageEnd, policy.StageEnd
	e.Session, e.Client, e.ClientName, e.Helo, e.Service = m.Conn.ID, m.Conn.Client, m.Conn.ConnectFacts.Name, m.HELO(), m.Conn.Service
	e.Login, e.Sender, e.HasSender, e.QueueID = m.Login, m.MailFacts.Sender, true, m.QueueID
	e.Count = len(m.Recipients)
	for _, one := range m.Recipients[:min(e.Count, settledRecipients)] {
		e.Recipients = append(e.Recipients, one.RcptFacts.Recipient)
	}
	if e.Count > 0 {
		e.Direction = m.Recipients[0].Direction.String()
	}
	e.ID = r.Identify(&e)
	r.Record(&e)
}
