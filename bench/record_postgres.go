package main

import (
	"context"
	"fmt"
	"time"

	"mailweir/internal/record"
	"mailweir/internal/record/postgres"
	"mailweir/test/testbed"
)

// recordShared measures the record in PostgreSQL: what a decision costs both sides, how large it is
// there, how many one writer brings in a second.
func (b *bench) recordShared() error {
	h := b.Part()
	defer h.Close()
	server := testbed.StartPostgres(h, "-c", "shared_buffers=128MB", "-c", "autovacuum=on", "-c", "fsync=on")
	spec := fmt.Sprintf("postgres://postgres@/mail?host=%s&port=%s", server.Socket, testbed.Port(server.Address))
	store, err := postgres.Open(spec, postgres.Options{Host: "mx1"})
	if err != nil {
		return err
	}
	defer store.Close()
	d, batch := newDecisions(), make([]record.Entry, 1000)
	theirs, err := familyCPU(server.PID())
	if err != nil {
		return err
	}
	own, began, written := ownCPU(), time.Now(), 0
	for ; written < b.recordRows/10; written += len(batch) {
		for i := range batch {
			batch[i] = d.next(time.Now())
		}
		if err := store.Write(context.Background(), batch, nil); err != nil {
			return err
		}
	}
	took := time.Since(began)
	own = ownCPU() - own
	after, err := familyCPU(server.PID())
	if err != nil {
		return err
	}
	x, err := store.Extent(context.Background())
	if err != nil {
		return err
	}
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(written) }
	fmt.Printf("In PostgreSQL: %d rows of %d octets, indexes among them, written by one writer at %.0f a second; %.0f µs of CPU of mailweir a "+
		"row, %.0f of the server.\n\n", x.Entries, x.Octets/max(x.Entries, 1), float64(written)/took.Seconds(), each(own), each(after-theirs))
	return nil
}
