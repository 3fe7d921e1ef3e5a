package table

import "testing"

func TestMember(t *testing.T) {
	for value, want := range map[string]bool{
		"OK": true, "ours": true, "x": true, "a backup mx": true, "REJECTED once": true,
		"DUNNO": false, "dunno": false, "REJECT": false, "REJECT no longer": false, "DEFER": false, "550 5.7.1 no": false,
	} {
		if got := (Match{Value: value, Table: "inline:{}"}).Member(); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	if (Match{}).Member() {
		t.Error("what is not found is a member")
	}
}
