package checks

import "testing"

func TestSenderBlock(t *testing.T) {
	testEnvelopeBlock(t, only(SenderBlock), "sender-block", "550 5.7.1 Administrative prohibition - envelope blocked", "554 5.7.1 closed")
}

func TestSenderBlockOn(t *testing.T) {
	const envelope, header = "rcpt 550 5.7.1 Administrative prohibition - envelope blocked",
		"end 550 5.7.1 Rejected by header based Blocked Senders - Block policy for Header From"
	list := "--sender-block-list=inline:{bad.example=REJECT}"
	inHeader := letter{header: []string{"From: X <x@bad.example>"}}
	inEnvelope := letter{from: "x@bad.example", header: []string{"From: y@else.example"}}
	only(SenderBlock).play(t, []string{list}, []scenario{
		{name: "envelope, by default", mail: inHeader},
		{name: "header", flags: []string{"--sender-block-on=header"}, mail: inHeader, said: header, events: "sender-block refused"},
		{name: "header, not the envelope", flags: []string{"--sender-block-on=header"}, mail: inEnvelope},
		{name: "both: header", flags: []string{"--sender-block-on=both"}, mail: inHeader, said: header},
		{name: "both: envelope", flags: []string{"--sender-block-on=both"}, mail: inEnvelope, said: envelope},
	})
	only(SenderBlock).wantError(t, "--sender-block-on: ", list, "--sender-block-on=body")
	only(SenderBlock).wantError(t, "--sender-block-on: ", "--sender-block-on=body")
}
