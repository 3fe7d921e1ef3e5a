package policy

import "time"

// Fate is what became of a recipient or a message.
type Fate uint8

const (
	// Accepted: mailweir let it pass. What the MTA or a later filter refuses afterwards stays
	// unseen.
	Accepted Fate = iota
	// Refused: answered with a permanent reply.
	Refused
	// Deferred: answered with a temporary reply.
	Deferred
	// RefusedByMTA: the MTA itself had refused the recipient (Postfix reports it, Sendmail does
	// not).
	RefusedByMTA
	// Removed: taken off the message at its end.
	Removed
	// Abandoned: the client gave the transaction up, by RSET, a new MAIL or QUIT.
	Abandoned
	// Lost: the connection ended within the transaction.
	Lost
)

var fateNames = [...]string{"accepted", "refused", "deferred", "refused_by_mta", "removed", "abandoned", "lost"}

// String returns the fate as it is written in logs and metrics.
func (f Fate) String() string { return fateNames[f] }

// Outcome is what became of a scope, and why.
type Outcome struct {
	Fate Fate `json:"fate"`
	// Check decided it; "" when none did.
	Check string `json:"check,omitempty"`
	// Reply is the id of the reply.
	Reply string `json:"reply,omitempty"`
	// Offence is what the reply shows about the client.
	Offence Offence `json:"-"`
	// Event is the id of the event.
	Event string `json:"event,omitempty"`
	// At is when that was decided, however much later it is learned.
	At time.Time `json:"-"`
	// Would lists the monitored checks that objected.
	Would []string `json:"would,omitempty"`
}

// Bad reports whether a check refused or deferred.
func (o Outcome) Bad() bool { return o.Fate == Refused || o.Fate == Deferred || o.Fate == Removed }
