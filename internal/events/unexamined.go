package events

import (
	"strings"

	"mailweir/internal/policy"
)

// unexamined records, once for each message, which limits kept a part of it from being examined, and counts each of them. It stands
// against no one by itself; the line is folded as all others are, so that a flood of bombs does not fill the log.
func (r *Recorder) unexamined(m *policy.Message, o policy.Outcome) {
	if len(m.Unexamined) == 0 {
		return
	}
	var places []string
	counted := map[string]bool{}
	for _, u := range m.Unexamined {
		places = append(places, u.Where)
		if !counted[u.Limit] {
			counted[u.Limit] = true
			r.metrics.limits.WithLabelValues(u.Limit).Inc()
		}
	}
	r.recordSettled(m, policy.Event{
		Check: "unexamined", Action: policy.ActionUnexamined,
		Cause: "limits reached: " + strings.Join(places, ", ") + "; the message was " + o.Fate.String(),
	})
}
