// Package entry is about what people enter at run time: who did it, when, why, and until when it
// lasts.
package entry

import (
	"encoding/json"
	"fmt"
	"time"

	"mailweir/internal/policy"
)

// Origin is who made a run-time entry, when and why. How long it lasts is the state's to know.
type Origin struct {
	By   string    `json:"by"`
	UID  int       `json:"uid"`
	At   time.Time `json:"at"`
	Note string    `json:"note,omitempty"`
}

// Clean makes what people wrote fit for logs.
func (e Origin) Clean() Origin {
	e.Note = policy.Clean(e.Note)
	return e
}

// Value is the record as it stands in the state.
func (e Origin) Value() []byte {
	text, _ := json.Marshal(e.Clean()) // strings, a number and a time
	return text
}

// Read reads the record. What an older program or another hand wrote is shown as far as it can be
// read.
func Read(value []byte) (e Origin) {
	_ = json.Unmarshal(value, &e)
	return e
}

// Who names the person, with his number on this host.
func (e Origin) Who() string {
	if e.UID >= 0 { // a login of the console has none
		return fmt.Sprintf("%s (uid %d)", e.By, e.UID)
	}
	return e.By
}

// String tells the record in words.
func (e Origin) String() string {
	text := fmt.Sprintf("by %s on %s", e.Who(), e.At.UTC().Format(time.DateTime))
	if e.Note != "" {
		text += ": " + e.Note
	}
	return text
}

// Until tells in words when an entry ends.
func Until(t time.Time) string {
	if t.IsZero() {
		return "permanently"
	}
	return "until " + t.UTC().Format(time.DateTime)
}

// MaxListed bounds what a run-time command lists.
const MaxListed = 10_000
