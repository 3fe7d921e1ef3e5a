package record

import (
	"testing"

	"mailweir/internal/policy"
)

// Every column has its cell, and what there is not stands as nothing.
func TestCells(t *testing.T) {
	message := &policy.Transaction{}
	message.Check = "rbl"
	for name, e := range map[string]Entry{
		"decision": {Position: 7, Event: &policy.Event{Check: "rbl"}},
		"message":  {Position: 7, Message: message},
	} {
		cells, columns := e.Cells(), Columns()
		if len(cells) != len(columns) {
			t.Fatalf("%s: %d cells under %d columns", name, len(cells), len(columns))
		}
		got := map[string]any{}
		for i, column := range columns {
			got[column] = cells[i]
		}
		if got["position"] != int64(7) || got["kind"] != name || got["check"] != "rbl" || got["reply_code"] != "" || got["recipient_count"] != 0 || got["times"] != 1 {
			t.Errorf("%s: %v", name, got)
		}
	}
}
