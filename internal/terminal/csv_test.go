package terminal_test

import (
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"

	"mailweir/internal/terminal"
)

func TestCSVCells(t *testing.T) {
	tests := []struct {
		name string
		cell any
		want string
	}{
		{"plain", "bob@example.org", "bob@example.org"},
		{"empty", "", ""},
		{"comma", "a,b", "a,b"},
		{"quote", `a"b`, `a"b`},
		{"equals", "=1+1", "'=1+1"},
		{"command", `=cmd|' /C calc'!A0`, `'=cmd|' /C calc'!A0`},
		{"plus", "+1", "'+1"},
		{"minus", "-1", "'-1"},
		{"at", "@SUM(A1)", "'@SUM(A1)"},
		{"tab", "\t=1", `'\t=1`},
		{"carriage return", "\r=1", `'\r=1`},
		{"line feed", "\n=1", `'\n=1`},
		{"full width", "＝1", "'＝1"},
		{"inside", "a=1", "a=1"},
		{"quote first", "'=1", "'=1"},
		{"number", -5, "-5"},
		{"large number", int64(-5), "-5"},
		{"line end inside", "a\r\nb", `a\r\nb`},
		{"turned around", "a\u202eb", `a\u202eb`},
		{"NUL", "a\x00b", `a\u0000b`},
		{"no UTF-8", "a\xffb", `a\xffb`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			c := terminal.NewCSV(&out, "one", "two")
			c.Row(tt.cell, "end")
			if err := c.Flush(); err != nil {
				t.Fatal(err)
			}
			rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) != 2 || !slices.Equal(rows[0], []string{"one", "two"}) || !slices.Equal(rows[1], []string{tt.want, "end"}) {
				t.Errorf("%q, want the row %q", out.String(), tt.want)
			}
			if n := strings.Count(out.String(), "\n"); n != 2 {
				t.Errorf("%d lines for two rows: %q", n, out.String())
			}
		})
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestCSVSaysThatItCouldNotBeWritten(t *testing.T) {
	c := terminal.NewCSV(fullDisk{}, "one")
	c.Row("x")
	if c.Flush() == nil {
		t.Error("no error")
	}
}
