// Package rar4 lists RAR archives of the formats 1.5 to 4. It unpacks nothing.
package rar4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"mailweir/internal/content/source"
)

// Mark begins an archive.
const Mark = "Rar!\x1a\x07\x00"

// Types of blocks, and their flags.
const (
	blockArchive = 0x73
	blockFile    = 0x74
	blockEnd     = 0x7b

	flagSealed    = 0x80 // of the archive: headers are encrypted
	flagEncrypted = 0x04
	flagDirectory = 0xe0 // all of these bits
	flagLarge     = 0x100
	flagData      = 0x8000 // data follow the header

	methodStored = 0x30
)

var (
	// ErrEncrypted means that the headers of the archive are encrypted.
	ErrEncrypted = errors.New("rar4: the list of members is encrypted")
	// ErrDamaged means a header that makes no sense or is cut short.
	ErrDamaged = errors.New("rar4: damaged header")
)

// Member is a file in an archive.
type Member struct {
	Name      string
	Encrypted bool
	Stored    bool  // not compressed
	Packed    int64 // octets of its data, which follow in the input; the caller reads them before the next call of Next
}

// Reader lists the members of an archive in order.
type Reader struct {
	in    *source.Reader
	begun bool
}

// NewReader lists an archive that begins with Mark.
func NewReader(in *source.Reader) *Reader { return &Reader{in: in} }

// Next goes to the next member; directories are passed over. At the end of the archive, or of what
// there is of it, the error is io.EOF.
func (r *Reader) Next() (Member, error) {
	if !r.begun {
		r.begun = true
		_, _ = r.in.Discard(len(Mark))
	}
	le := binary.LittleEndian
	for {
		var h [7]byte
		if _, err := io.ReadFull(r.in, h[:]); err != nil {
			return Member{}, io.EOF
		}
		kind, flags, size := h[2], le.Uint16(h[3:]), int(le.Uint16(h[5:]))
		if size < len(h) {
			return Member{}, ErrDamaged
		}
		fields := make([]byte, size-len(h))
		if _, err := io.ReadFull(r.in, fields); err != nil {
			return Member{}, ErrDamaged
		}
		switch {
		case kind == blockArchive && flags&flagSealed != 0:
			return Member{}, ErrEncrypted
		case kind == blockEnd:
			return Member{}, io.EOF
		case kind == blockFile && len(fields) >= 25:
			if flags&flagDirectory != flagDirectory {
				return member(flags, fields), nil
			}
		case flags&flagData != 0 && len(fields) >= 4:
			_, _ = r.in.Discard(int(le.Uint32(fields)))
		}
	}
}

func member(flags uint16, fields []byte) Member {
	le := binary.LittleEndian
	packed := int64(le.Uint32(fields))
	name, rest := int(le.Uint16(fields[19:])), fields[25:]
	if flags&flagLarge != 0 && len(rest) >= 8 {
		packed += int64(le.Uint32(rest)) << 32
		rest = rest[8:]
	}
	// After a NUL the same name stands in a packed form of UTF-16.
	plain, _, _ := bytes.Cut(rest[:min(name, len(rest))], []byte{0})
	return Member{
		Name: string(plain), Encrypted: flags&flagEncrypted != 0, Stored: fields[18] == methodStored, Packed: max(packed, 0),
	}
}
