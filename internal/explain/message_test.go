package explain

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailweir/internal/policy"
)

func TestReadMessage(t *testing.T) {
	type fields = []policy.Field
	for _, c := range []struct {
		name, in string
		fields   fields
		body     string
	}{
		{"nothing", "", nil, ""},
		{"a message", "A: b\nC:d\n\nhello\n", fields{{Name: "A", Value: "b"}, {Name: "C", Value: "d", Unspaced: true}}, "hello\r\n"},
		{"CRLF", "A: b\r\n\r\nhello\r\n", fields{{Name: "A", Value: "b"}}, "hello\r\n"},
		{"folded", "A: b\n c\n\td\nE: f\n\n", fields{{Name: "A", Value: "b\n c\n\td"}, {Name: "E", Value: "f"}}, ""},
		{"folded at the end", "A: b\n c", fields{{Name: "A", Value: "b\n c"}}, ""},
		{"ends with a line end", "A: b\n", fields{{Name: "A", Value: "b"}}, ""},
		{"an empty value", "A:\nB: \n\nx", fields{{Name: "A", Unspaced: true}, {Name: "B"}}, "x"},
		{"a blank line is a folded one", "A: b\n \nC: d\n", fields{{Name: "A", Value: "b\n "}, {Name: "C", Value: "d"}}, ""},
		{"blanks before the colon", "A \t: b\n", fields{{Name: "A", Value: "b"}}, ""},
		{"no header", "\nhello\n", nil, "hello\r\n"},
		{"a body without an empty line", "A: b\nhello there: you\n", fields{{Name: "A", Value: "b"}}, "hello there: you\r\n"},
		{"a line without a colon", "A: b\nhello\n c: d\n", fields{{Name: "A", Value: "b"}}, "hello\r\n c: d\r\n"},
		{"a colon first", ": b\n", nil, ": b\r\n"},
		{"a folded line first", " a: b\n", nil, " a: b\r\n"},
		{"mbox", "From x Mon\nA: b\n\nhello\n", fields{{Name: "A", Value: "b"}}, "hello\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := ReadMessage(strings.NewReader(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.fields, m.Fields); diff != "" {
				t.Error(diff)
			}
			if string(m.Body) != c.body {
				t.Errorf("body %q, want %q", m.Body, c.body)
			}
		})
	}
}

// A field of many lines is read as one: to join them line by line would take time in the square of
// their number.
func TestReadFolded(t *testing.T) {
	text := "A: b" + strings.Repeat("\n x", 100_000) + "\n\nhello\n"
	allocations := testing.AllocsPerRun(1, func() {
		m, err := ReadMessage(strings.NewReader(text))
		if err != nil || len(m.Fields) != 1 || len(m.Fields[0].Value) != len(text)-len("A: \n\nhello\n") {
			t.Fatal(err)
		}
	})
	if allocations > 200 {
		t.Errorf("%v allocations for one field", allocations)
	}
}
