package events

import (
	"testing"
	"time"

	"mailweir/internal/policy"
)

// The sum of what is alike is told when its time is over, though nothing else happens, and names
// what it was about.
func TestDedupsEndByThemselves(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ds := newDedups(func() time.Time { return now })
	for i := range domainLines + 3 {
		e := &policy.Event{Check: "hops", Sender: "a@b.example", Cause: []string{"one", "two"}[i%2]}
		e.ID, _ = ds.identify(e)
		ds.record(e)
	}
	if ended := ds.ended(); len(ended) != 0 {
		t.Errorf("%d ended at once", len(ended))
	}
	now = now.Add(dedupSpan)
	ended := ds.ended()
	if len(ended) != 1 || ended[0].sum().Dedup.Times != 3 || ended[0].sum().Cause != "one; two" {
		t.Fatalf("ended: %+v", ended)
	}
	if again := ds.ended(); len(again) != 0 {
		t.Error("written twice")
	}
}
