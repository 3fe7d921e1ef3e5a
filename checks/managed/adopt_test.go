package managed

import (
	"testing"
	"time"

	"mailweir/internal/byhand"
	"mailweir/internal/policytest"
	"mailweir/internal/state"
)

// What older versions kept as permits for all becomes permits when a policy comes into use, with
// their ends; nothing is left there.
func TestAdopt(t *testing.T) {
	world := policytest.NewWorld()
	for key, value := range map[string]string{
		entryKey("*", "friend.example"): `{"permit":true,"by":"anna","uid":-1,"note":"n"}`, entryKey("*", "odd.example"): `{"by":"anna"}`,
		entryKey("bob@ours.example", "spam.example"): `{"by":"bob"}`,
	} {
		if _, err := world.State.Do(t.Context(), state.Put(key, []byte(value), time.Hour).Entered()); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		p, err := policytest.Only(Check).Build(world)
		if err != nil {
			t.Fatal(err)
		}
		p.Ready(t.Context())
		p.Close()
	}
	list, err := byhand.Entries(t.Context(), world.State, byhand.Permit)
	if err != nil || len(list) != 1 || list[0].Subject.Sender != "friend.example" || list[0].By != "anna" || !list[0].Until.Equal(policytest.Noon.Add(time.Hour)) {
		t.Errorf("%+v, %v", list, err)
	}
	left, err := listUnder(t.Context(), world.State, state.Prefix(space))
	if err != nil || len(left) != 1 || left[0].Recipient != "bob@ours.example" {
		t.Errorf("left: %v, %v", left, err)
	}
}
