package rar4

import (
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"mailweir/internal/content/source"
)

// block makes one block of an archive, with data behind it. Types and flags stand here as numbers
// of the format, so that a wrong constant is seen.
func block(kind byte, flags uint16, fields, data string) string {
	h := []byte{0, 0, kind}
	h = binary.LittleEndian.AppendUint16(h, flags)
	h = binary.LittleEndian.AppendUint16(h, uint16(7+len(fields)))
	return string(h) + fields + data
}

// file makes the block of a member.
func file(flags uint16, name string, method byte, data string) string {
	f := binary.LittleEndian.AppendUint32(nil, uint32(len(data)))
	f = append(f, make([]byte, 14)...)
	f = append(f, method)
	f = binary.LittleEndian.AppendUint16(f, uint16(len(name)))
	f = append(f, make([]byte, 4)...)
	if flags&0x100 != 0 {
		f = append(f, make([]byte, 8)...)
	}
	return block(0x74, flags|0x8000, string(f)+name, data)
}

func TestNext(t *testing.T) {
	archive := block(0x73, 0, "\x00\x00\x00\x00\x00\x00", "")
	for _, c := range []struct {
		name, octets, want string
		err                error
	}{
		{"members", archive + file(0, "a", 0x30, "xyz") + file(0x04, "b\x00packed", 0x33, "12") + block(0x7b, 0, "", ""), "a stored 3, b encrypted 2, ", io.EOF},
		{"large", archive + file(0x100, "a", 0x33, "xyz"), "a 3, ", io.EOF},
		{"dictionary, whose bits mark a directory only all together", archive + file(0x20, "a", 0x33, "xyz"), "a 3, ", io.EOF},
		{"directory", archive + file(0xe0, "d", 0x30, "") + file(0, "a", 0x33, ""), "a 0, ", io.EOF},
		{"a block that nobody knows", archive + block(0x7a, 0x8000, "\x02\x00\x00\x00", "??") + file(0, "a", 0x33, ""), "a 0, ", io.EOF},
		{"nothing behind the end", archive + block(0x7b, 0, "", "") + file(0, "a", 0x33, ""), "", io.EOF},
		{"sealed", block(0x73, 0x80, "\x00\x00\x00\x00\x00\x00", "") + "?", "", ErrEncrypted},
		{"header too short", archive + "\x00\x00\x74\x00\x00\x06\x00", "", ErrDamaged},
		{"header cut", archive + file(0, "a", 0x33, "")[:20], "", ErrDamaged},
		{"cut between blocks", archive + "\x00\x00", "", io.EOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := source.New(strings.NewReader(Mark + c.octets))
			r, got := NewReader(in), ""
			for {
				m, err := r.Next()
				if err != nil {
					if err != c.err {
						t.Errorf("error %v, want %v", err, c.err)
					}
					break
				}
				got += m.Name
				if m.Stored {
					got += " stored"
				}
				if m.Encrypted {
					got += " encrypted"
				}
				n, _ := io.Copy(io.Discard, io.LimitReader(in, m.Packed))
				if n != m.Packed {
					t.Errorf("%d octets of %q, want %d", n, m.Name, m.Packed)
				}
				got += " " + string(rune('0'+n)) + ", "
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
