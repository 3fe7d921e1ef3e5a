package policy

import (
	"encoding"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// Every named value is written by its name and read again; other names are refused.
func TestNames(t *testing.T) {
	named[Mode](t, "modes", modeNames[:])
	named[Stage](t, "stages", stageNames[:])
	named[Action](t, "actions", actionNames[:])
	named[Fate](t, "fates", fateNames[:])
	if got := len(Stages()); got != int(StageAuth) || Stages()[got-1] != StageEnd || !slices.IsSorted(Stages()) {
		t.Errorf("stages %v", Stages())
	}
	for d, want := range map[Direction]string{Inbound: "inbound", Outbound: "outbound", Internal: "internal", Relay: "relay"} {
		if d.String() != want {
			t.Errorf("direction %d is %s, want %s", d, d, want)
		}
	}
}

func named[T interface {
	~uint8
	encoding.TextMarshaler
}](t *testing.T, what string, names []string) {
	t.Helper()
	for i, name := range names {
		text, err := T(i).MarshalText()
		if err != nil || string(text) != name {
			t.Errorf("%s: %d is written %q, %v, want %q", what, i, text, err, name)
		}
		back := T(len(names))
		if err := any(&back).(encoding.TextUnmarshaler).UnmarshalText(text); err != nil || back != T(i) {
			t.Errorf("%s: %q is read as %d, %v", what, text, back, err)
		}
	}
	var other T
	err := any(&other).(encoding.TextUnmarshaler).UnmarshalText([]byte("nonsense"))
	if err == nil || !strings.Contains(err.Error(), names[0]) {
		t.Errorf("%s: nonsense is read as %d, %v", what, other, err)
	}
}

func TestModeSet(t *testing.T) {
	for _, c := range []struct {
		text    string
		want    Mode
		refuses bool
	}{
		{"off", Off, false}, {"Monitor", Monitor, false}, {"DEFER", Defer, true}, {"enforce", Enforce, true},
	} {
		var m Mode
		if err := m.Set(c.text); err != nil || m != c.want || m.Refuses() != c.refuses {
			t.Errorf("%s is %s, refuses is %v, %v", c.text, m, m.Refuses(), err)
		}
	}
	m := Monitor
	if err := m.Set("strict"); err == nil || m != Monitor || !strings.Contains(err.Error(), "off, monitor, defer, enforce") {
		t.Errorf("strict is %s, %v", m, err)
	}
}

func TestOnErrorSet(t *testing.T) {
	for text, want := range map[string]OnError{"accept": Accept, "Defer": Delay} {
		var o OnError
		if err := o.Set(text); err != nil || o != want || o.String() != strings.ToLower(text) {
			t.Errorf("%s is %s, %v", text, o, err)
		}
	}
	var o OnError
	if err := o.Set("fail"); err == nil {
		t.Error("fail can be set by a flag")
	}
}

func TestLineJSON(t *testing.T) {
	line := Line{550, "5.7.1", "No [mw-1]"}
	data, err := json.Marshal(line)
	if want := `{"code":550,"enhanced":"5.7.1","text":"No [mw-1]"}`; err != nil || string(data) != want {
		t.Fatalf("%s, %v, want %s", data, err, want)
	}
	var back Line
	if err := json.Unmarshal(data, &back); err != nil || back != line {
		t.Errorf("%+v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`[]`), &back); err == nil {
		t.Error("a list is a line")
	}
}

func TestActionAnswers(t *testing.T) {
	answering := []Action{ActionRefused, ActionDeferred, ActionRemoved, ActionWould}
	for i := range actionNames {
		if a := Action(i); a.Answers() != slices.Contains(answering, a) {
			t.Errorf("%s answers: %v", a, a.Answers())
		}
	}
}

func TestOutcomeBad(t *testing.T) {
	bad := []Fate{Refused, Deferred, Removed}
	for i := range fateNames {
		if o := (Outcome{Fate: Fate(i)}); o.Bad() != slices.Contains(bad, o.Fate) {
			t.Errorf("%s is bad: %v", o.Fate, o.Bad())
		}
	}
}

func TestExemptionNames(t *testing.T) {
	if got := Exemption(0).Names(); len(got) != 0 {
		t.Errorf("nothing is %q", got)
	}
	got := (ExemptTrusted | ExemptRelay | ExemptAlwaysAccept).Names()
	if want := []string{"trusted clients", "inbound relays", "--always-accept"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if all := (ExemptAlwaysAccept<<1 - 1).Names(); len(all) != 10 {
		t.Errorf("all are %q", all)
	}
}

func TestNewID(t *testing.T) {
	seen := map[string]bool{}
	letters := map[rune]bool{}
	for range 1000 {
		id := NewID()
		if len(id) != 8 || strings.Trim(id, idAlphabet) != "" || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
		for _, l := range id {
			letters[l] = true
		}
	}
	if len(letters) != len(idAlphabet) {
		t.Errorf("%d letters of %d are in use", len(letters), len(idAlphabet))
	}
}

func TestRemaining(t *testing.T) {
	refused := Outcome{Fate: Refused, Event: "mw-1"}
	own := RecipientOutcome{Recipient: "own", Outcome: Outcome{Fate: Refused, Event: "mw-2"}}
	other := RecipientOutcome{Recipient: "accepted", Outcome: Outcome{Fate: Accepted, Event: "mw-1"}}
	whole := RecipientOutcome{Recipient: "whole", Outcome: refused}
	for _, c := range []struct {
		name string
		list []RecipientOutcome
		want int
	}{
		{"none", nil, 0},
		{"all", []RecipientOutcome{whole, whole}, 2},
		{"another event", []RecipientOutcome{whole, own, whole}, 1},
		{"another fate", []RecipientOutcome{other, whole, whole}, 2},
		{"nobody is left", []RecipientOutcome{whole, own}, 0},
	} {
		x := Transaction{Recipients: c.list, Outcome: refused}
		if got := len(x.Remaining()); got != c.want {
			t.Errorf("%s: %d remain, want %d", c.name, got, c.want)
		}
	}
}
