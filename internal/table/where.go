package table

import "fmt"

// Where names the entry for the administrator: "FILE:LINE", or the table as configured where it has
// no file.
func (m Match) Where() string {
	if m.File == "" {
		return m.Table
	}
	return fmt.Sprintf("%s:%d", m.File, m.Line)
}
