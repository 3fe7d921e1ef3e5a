package record

import (
	"testing"

	"mailweir/internal/policy"
)

func TestLoaded(t *testing.T) {
	first := []policy.Alteration{{What: "policy", After: "3f2a4b5c6d7e"}, {What: "permits", After: "11"}, {What: "greylist", After: "22"}, {What: "rbl", After: "33"}}
	for name, one := range map[string]struct {
		change Change
		want   string
		ok     bool
	}{
		"at the start":     {Change{Operation: PolicyLoad, Changes: first}, "policy 3f2a4b5c… loaded", true},
		"after a change":   {Change{Operation: PolicyLoad, Changes: []policy.Alteration{{What: "policy", Before: "aa", After: "bb"}, {What: "permits", After: "11"}, {What: "greylist", Before: "22", After: "23"}, {What: "rbl", Before: "33", After: "34"}}}, "policy bb loaded; changed: greylist, rbl", true},
		"without digests":  {Change{Operation: PolicyLoad}, "policy loaded", true},
		"another command":  {Change{Operation: "policy/check", Changes: first}, "", false},
		"no operation yet": {Change{}, "", false},
	} {
		if got, ok := one.change.Loaded(); got != one.want || ok != one.ok {
			t.Errorf("%s: %q, %v, want %q", name, got, ok, one.want)
		}
	}
}
