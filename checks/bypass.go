package checks

import (
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// bypass is a check's own list of senders, recipients and clients that it leaves alone.
type bypass struct{ list *table.List }

// message reports whether the client or the sender is in the list.
func (b bypass) message(m *policy.Message) bool {
	if permitted(b.list.Address(m.Sender)) {
		return true
	}
	return m.Conn.Client.IsValid() && permitted(b.list.Client(m.Conn.Client, m.Conn.ConnectFacts.Name))
}

// recipient reports whether the recipient is in the list.
func (b bypass) recipient(r *policy.Recipient) bool { return permitted(b.list.Address(r.Address)) }

// permitted reports whether an entry of a permit list permits: DUNNO does not.
func permitted(m table.Match, found bool) bool { return found && m.Action.Verb == table.OK }
