package address

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFromNames(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"none", "b@y", "b@y"},
		{"brackets", "Jane Doe <b@y>", "Jane Doe  ;b@y"},
		{"quoted", `"Doe, Jane" <b@y>`, "Doe, Jane  ;b@y"},
		{"quoted, escaped", `"Jane \"J\" Doe\\" <b@y>`, `Jane "J" Doe\  ;b@y`},
		{"quoted in part", `"Jane" Doe <b@y>`, "Jane Doe  ;b@y"},
		{"quoted pair outside", `\"Jane Doe\" <b@y>`, `"Jane Doe"  ;b@y`},
		{"unclosed quote", `"Jane Doe <b@y>`, "Jane Doe  ;b@y"},
		{"unclosed quote that ends with an escape", `"Jane Doe \"`, `Jane Doe "`},
		{"only a quote", `"`, ""},
		{"comment", "b@y (Jane Doe)", "b@y (Jane Doe)"},
		{"comma outside of quotes", "Doe, Jane <b@y>", "Doe, Jane  ;b@y"},
		{"two mailboxes", "Jane <b@y>, Doe <c@z>", "Jane  ; Doe  ;b@y;c@z"},
		{"around the address", "Jane <b@y> Doe", "Jane   Doe;b@y"},
		{"in angle brackets", "<Jane Doe> <b@y>", "   ;Jane Doe;b@y"},
		{"unclosed angle bracket", "<a@x, Jane Doe <b@y>", "  ;a@x, Jane Doe ;b@y"},
		{"group", "Jane Doe: b@y;", "Jane Doe: b@y;"},
		{"encoded", "=?utf-8?Q?Jane_Doe?= <b@y>", "Jane Doe  ;b@y"},
		{"encoded, in quotes", `"=?utf-8?Q?Jane?= Doe" <b@y>`, "Jane Doe  ;b@y"},
		{"encoded with a comma", "=?utf-8?Q?Doe,_Jane?= <b@y>", "Doe, Jane  ;b@y|Doe, Jane  ;b@y"},
		{"all encoded", "=?utf-8?Q?Jane_Doe_=3Cb=40y=3E?=", "Jane Doe <b@y>"},
		{"Latin-1", "=?iso-8859-1?Q?J=E4ne?= <b@y>", "Jäne  ;b@y"},
		{"octets of Latin-1", "J\xe4ne <b@y>", "Jäne  ;b@y"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := strings.Join(slices.Collect(HeaderFrom([]string{tc.in}).Names()), "|")
			if got != tc.want {
				t.Errorf("%q: %q, want %q", tc.in, got, tc.want)
			}
		})
	}
	if got := slices.Collect(HeaderFrom([]string{"A <b@y>", "B <b@y>"}).Names()); !slices.Equal(got, []string{"A  ;b@y", "B  ;b@y"}) {
		t.Errorf("two fields: %q", got)
	}
	for range HeaderFrom([]string{"A <b@y>", "=?utf-8?Q?B,?= <b@y>"}).Names() {
		break // who has seen enough is not asked again
	}
}

// Whatever a field holds, reading its names takes a time that is linear in it.
func TestFromNamesWorst(t *testing.T) {
	for _, piece := range []string{`"`, `"\"`, `\"`, "<", "(", "=?utf-8?Q?", ",", `""`, "<>,"} {
		began := time.Now()
		octets := 0
		for text := range HeaderFrom([]string{"a" + strings.Repeat(piece, (1<<20)/len(piece))}).Names() {
			octets += len(text)
		}
		if took := time.Since(began); took > 5*time.Second || octets > 40<<20 {
			t.Errorf("%q: %v, %d octets", piece, took, octets)
		}
	}
}
