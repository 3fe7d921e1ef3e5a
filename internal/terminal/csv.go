package terminal

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// CSV writes rows as comma-separated values (RFC 4180), for spreadsheets and programs. Every cell
// is one line of text, as in a [Table]; a text that a spreadsheet would take for a formula has a
// single quote in front.
type CSV struct {
	out *csv.Writer
}

// NewCSV begins with the row of the names of the columns.
func NewCSV(out io.Writer, titles ...string) *CSV {
	c := &CSV{csv.NewWriter(out)}
	_ = c.out.Write(titles) // an error is that of Flush
	return c
}

// Row writes one row. A cell is written as fmt.Sprint does; numbers are never taken for formulas.
func (c *CSV) Row(cells ...any) {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = csvCell(cell)
	}
	_ = c.out.Write(texts) // an error is that of Flush
}

// Flush writes what is left, and returns the first error of all.
func (c *CSV) Flush() error {
	c.out.Flush()
	return c.out.Error()
}

func csvCell(cell any) string {
	text := fmt.Sprint(cell)
	switch cell.(type) {
	case int, int64, uint64, float64:
		return text
	}
	if formula(text) {
		return "'" + Text(text)
	}
	return Text(text)
}

// formula reports whether a spreadsheet would take a cell for a formula rather than for text
// (OWASP, "CSV Injection").
func formula(text string) bool {
	for _, begin := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(text, begin) {
			return true
		}
	}
	return false
}
