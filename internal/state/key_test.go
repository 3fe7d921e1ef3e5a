package state

import (
	"slices"
	"strings"
	"testing"
)

// TestKeyOfLongParts: whoever sends mail chooses parts of keys, and must not be able to choose one
// that no store takes.
func TestKeyOfLongParts(t *testing.T) {
	long := func(s string) string { return strings.Repeat(s, 1400) }
	seen := map[string][]string{}
	for _, parts := range [][]string{
		{"192.0.2.0/24", long("|"), "b@example.net"},
		{"192.0.2.0/24", long("|") + "x", "b@example.net"},
		{"192.0.2.0/24", "b@example.net", long("|")},
		{long("a"), long("b"), long("c"), long("d")},
		{long("a"), long("b"), long("c"), long("e")},
		{long("a"), long("\x00"), long("%"), long("é")},
		slices.Repeat([]string{strings.Repeat("|", 300)}, 10),
		slices.Repeat([]string{strings.Repeat("x", 1000)}, 10),
	} {
		key := Key("space", parts...)
		if err := Get(key).check(); err != nil {
			t.Errorf("%.20q…: %v", parts, err)
		}
		if other := seen[key]; other != nil {
			t.Errorf("%.20q… and %.20q… share a key", parts, other)
		}
		seen[key] = parts
		space, back := Parts(key)
		if again := Key(space, back...); again != key || len(back) != len(parts) {
			t.Errorf("%.20q… has key %q, and its parts %q have key %q", parts, key, back, again)
		}
		for n := range parts {
			if prefix := Prefix("space", parts[:n]...); !strings.HasPrefix(key, prefix) {
				t.Errorf("%.20q… has key %q, which does not begin with %q", parts, key, prefix)
			}
		}
	}
}

func TestKeyKeepsPartsThatFit(t *testing.T) {
	for _, part := range []string{
		strings.Repeat("x", maxPart),
		strings.Repeat("|", maxPart/3),
		"%sha256:" + strings.Repeat("0", 64),
		"\x00sha256:" + strings.Repeat("0", 63),
		"\x00sha256:" + strings.Repeat("A", 64),
	} {
		if _, parts := Parts(Key("space", part, "b")); !slices.Equal(parts, []string{part, "b"}) {
			t.Errorf("%.20q… reads as %.80q", part, parts)
		}
	}
}
