package history

import (
	"net/netip"
	"testing"
	"time"

	"mailweir/internal/policytest"
	"mailweir/internal/state"
)

func TestClientNet(t *testing.T) {
	for client, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := Net(netip.MustParseAddr(client)); got != want {
			t.Errorf("%s: %s, want %s", client, got, want)
		}
	}
}

// A net that goes on sending wanted mail stays known.
func TestKnownNet(t *testing.T) {
	now := policytest.Noon
	clock := func() time.Time { return now }
	store := state.NewMemory(clock, 10)
	client := netip.MustParseAddr("192.0.2.1")
	known := func() bool {
		_, ok, err := store.Get(t.Context(), KnownNetKey(client))
		return ok && err == nil
	}
	note := func() {
		t.Helper()
		if err := NoteKnownNet(t.Context(), store, client); err != nil {
			t.Fatal(err)
		}
	}
	if known() {
		t.Error("an untrusted client is known")
	}
	note()
	now = policytest.Noon.Add(knownNetLife - time.Minute)
	if !known() {
		t.Error("forgotten too early")
	}
	note()
	now = policytest.Noon.Add(2*knownNetLife - 2*time.Minute)
	if !known() {
		t.Error("not renewed")
	}
	now = now.Add(2 * time.Minute)
	if known() {
		t.Error("never forgotten")
	}
	if err := NoteKnownNet(t.Context(), store, netip.Addr{}); err != nil {
		t.Error(err)
	}
}
