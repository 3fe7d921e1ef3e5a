package checks

import "testing"

func TestEnvelopeFrom(t *testing.T) {
	testEnvelopeBlock(t, only(EnvelopeFrom), "envelope-from", "550 5.7.1 Envelope Rejected - Block policy for Envelope from address", "554 5.7.1 closed")
}
