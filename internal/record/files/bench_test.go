package files_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"mailweir/internal/record"
	"mailweir/internal/record/files"
)

func BenchmarkWrite(b *testing.B) {
	s, err := files.Open(b.Context(), b.TempDir(), files.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	t := &bed{now: time.Now()}
	batch := make([]record.Entry, 1000)
	var before, after syscall.Rusage
	syscall.Getrusage(0, &before)
	for i := range b.N {
		e := t.refusal(fmt.Sprintf("mw-%08x", rand.Uint32()))
		e.Event.Session = fmt.Sprintf("%08x", rand.Uint32())
		e.Event.Sender = fmt.Sprintf("user%d@domain%d.example", rand.IntN(1000), rand.IntN(10000))
		e.Event.Recipients = []string{fmt.Sprintf("user%d@example.org", rand.IntN(10000))}
		e.Event.Time = time.Now()
		batch[i%1000] = e
		if i%1000 == 999 {
			if err := s.Write(b.Context(), batch, nil); err != nil {
				b.Fatal(err)
			}
		}
	}
	syscall.Getrusage(0, &after)
	cpu := func(u syscall.Rusage) int64 { return u.Utime.Nano() + u.Stime.Nano() }
	b.ReportMetric(float64(cpu(after)-cpu(before))/float64(b.N)/1000, "µsCPU/op")
	x, _ := s.Extent(b.Context())
	b.ReportMetric(float64(x.Octets)/float64(max(x.Entries, 1)), "B/row")
}
