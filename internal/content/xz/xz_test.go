package xz

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"mailweir/internal/content/lzma"
	"mailweir/internal/content/source"
)

// memory counts what is taken and lends at most its limit.
type memory struct{ limit, used, most int }

func (m *memory) Take(n int) bool {
	if m.used+n > m.limit {
		return false
	}
	m.used += n
	m.most = max(m.most, m.used)
	return true
}

func (m *memory) Give(n int) { m.used -= n }

// TestDictionary reads a block that asks for a dictionary of four gigabytes.
func TestDictionary(t *testing.T) {
	block := string([]byte{2, 0, filterLZMA2, 1, 40, 0, 0, 0, 0, 0, 0, 0}) + "\x01\x00\x00x\x00"
	for _, c := range []struct {
		name  string
		limit int
		text  string
	}{
		{"as much as is ever given", lzma.MaxDictionary + lzma.Tables, "x"},
		{"not so much", lzma.MaxDictionary, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &memory{limit: c.limit}
			x := NewReader(source.New(strings.NewReader(block)), m)
			got, err := io.ReadAll(x)
			if string(got) != c.text || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			if !x.Clipped() {
				t.Error("nothing tells that the dictionary is smaller")
			}
			if want := len(c.text) * c.limit; m.most != want {
				t.Errorf("%d octets taken, want %d", m.most, want)
			}
			if x.Close(); m.used != 0 {
				t.Errorf("%d octets not given back", m.used)
			}
		})
	}
}

// TestDamaged reads files that are none; what a block holds is tried in the examinations.
func TestDamaged(t *testing.T) {
	for name, octets := range map[string]string{
		"nothing":          "",
		"mark only":        mark,
		"reserved flag":    "\x02" + string(rune(flagReserved)) + strings.Repeat("\x00", 10),
		"unknown filter":   "\x02\x00\x05\x00" + strings.Repeat("\x00", 8),
		"filters too many": "\x02\x03" + strings.Repeat("\x04\x00", 5),
	} {
		t.Run(name, func(t *testing.T) {
			m := &memory{limit: 1 << 30}
			if got, err := io.ReadAll(NewReader(source.New(bytes.NewReader([]byte(octets))), m)); len(got) > 0 || len(octets) > len(mark) && err != errDamaged {
				t.Errorf("%q, %v", got, err)
			}
			if m.most > 0 {
				t.Errorf("%d octets taken", m.most)
			}
		})
	}
}
