package policy

import (
	"strings"
	"testing"
)

func TestSpares(t *testing.T) {
	for _, c := range []struct {
		entry, check string
		want         bool
	}{
		{"", "x", false},
		{"x", "x", true},
		{"xy", "x", false},
		{"y, x", "x", true},
		{"y x", "x", true},
		{"*", "x", true},
		{"DUNNO", "x", false},
	} {
		if got := Spares(c.entry, c.check); got != c.want {
			t.Errorf("%q spares %s: %v", c.entry, c.check, got)
		}
	}
}

func TestSparedChecks(t *testing.T) {
	check := namesOf([]*Check{{Name: "x"}, {Name: "y"}, {Name: "door", AnswerAt: StageHelo}})
	for entry, want := range map[string]string{
		"x": "", "x,y": "", "x y": "", "*": "", "DUNNO": "", "dunno": "",
		"z": `"z" is no check`, "x,z": `"z" is no check`, "REJECT": `"REJECT" is no check`, ",": "names no check", "door": `"door" is no check`,
	} {
		err := check(entry)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", entry, err, want)
		}
	}
}

func TestByRecipient(t *testing.T) {
	for _, c := range []struct {
		args []string
		want bool
	}{{nil, false}, {[]string{"--enforce-for=inline:{a=x}"}, true}, {[]string{"--monitor-for=inline:{a=*}"}, true}} {
		s, err := settings(t, c.args...)
		if err != nil || s.ByRecipient() != c.want {
			t.Errorf("%q: %v", c.args, err)
		}
	}
}
