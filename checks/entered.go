package checks

import (
	"encoding/json"
	"fmt"
	"time"

	"mailweir/internal/policy"
)

// Entered is who made a run-time entry, when and why. How long it lasts is the state's to know.
type Entered struct {
	By   string    `json:"by"`
	UID  int       `json:"uid"`
	At   time.Time `json:"at"`
	Note string    `json:"note,omitempty"`
}

// clean makes what people wrote fit for logs.
func (e Entered) clean() Entered {
	e.Note = policy.Clean(e.Note)
	return e
}

// value is the record as it stands in the state.
func (e Entered) value() []byte {
	text, _ := json.Marshal(e.clean()) // strings, a number and a time
	return text
}

// enteredIn reads the record. What an older program or another hand wrote is shown as far as it can be read.
func enteredIn(value []byte) (e Entered) {
	_ = json.Unmarshal(value, &e)
	return e
}

// String tells the record in words.
func (e Entered) String() string {
	text := fmt.Sprintf("by %s (uid %d) on %s", e.By, e.UID, e.At.UTC().Format(time.DateTime))
	if e.Note != "" {
		text += ": " + e.Note
	}
	return text
}

// until tells in words when an entry ends.
func until(t time.Time) string {
	if t.IsZero() {
		return "for good"
	}
	return "until " + t.UTC().Format(time.DateTime)
}
