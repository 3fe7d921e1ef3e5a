package milter

import (
	"fmt"

	gomilter "github.com/emersion/go-milter"
)

// phase is how far the dialog with the MTA has come. It decides which packets are in order: one
// that is not is an error of the peer, because a message whose beginning is unknown must not be let
// pass.
type phase uint8

const (
	phaseOffer    phase = iota // options are agreed on
	phaseClient                // the client is known, no transaction has begun
	phaseEnvelope              // MAIL was accepted
	phaseHeader                // a header field has come
	phaseBody                  // the header has ended
	phaseOver                  // the MTA has said that it quits
)

// commands are the packets that an MTA may send once options are agreed on, but for macros, by what
// they are called in errors. DATA comes from none that we ask not to, and UNKNOWN is not among
// them.
var commands = [...]string{
	gomilter.CodeConn: "connect", gomilter.CodeHelo: "HELO", gomilter.CodeMail: "MAIL", gomilter.CodeRcpt: "RCPT",
	gomilter.CodeData: "DATA", gomilter.CodeHeader: "a header field", gomilter.CodeEOH: "the end of the header",
	gomilter.CodeBody: "a body", gomilter.CodeEOB: "the end of a message", gomilter.CodeAbort: "an abort",
	gomilter.CodeQuit: "quit",
}

// after returns the phase that a packet leads to. HELO, MAIL and an abort end a transaction,
// whatever has come of it: Postfix sends the abort of a second HELO behind it, Sendmail sends none
// after a message.
func (p phase) after(code gomilter.Code) (phase, error) {
	if int(code) >= len(commands) || commands[code] == "" {
		return p, fmt.Errorf("protocol error: the MTA sends the unknown packet %q", byte(code))
	}
	switch {
	case p == phaseOver:
		return p, outOfOrder(code, "after it has quit")
	case code == gomilter.CodeQuit:
		return phaseOver, nil
	case code == gomilter.CodeAbort:
		return min(p, phaseClient), nil
	case code == gomilter.CodeConn && p > phaseOffer:
		return p, outOfOrder(code, "for the second time")
	case p == phaseOffer && code != gomilter.CodeConn:
		return p, outOfOrder(code, "before connect")
	case code == gomilter.CodeConn, code == gomilter.CodeHelo:
		return phaseClient, nil
	case code == gomilter.CodeMail:
		return phaseEnvelope, nil
	case p == phaseClient:
		return p, outOfOrder(code, "without MAIL")
	}
	return p.within(code)
}

// within is after for the packets that make up a transaction. The end of the header may be missing,
// and is then where the message ends; so may recipients: such a message reaches nobody.
func (p phase) within(code gomilter.Code) (phase, error) {
	switch {
	case code == gomilter.CodeEOB:
		return phaseClient, nil
	case p == phaseEnvelope && (code == gomilter.CodeRcpt || code == gomilter.CodeData):
		return p, nil
	case p < phaseBody && code == gomilter.CodeHeader:
		return phaseHeader, nil
	case p < phaseBody && code == gomilter.CodeEOH:
		return phaseBody, nil
	case p == phaseBody && code == gomilter.CodeBody:
		return p, nil
	case p == phaseBody:
		return p, outOfOrder(code, "after the end of the header")
	}
	return p, outOfOrder(code, "within the header")
}

// outOfOrder is the error of a peer that does not keep to the protocol.
func outOfOrder(code gomilter.Code, how string) error {
	return fmt.Errorf("protocol error: the MTA sends %s %s", commands[code], how)
}
