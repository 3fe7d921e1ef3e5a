package table

import (
	"fmt"
	"testing"
)

// Once it has seen some lines, a table has room for as many entries as will come, and still has
// those that it saw; but what it guesses from short lines takes no more memory than the source.
func TestSlotsForWhatWillCome(t *testing.T) {
	const seen, line = 20_000, len("user00001@example.com REJECT\n")
	key := func(i int) string { return fmt.Sprintf("user%05d@example.com", i) }
	for _, c := range []struct {
		name   string
		source int
		slots  int
	}{
		{"no more lines", seen * line, 1 << 15},
		{"ten times as many", 10 * seen * line, 1 << 19},
		{"a size that is not known", 0, 1 << 15},
	} {
		h := newHashed(c.source)
		for i := range seen {
			h.add(key(i), "REJECT", i+1)
		}
		if len(h.tags) != c.slots {
			t.Errorf("%s: %d slots, want %d", c.name, len(h.tags), c.slots)
		}
		for i := range seen {
			if m, ok := h.findFolded([]byte(key(i))); !ok || m.Line != i+1 {
				t.Fatalf("%s: of line %d: %+v", c.name, i+1, m)
			}
		}
	}
	h := newHashed(1 << 20)
	for i := range seen {
		h.add(fmt.Sprint(i), "", i+1)
	}
	if octets := len(h.tags) * slotOctets; octets > 1<<20 {
		t.Errorf("%d octets of slots for a source of 1 MiB", octets)
	}
}
