package content

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"mailweir/internal/content/lzma"
	"mailweir/internal/content/sevenzip"
)

func TestHold(t *testing.T) {
	octets := make([]byte, 3*heldPiece+1000)
	for i := range octets {
		octets[i] = byte(i * i / 251)
	}
	all := int64(len(octets))
	for _, c := range []struct {
		name  string
		most  int
		spare int64
		first int64 // that is still held
		err   error
	}{
		{"all", 1 << 20, 1 << 20, 0, nil},
		{"the last two pieces", 2 * heldPiece, 1 << 20, 2 * heldPiece, nil},
		{"as many as there is memory for", 1 << 20, 3 * heldPiece, heldPiece, nil},
		{"one piece", 1, 1 << 20, 3 * heldPiece, nil},
		{"no memory", 1 << 20, heldPiece - 1, 0, ErrMemory},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := mustExaminer(t, Options{Budget: NewBudget(2 * c.spare)})
			x := e.Begin(Files)
			h, err := x.walk.hold(bytes.NewReader(octets), all, c.most)
			if err != c.err {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			for _, at := range []int64{0, 1, heldPiece - 1, heldPiece, 2*heldPiece + 5, 3 * heldPiece, all - 1, all} {
				for _, n := range []int64{0, 1, heldPiece, all - at, all - at + 1} {
					r := h.section(at, n)
					if want := at >= c.first && at+n <= h.size; (r != nil) != want {
						t.Errorf("%d octets from %d: held %v, want %v", n, at, !want, want)
					} else if want {
						if got, _ := io.ReadAll(r); !bytes.Equal(got, octets[at:at+n]) {
							t.Errorf("%d octets from %d are others", n, at)
						}
					}
				}
			}
			h.release()
			if used := e.pool.budget.Used(); used != 0 {
				t.Errorf("%d octets not given back", used)
			}
		})
	}
	if h, err := mustExaminer(t, Options{}).Begin(Files).walk.hold(strings.NewReader("abc"), 4, 10); err != io.ErrUnexpectedEOF || h.section(0, 4) != nil {
		t.Errorf("a stretch that ends early: %v", err)
	}
}

// TestDictionaries asks for four gigabytes.
func TestDictionaries(t *testing.T) {
	e := mustExaminer(t, Options{})
	for packed, coder := range map[string]sevenzip.Coder{
		strings.Repeat("\x00", 20): {ID: "\x03\x01\x01", Properties: []byte{0x5d, 0xff, 0xff, 0xff, 0xff}, Size: 1 << 40},
		"\x01\x00\x00x\x00":        {ID: "\x21", Properties: []byte{40}, Size: 1 << 40},
	} {
		x := e.Begin(Files)
		u := sevenZipUnpacker{w: &x.walk}
		before := memory()
		r, clipped := u.decoders([]sevenzip.Coder{coder}, strings.NewReader(packed))
		grown := memory() - before
		if r == nil || !clipped || u.memory > lzma.MaxDictionary+lzma.Tables || grown > int64(u.memory) {
			t.Errorf("%x: reader %v, clipped %v, %d octets taken, %d grown", coder.ID, r, clipped, u.memory, grown)
		}
		u.close()
	}
	if used := e.pool.budget.Used(); used != 0 {
		t.Errorf("%d octets not given back", used)
	}
}
