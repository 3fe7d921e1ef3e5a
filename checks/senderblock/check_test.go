package senderblock

import (
	"testing"

	"mailweir/internal/policytest"
)

func TestSenderBlock(t *testing.T) {
	policytest.EnvelopeBlock(t, policytest.Only(Check), "sender-block", "550 5.7.1 Administrative prohibition - envelope blocked", "554 5.7.1 closed")
}

func TestSenderBlockOn(t *testing.T) {
	const envelope, header = "rcpt 550 5.7.1 Administrative prohibition - envelope blocked",
		"end 550 5.7.1 Rejected by header based Blocked Senders - Block policy for Header From"
	list := "--sender-block-list=inline:{bad.example=REJECT}"
	inHeader := policytest.Letter{Header: []string{"From: X <x@bad.example>"}}
	inEnvelope := policytest.Letter{From: "x@bad.example", Header: []string{"From: y@else.example"}}
	policytest.Only(Check).Play(t, []string{list}, []policytest.Scenario{
		{Name: "envelope, by default", Mail: inHeader},
		{Name: "header", Flags: []string{"--sender-block-on=header"}, Mail: inHeader, Said: header, Events: "sender-block refused"},
		{Name: "header, not the envelope", Flags: []string{"--sender-block-on=header"}, Mail: inEnvelope},
		{Name: "both: header", Flags: []string{"--sender-block-on=both"}, Mail: inHeader, Said: header},
		{Name: "both: envelope", Flags: []string{"--sender-block-on=both"}, Mail: inEnvelope, Said: envelope},
	})
	policytest.Only(Check).WantError(t, "--sender-block-on: ", list, "--sender-block-on=body")
	policytest.Only(Check).WantError(t, "--sender-block-on: ", "--sender-block-on=body")
}
