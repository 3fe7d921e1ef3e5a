package address

import "testing"

func TestPlainBATV(t *testing.T) {
	for local, want := range map[string]string{
		"prvs=0123abcdef=user": "user",
		"prvs=user/0123abcdef": "user",
		"btv1==012==user":      "user",
		"btv1==012==":          "btv1==012==",
		"btv1==user":           "btv1==user",
		"prvs=":                "prvs=",
		"prvs=user":            "prvs=user",
		"prvs=0123abcdef=":     "prvs=0123abcdef=",
		"user":                 "user",
	} {
		if got := PlainBATV(local); got != want {
			t.Errorf("%q: %q, want %q", local, got, want)
		}
	}
}
