package events

import (
	"testing"
	"time"

	"mailweir/internal/policy"
)

// What was folded is written when its time is over, though nothing else happens, and names what it was about.
func TestFoldsEndByThemselves(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	fs := newFolds(func() time.Time { return now })
	for i := range foldAfter + 3 {
		e := &policy.Event{Check: "hops", Sender: "a@b.example", Cause: []string{"one", "two"}[i%2]}
		e.ID, _ = fs.identify(e)
		fs.record(e)
	}
	if ended := fs.ended(); len(ended) != 0 {
		t.Errorf("%d ended at once", len(ended))
	}
	now = now.Add(foldSpan)
	ended := fs.ended()
	if len(ended) != 1 || ended[0].folded() != 3 || len(ended[0].causes) != 2 {
		t.Fatalf("ended: %+v", ended)
	}
	if again := fs.ended(); len(again) != 0 {
		t.Error("written twice")
	}
}
