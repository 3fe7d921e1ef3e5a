package events

import (
	"strings"

	"mailweir/internal/policy"
)

// unexamined records, once for each message, which limits kept a part of it from being examined. It
// stands against no one by itself; alike events share a line as all others do, so that a flood of
// bombs does not fill the log.
func (r *Recorder) unexamined(t *policy.Transaction) {
	if len(t.Unexamined) == 0 {
		return
	}
	var places []string
	for _, u := range t.Unexamined {
		places = append(places, u.Where)
	}
	r.recordSettled(t, policy.Event{
		Check: "unexamined", Action: policy.ActionUnexamined,
		Cause: "limits reached: " + strings.Join(places, ", ") + "; the message was " + t.Fate.String(),
	})
}
