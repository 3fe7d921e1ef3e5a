package content

import (
	"os"
	"testing"

	"mailweir/internal/policytest"
)

// TestReload: definitions that have not changed are compiled once, and what no policy uses any more
// is let go.
func TestReload(t *testing.T) {
	file := policytest.File(t, "a", "!activation 1\n1 gold\n")
	world := policytest.NewWorld()
	build := func(flags ...string) interface{ Close() } {
		t.Helper()
		p, err := policytest.Only(Check).Build(world, append(flags, "--content-definition="+file)...)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	want := func(n int, when string) {
		t.Helper()
		if got := world.Resources.Len(); got != n {
			t.Errorf("%s: %d resources, want %d", when, got, n)
		}
	}
	first := build()
	one := world.Resources.Len() // with what every policy shares
	again := build()
	want(one, "reload without a change")
	other := build("--content-memory=1MiB")
	want(one+1, "other memory")
	if err := os.WriteFile(file, []byte("!activation 2\n1 gold\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	changed := build()
	want(one+2, "changed file")
	first.Close()
	want(one+2, "one of two that use it ended")
	again.Close()
	want(one+1, "both ended")
	other.Close()
	changed.Close()
	want(0, "all ended")
}
