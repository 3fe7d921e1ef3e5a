package history

import (
	"context"

	"mailweir/internal/policy"
)

// Transaction counts what a client has done in one transaction: recipients whose mail was accepted
// under policy.NoOffence, and each offence.
type Transaction [policy.Offences]int

// note counts one recipient. What refuses the whole transaction, or might as well, counts once
// however many recipients it has.
func (c *Transaction) note(o policy.Offence) {
	switch o {
	case policy.NoOffence, policy.OffenceInvalidRcpt, policy.OffenceOpenRelay:
		c[o]++
	default:
		c[o] = 1
	}
}

// shownByRcpt tells what the outcome of a recipient says about the client, false for nothing. To
// what our reply shows it adds acceptance and refusal by the MTA itself. That mail to postmaster
// alone was accepted shows nothing: it always is.
func shownByRcpt(r *policy.Recipient, o policy.Outcome) (policy.Offence, bool) {
	switch o.Fate {
	case policy.Accepted:
		return policy.NoOffence, !r.AlwaysAccepted()
	case policy.RefusedByMTA:
		switch {
		case r.Refusal == "5.1.1":
			return policy.OffenceInvalidRcpt, true
		case r.Refusal == "5.7.1" && r.Direction == policy.Relay:
			return policy.OffenceOpenRelay, true
		}
		return policy.NoOffence, false
	}
	return o.Offence, o.Offence != policy.NoOffence
}

// Transactions collects the history of each transaction for one check. Its two methods are called
// by the Settle hooks.
type Transactions struct{ slot policy.Slot[Transaction] }

// NewTransactions returns a collection for the check that is being built.
func NewTransactions(env *policy.Env) Transactions {
	return Transactions{policy.NewSlot[Transaction](env)}
}

// counted reports whether the transaction may be counted at all: for or against an untrusted
// client, and not under the null sender, since bounces and call-outs go to whom others have named.
func counted(m *policy.Message) bool {
	c := m.Conn
	return c.Client.IsValid() && !c.Local && !m.Trusted() && !c.InboundRelay() && !c.Permitted && !m.Sender.IsNull()
}

// Recipient counts what became of a recipient.
func (c Transactions) Recipient(_ context.Context, r *policy.Recipient, o policy.Outcome) {
	if !counted(r.Msg) {
		return
	}
	if d, ok := shownByRcpt(r, o); ok {
		c.slot.Of(r.Msg).note(d)
	}
}

// Message returns the history, false when there is nothing to count. A transaction refused at MAIL
// has no recipients.
func (c Transactions) Message(m *policy.Message, o policy.Outcome) (Transaction, bool) {
	if !counted(m) {
		return Transaction{}, false
	}
	all := *c.slot.Of(m)
	if o.Offence != policy.NoOffence && all[o.Offence] == 0 {
		all.note(o.Offence)
	}
	return all, all != Transaction{}
}
