package envelopefrom

import (
	"testing"

	"mailweir/internal/policytest"
)

func TestEnvelopeFrom(t *testing.T) {
	policytest.EnvelopeBlock(t, policytest.Only(Check), "envelope-from", "550 5.7.1 Envelope Rejected - Block policy for Envelope from address", "554 5.7.1 closed")
}
