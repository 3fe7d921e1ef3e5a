package record

// size estimates how many octets an entry takes in memory. It is called on the way of an answer.
func (e Entry) size() int {
	n := 1000
	if m := e.Message; m != nil {
		for _, r := range m.Recipients {
			n += len(r.Recipient) + 100
		}
		return n + len(m.MessageID) + len(m.From) + len(m.Subject) + len(m.Helo) + total(m.Attachments)
	}
	v := e.Event
	for _, q := range v.Trace {
		n += len(q.Question) + len(q.Answer) + 32
	}
	if v.Dedup != nil {
		n += total(v.Dedup.Senders) + 24*len(v.Dedup.Clients)
	}
	return n + len(v.Cause) + len(v.Err) + len(v.Stack) + len(v.Helo) + len(v.From) + len(v.Subject) + total(v.Recipients) + total(v.Attachments)
}

func total(list []string) (n int) {
	for _, s := range list {
		n += len(s) + 16
	}
	return n
}
