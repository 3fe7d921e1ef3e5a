package checks

import "mailweir/internal/policy"

// conduct counts what a client has done in one transaction: recipients whose mail was accepted under
// policy.NoOffence, and each offence.
type conduct [policy.Offences]int

// note counts one recipient. What refuses the whole transaction, or might as well, counts once however
// many recipients it has.
func (c *conduct) note(o policy.Offence) {
	switch o {
	case policy.NoOffence, policy.OffenceInvalidRcpt, policy.OffenceOpenRelay:
		c[o]++
	default:
		c[o] = 1
	}
}

// shownByRcpt tells what the outcome of a recipient says about the client, false for nothing. To what
// our reply shows it adds acceptance and refusal by the MTA itself. That mail to postmaster alone was
// accepted shows nothing: it always is.
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
	if d, ok := shownByRcpt(r, o); ok {
		c.slot.Of(r.Msg).note(d)
	}
}

// message returns the conduct, false when there is nothing to count. A transaction refused at MAIL has no recipients.
func (c conducts) message(m *policy.Message, o policy.Outcome) (conduct, bool) {
	if !counted(m) {
		return conduct{}, false
	}
	all := *c.slot.Of(m)
	if o.Offence != policy.NoOffence && all[o.Offence] == 0 {
		all.note(o.Offence)
	}
	return all, all != conduct{}
}
