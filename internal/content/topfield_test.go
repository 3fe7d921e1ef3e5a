package content

import (
	"strings"
	"testing"
)

// TestFieldsThatMatter: however a field is written in which something is looked for, it is not left
// out with those in which nothing is.
func TestFieldsThatMatter(t *testing.T) {
	e := mustExaminer(t, Options{Limits: Limits{Header: 100}}, "!activation 1\n!scan subject\n1 gold")
	for _, c := range []struct {
		name, value    string
		fires, reaches bool
	}{
		{"Subject", "gold", true, false},
		{"sUBJECT", "gold", true, false},
		{" Subject", "gold", true, false},
		{"\x00Subject", "gold", true, false},
		{"\u017fubject", "gold", true, false},
		{"Received", "from here\rSubject: gold", true, false},
		{"To", "gold", false, false},
		{"To", strings.Repeat("gold ", 21), false, true},
	} {
		x := e.Begin(Text)
		x.Header(c.name, c.value)
		result, err := x.Finish()
		x.Close()
		if err != nil {
			t.Fatal(err)
		}
		if fires, reaches := result.Outcomes[0].Fired, len(result.Reached) > 0; fires != c.fires || reaches != c.reaches {
			t.Errorf("%q: %q fires %t and reaches a limit %t, want %t and %t", c.name, c.value, fires, reaches, c.fires, c.reaches)
		}
	}
}
