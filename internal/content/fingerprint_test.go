package content

import "testing"

func TestFingerprint(t *testing.T) {
	of := func(sources ...string) string {
		var defs []*Definition
		for _, src := range sources {
			def, err := parseDefinition(src)
			if err != nil {
				t.Fatal(err)
			}
			defs = append(defs, def)
		}
		return Fingerprint(defs)
	}
	const plain = "!activation 1\n1 gold\n"
	same := of(plain)
	if of(plain) != same {
		t.Error("the same definition has two fingerprints")
	}
	seen := map[string]string{same: plain}
	for _, src := range []string{
		"!activation 2\n1 gold\n", "!activation 1\n2 gold\n", "!activation 1\n1:3 gold\n", "!activation 1\n1 silver\n", "!activation 1\n\n1 gold\n",
		"!activation 1\n1 required gold\n", "!activation 1\n!scan subject\n1 gold\n", "!activation 1\n!from a.example\n1 gold\n",
		"!activation 1\n!action defer\n1 gold\n", "!activation 1\n!direction inbound\n1 gold\n",
	} {
		if other := seen[of(src)]; other != "" {
			t.Errorf("%q has the fingerprint of %q", src, other)
		}
		seen[of(src)] = src
	}
	if of(plain, plain) == same {
		t.Error("two definitions have the fingerprint of one")
	}
}
