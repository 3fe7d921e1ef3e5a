package table

import (
	"context"
	"slices"
)

// Inspector is a [Waiting] table that can say, for a person, whether it works: what has answered,
// in a few words, and sentences about what the administrator may not expect.
type Inspector interface {
	Inspect(ctx context.Context) (text string, remarks []string, err error)
}

// Inspectors returns the tables in use that can be inspected, and their names, sorted.
func (l *Loader) Inspectors() (names []string, tables []Inspector) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for spec, entry := range l.opened {
		if _, ok := entry.table.waiting.(Inspector); ok {
			names = append(names, spec)
		}
	}
	slices.Sort(names)
	for _, spec := range names {
		tables = append(tables, l.opened[spec].table.waiting.(Inspector))
	}
	return names, tables
}
