package mailauth_test

import (
	"testing"

	"mailweir/internal/mailauth"
)

func TestAligned(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"example.org", "example.org", true},
		{"Example.ORG.", "example.org", true},
		{"mail.example.org", "example.org", true},
		{"a.example.org", "b.example.org", true},
		{"example.org", "example.net", false},
		{"evil-example.org", "example.org", false},
		{"a.co.uk", "b.co.uk", false}, // a public suffix is nobody's organization
		{"a.b.co.uk", "b.co.uk", true},
		{"co.uk", "co.uk", true},
		{"xn--bcher-kva.example", "bücher.example", true},
		{"", "", false},
		{"", "example.org", false},
	} {
		if got := mailauth.Aligned(tt.a, tt.b); got != tt.want {
			t.Errorf("Aligned(%q, %q) = %t", tt.a, tt.b, got)
		}
		if got := mailauth.Aligned(tt.b, tt.a); got != tt.want {
			t.Errorf("Aligned(%q, %q) = %t", tt.b, tt.a, got)
		}
	}
}
