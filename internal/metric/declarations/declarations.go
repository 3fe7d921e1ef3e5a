// Package declarations has the declarations of all metrics of mailweir in one list, for those who
// write or check what is made of them: the page of the documentation, the dashboard, the alerts.
package declarations

import (
	"mailweir/internal/auth"
	"mailweir/internal/events"
	"mailweir/internal/metric"
	"mailweir/internal/record"
	"mailweir/internal/record/would"
)

// All are the metrics that /metrics can show of ours, in the order of the documentation.
func All() []metric.Group {
	return append(events.Declared(), record.Declared(), would.Declared(), auth.Declared())
}
