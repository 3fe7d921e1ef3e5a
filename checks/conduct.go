package checks

import (
	"mailweir/internal/policy"
)

// deed is one kind of thing that a client does, good or bad.
type deed uint8

const (
	deedGood        deed = iota // a recipient whose mail was accepted, and not only because everybody may write to him
	deedInvalidRcpt             // a recipient that does not exist
	deedOpenRelay               // a recipient to whom a stranger may not relay
	deedConcurrency             // a transaction over the client's own limit
	deedBlocked                 // a transaction refused by a block list or for its content
	deedListed                  // a transaction refused because of a DNS list
	deedVirus                   // a transaction refused because of a virus
	deedSpam                    // a transaction refused as spam
	deedAuthFail                // a login that failed
	deeds
)

// deedNames stand in flags, in the state and in what commands show.
var deedNames = [deeds]string{"good", "invalid-rcpt", "open-relay", "concurrency", "blocked", "listed", "virus", "spam", "auth-fail"}

// String returns the name.
func (d deed) String() string { return deedNames[d] }

// refusals says which deed a permanent refusal by a check shows. What is not here shows nothing bad about the client: technical
// limits (size, hops, require-tls, …), one user's own wishes (managed), and what these very deeds have led to (reputation).
var refusals = map[string]deed{
	"recipient":     deedInvalidRcpt,
	"rbl":           deedListed,
	"virus":         deedVirus,
	"spam":          deedSpam,
	"signature":     deedBlocked,
	"content":       deedBlocked,
	"sender-block":  deedBlocked,
	"envelope-from": deedBlocked,
	"header-from":   deedBlocked,
	"lockout":       deedBlocked,
}

// conduct counts what a client has done in one transaction.
type conduct [deeds]int

// note counts one recipient. What refuses the whole transaction, or might as well, counts once however many recipients it has.
func (c *conduct) note(d deed) {
	switch d {
	case deedGood, deedInvalidRcpt, deedOpenRelay:
		c[d]++
	default:
		c[d] = 1
	}
}

// deedOf tells what the outcome of a recipient, or of a whole message, says about the client; false for nothing. Our own
// temporary answers say nothing, but for the two whose cause is what the client does.
func deedOf(o policy.Outcome) (deed, bool) {
	switch {
	case o.Check == OpenRelay.Name && o.Bad():
		return deedOpenRelay, true
	case o.Reply == replyConcurrencyClient.ID && o.Bad():
		return deedConcurrency, true
	case o.Fate == policy.Refused:
		d, ok := refusals[o.Check]
		return d, ok
	}
	return 0, false
}

// deedOfRcpt adds what only a recipient can show: acceptance, and refusal by the MTA itself. That mail to postmaster alone was
// accepted shows nothing: it always is.
func deedOfRcpt(r *policy.Recipient, o policy.Outcome) (deed, bool) {
	switch o.Fate {
	case policy.Accepted:
		return deedGood, !r.AlwaysAccepted()
	case policy.RefusedByMTA:
		switch {
		case r.Refusal == "5.1.1":
			return deedInvalidRcpt, true
		case r.Refusal == "5.7.1" && r.Direction == policy.Relay:
			return deedOpenRelay, true
		}
		return 0, false
	}
	return deedOf(o)
}

// conducts collects the conduct of each transaction for one check. Its two methods are called by the Settle hooks.
type conducts struct{ slot policy.Slot[conduct] }

// counted reports whether the transaction may be counted at all: for or against a stranger, and not under the null sender, since
// bounces and call-outs go to whom others have named.
func counted(m *policy.Message) bool {
	c := m.Conn
	return c.Client.IsValid() && !c.Local && !m.Trusted() && !c.InboundRelay() && !c.Permitted() && !m.Sender.IsNull()
}

func (c conducts) recipient(r *policy.Recipient, o policy.Outcome) {
	if !counted(r.Msg) {
		return
	}
	if d, ok := deedOfRcpt(r, o); ok {
		c.slot.Of(r.Msg).note(d)
	}
}

// message returns the conduct, false when there is nothing to count. A transaction refused at MAIL has no recipients.
func (c conducts) message(m *policy.Message, o policy.Outcome) (conduct, bool) {
	if !counted(m) {
		return conduct{}, false
	}
	all := *c.slot.Of(m)
	if d, ok := deedOf(o); ok && all[d] == 0 {
		all.note(d)
	}
	return all, all != conduct{}
}
