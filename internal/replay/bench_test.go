package replay

import (
	"fmt"
	"testing"

	"mailweir/internal/record"
)

// BenchmarkMessage judges one accepted message under nearly all checks, from a page of the record.
func BenchmarkMessage(b *testing.B) {
	r := newRecorder(b, zone, everything...)
	r.send(letterOf("192.0.2.1"))
	r.host.Close()
	one := r.entries[len(r.entries)-1].Message
	r.entries = nil
	for i := range b.N {
		again := *one
		again.Session = fmt.Sprint("S", i)
		r.entries = append(r.entries, record.Entry{Message: &again})
	}
	b.ResetTimer()
	replayed(b, inMemory{r.entries, r.changes}, everything...)
}
