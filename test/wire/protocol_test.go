package wire

import (
	"encoding/binary"
	"testing"
)

// offerReply is a filter's answer to the offer.
func offerReply(version, protocol uint32, macros string) []byte {
	data := binary.BigEndian.AppendUint32(nil, version)
	data = binary.BigEndian.AppendUint32(data, 0)
	data = binary.BigEndian.AppendUint32(data, protocol)
	return append(data, macros...)
}

func TestTermsField(t *testing.T) {
	for _, c := range []struct {
		name     string
		protocol uint32
		text     string
		want     string
	}{
		{"blank dropped", 0, " one", "X\x00one\x00"},
		{"only one", 0, "  one", "X\x00 one\x00"},
		{"none there", 0, "one", "X\x00one\x00"},
		{"blank wanted", 0x100000, " one", "X\x00 one\x00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			terms, err := ParseTerms(offerReply(6, c.protocol, ""))
			if err != nil {
				t.Fatal(err)
			}
			if got := terms.Field("X", c.text); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func FuzzParseTerms(f *testing.F) {
	f.Add(offerReply(6, 0, ""))
	f.Add(offerReply(2, 0xffffffff, "\x00\x00\x00\x01i j\x00\x00\x00\x00\x09"))
	f.Fuzz(func(t *testing.T, data []byte) {
		terms, err := ParseTerms(data)
		if err == nil && len(terms.macros) < len(defaultMacros) {
			t.Error("terms without a stage")
		}
	})
}
