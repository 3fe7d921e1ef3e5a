package sevenzip

import (
	"strings"
	"testing"
)

// FuzzParse reads any header: it ends, and nothing in it is larger than the header pays for.
func FuzzParse(f *testing.F) {
	f.Add([]byte("\x01\x05\x01\x11\x05\x00a\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x01\x04\x06\x00\x01\x09\x10\x00\x07\x0b\x01\x00\x01\x04\x06\xf1\x07\x01\x0c\x10\x00\x00\x05\x01\x11\x05\x00a\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x17\x06\x00\x01\x09\x10\x00\x07\x0b\x01\x00\x01\x21\x03\x01\x01\x01\x05\x5d\x00\x00\x10\x00\x0c\x10\x00"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, octets []byte) {
		h := Parse(octets)
		for _, n := range []int{len(h.Members), len(h.Streams.Packed), len(h.Streams.Folders), len(h.Streams.Sizes)} {
			if n > len(octets) {
				t.Errorf("%d things in a header of %d octets", n, len(octets))
			}
		}
		if h.Packed && len(h.Members) > 0 {
			t.Error("a header that is packed has members")
		}
		for i := range h.Streams.Folders {
			if chain := h.Streams.Folders[i].Chain(); len(chain) > maxCoders {
				t.Errorf("a chain of %d", len(chain))
			}
		}
	})
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, header, members string
		packed, damaged       bool
	}{
		{"one without a stream of its own", "\x01\x05\x01\x11\x05\x00a\x00\x00\x00\x00\x00", "a", false, false},
		{"an empty file and a directory", "\x01\x05\x02\x11\x09\x00a\x00\x00\x00b\x00\x00\x00\x0e\x01\xc0\x0f\x01\x80\x00\x00", "a", false, false},
		{"more files than names", "\x01\x05\xe0\xff\xff\xff\x11\x05\x00a\x00\x00\x00\x00\x00", "", false, true},
		{"packed", "\x17\x06\x00\x01\x09\x10\x00\x00", "", true, false},
		{"unknown property", "\x01\x33", "", false, true},
		{"nothing", "", "", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := Parse([]byte(c.header))
			var names []string
			for _, m := range h.Members {
				names = append(names, m.Name)
			}
			if got := strings.Join(names, " "); !c.damaged && got != c.members || h.Packed != c.packed || h.Damaged != c.damaged {
				t.Errorf("members %q, packed %v, damaged %v", got, h.Packed, h.Damaged)
			}
		})
	}
}
