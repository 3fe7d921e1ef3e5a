package files_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"mailweir/internal/policy"
	"mailweir/internal/record"
	"mailweir/internal/record/files"
	"mailweir/internal/trace"
)

func BenchmarkWrite(b *testing.B) {
	for name, next := range map[string]func(int) record.Entry{"refused": refused, "accepted": accepted} {
		b.Run(name, func(b *testing.B) {
			s, err := files.Open(b.Context(), b.TempDir(), files.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			batch := make([]record.Entry, 1000)
			began := cpu()
			for n := range b.N {
				batch[n%1000] = next(n)
				if n%1000 < 999 {
					continue
				}
				if err := s.Write(b.Context(), batch, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu()-began)/float64(b.N)/1000, "µsCPU/op")
			x, _ := s.Extent(b.Context())
			b.ReportMetric(float64(x.Octets)/float64(max(x.Entries, 1)), "B/row")
		})
	}
}

// cpu is the processor time of this process, in nanoseconds.
func cpu() int64 {
	var u syscall.Rusage
	syscall.Getrusage(0, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

// refused is a decision about a random client.
func refused(int) record.Entry {
	e := (&bed{now: time.Now()}).refusal(fmt.Sprintf("mw-%08x", rand.Uint32()))
	e.Event.Session = fmt.Sprintf("%08x", rand.Uint32())
	e.Event.Sender = fmt.Sprintf("user%d@domain%d.example", rand.IntN(1000), rand.IntN(10000))
	e.Event.Recipients = []string{fmt.Sprintf("user%d@example.org", rand.IntN(10000))}
	return e
}

// accepted is a message of one of 2,000 people to whom 20 DNS lists have nothing.
func accepted(n int) record.Entry {
	client := netip.AddrFrom4([4]byte{20, byte(n / 256 % 8), byte(n), 1})
	now := time.Now()
	t := &policy.Transaction{
		Version: 1, Begun: now, Ended: now, Host: "mx1.example.org", Session: policy.NewID(), Number: 1, Service: policy.MX, Client: client,
		ClientName: "client.example.net", Helo: "client.example.net", Sender: fmt.Sprintf("alice%d@domain%d.example", n%2048, n%512),
		Recipients:     []policy.RecipientOutcome{{Recipient: fmt.Sprintf("user%d@example.org", rand.IntN(10000)), Direction: "inbound", Number: 1}},
		RecipientCount: 1, QueueID: "4BpX" + policy.NewID(), MessageID: "<20260105100000." + policy.NewID() + "@mail.example.net>", Fields: 20,
		Octets: 9609, DeclaredSize: 9500, Policy: "5e440ad35761",
		Facts: policy.Facts{Port: 41234, Unverified: "client.example.net", DaemonName: "mx.example.org", DaemonPort: "25", Hops: 2, Froms: 1},
	}
	for list := range 20 {
		t.Queries = append(t.Queries, trace.Query{Question: fmt.Sprintf("A 1.%d.5.20.l%d.example", byte(n), list), Answer: "no such name"})
	}
	for range 4 {
		t.State = append(t.State, policy.NewID()+" =MjAyNi0xMS0yOVQyMzo0NDoxNVogZ29vZD0xMDAw@mxgryq8t", policy.NewID()+" <20")
	}
	return record.Entry{Message: t}
}
