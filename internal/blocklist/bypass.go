package blocklist

import (
	"mailweir/internal/policy"
	"mailweir/internal/table"
)

// Bypass is a check's own list of senders, recipients and clients that it leaves alone.
type Bypass struct{ List *table.List }

// Message reports whether the client or the sender is in the list.
func (b Bypass) Message(m *policy.Message) bool {
	if permitted(b.List.Address(m.Sender)) {
		return true
	}
	return m.Conn.Client.IsValid() && permitted(b.List.Client(m.Conn.Client, m.Conn.ConnectFacts.Name))
}

// Recipient reports whether the recipient is in the list.
func (b Bypass) Recipient(r *policy.Recipient) bool { return permitted(b.List.Address(r.Address)) }

// permitted reports whether an entry of a permit list permits: DUNNO does not.
func permitted(m table.Match, found bool) bool { return found && m.Action.Verb == table.OK }
