package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"mailweir/internal/record"
	"mailweir/internal/record/files"
	"mailweir/test/testbed"
)

// recordDays is over how many days the entries are spread.
const recordDays = 30

// recordFound fills a record and looks for entries in it.
func (b *bench) recordFound() error {
	h := b.Part()
	defer h.Close()
	now := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	store, err := files.Open(context.Background(), testbed.TempDir(h), files.Options{Clock: func() time.Time { return clock() }})
	if err != nil {
		return err
	}
	defer store.Close()
	ids, took, err := b.fillRecord(store, &now)
	if err != nil {
		return err
	}
	x, err := store.Extent(context.Background())
	if err != nil {
		return err
	}
	memory, err := residentMemory(os.Getpid())
	if err != nil {
		return err
	}
	fmt.Printf("%d entries over %d days, %d octets each, written at %.0f a second; resident memory %s.\n\n", x.Entries, len(x.Days), x.Octets/max(x.Entries, 1),
		float64(x.Entries)/took.Seconds(), mib(memory))
	clock = time.Now // a search ends by it
	if err := recordSearches(store, ids, now); err != nil {
		return err
	}
	began := time.Now()
	now = now.AddDate(0, 0, 1)
	store.For = 10 * 24 * time.Hour
	err = store.Retain(context.Background(), now)
	fmt.Printf("\n20 days are dropped in %v.\n\n", time.Since(began).Round(time.Millisecond))
	return err
}

// fillRecord writes entries over some days, and returns the ids of a few.
func (b *bench) fillRecord(store *files.Store, now *time.Time) (ids []string, took time.Duration, err error) {
	d, began := newDecisions(), time.Now()
	step := recordDays * 24 * time.Hour / time.Duration(b.recordRows)
	batch := make([]record.Entry, 0, 1000)
	for n := range b.recordRows {
		*now = now.Add(step)
		e := d.next(*now)
		if batch = append(batch, e); len(batch) < cap(batch) && n < b.recordRows-1 {
			continue
		}
		if err := store.Write(context.Background(), batch, nil); err != nil {
			return nil, 0, err
		}
		if e := batch[0].Event; e != nil {
			ids = append(ids, e.ID)
		}
		batch = batch[:0]
		if err := store.Retain(context.Background(), *now); err != nil { // as the sink does, each minute
			return nil, 0, err
		}
	}
	return ids, time.Since(began), nil
}

// recordSearches looks for what people look for.
func recordSearches(store record.Reader, ids []string, now time.Time) error {
	d := newDecisions()
	row("search", "p50 ms", "p99 ms", "entries")
	row("---", "--:", "--:", "--:")
	for _, c := range []struct {
		name  string
		times int
		query func() record.Query
	}{
		{"by id", 200, func() record.Query { return record.Query{IDs: []string{ids[d.IntN(len(ids))]}} }},
		{"an id that is not there", 200, func() record.Query { return record.Query{IDs: []string{"mw-00000000"}} }},
		{"newest 50 of a recipient", 200, func() record.Query {
			return record.Query{Recipient: fmt.Sprintf("user%d@example.org", d.IntN(recordPeople))}
		}},
		{"newest 50 of a sender's domain", 200, func() record.Query {
			return record.Query{Sender: fmt.Sprintf("@domain%d.example", d.IntN(recordDomains))}
		}},
		{"newest 50 of a /24", 200, func() record.Query {
			return record.Query{Client: netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18, byte(d.IntN(256)), 0}), 24)}
		}},
		{"first page", 200, func() record.Query { return record.Query{} }},
		{"first page of a check", 200, func() record.Query { return record.Query{Checks: []string{"rbl"}} }},
		{"a page in the middle", 200, func() record.Query {
			return record.Query{Before: record.PositionAt(now.AddDate(0, 0, -d.IntN(recordDays)))}
		}},
		{"text that is there", 20, func() record.Query { return record.Query{Text: "ZEN.example"} }},
		{"text that is nowhere", 3, func() record.Query { return record.Query{Text: "not in any entry"} }},
	} {
		var took []float64
		found, reached := 0, ""
		for range c.times {
			began := time.Now()
			page, err := store.Search(context.Background(), c.query())
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			took, found = append(took, time.Since(began).Seconds()*1000), len(page.Entries)
			if !page.Reached.IsZero() {
				reached = fmt.Sprintf(", back to %.0f days", now.Sub(page.Reached).Hours()/24)
			}
		}
		slices.Sort(took)
		row(c.name, fmt.Sprintf("%.1f", took[len(took)/2]), fmt.Sprintf("%.1f", took[min(len(took)*99/100, len(took)-1)]), fmt.Sprintf("%d%s", found, reached))
	}
	began := time.Now()
	counts, err := store.Counts(context.Background(), now.AddDate(0, 0, -recordDays), now, 24*time.Hour)
	row("charts of 30 days", fmt.Sprintf("%.1f", time.Since(began).Seconds()*1000), "", len(counts))
	return err
}
