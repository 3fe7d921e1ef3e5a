package content

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/nwaples/rardecode/v2"
)

const (
	rar4Mark = "Rar!\x1a\x07\x00"
	rar5Mark = "Rar!\x1a\x07\x01\x00"
)

// rar examines a RAR archive.
func (w *walk) rar(f file, in *source) {
	switch head, _ := in.Peek(len(rar5Mark)); {
	case hasPrefix(head, rar5Mark):
		w.rar5(f, in)
	case hasPrefix(head, rar4Mark):
		w.rar4(f, in)
	default:
		w.x.reach(LimitUnreadable)
	}
}

// rarDictionary is the largest dictionary of an archive that is unpacked; one that is larger than its member is never
// needed. rarMemory is what unpacking may take in all.
const (
	rarDictionary = 8 << 20
	rarMemory     = 2 * rarDictionary
)

// rar5 examines an archive of format 5.
func (w *walk) rar5(f file, in *source) {
	if !w.takeSpare(rarMemory) {
		return
	}
	defer w.giveBack(rarMemory)
	defer w.survive()
	r, err := rardecode.NewReader(in, rardecode.MaxDictionarySize(rarDictionary))
	for err == nil && !w.x.halted() {
		var h *rardecode.FileHeader
		if h, err = r.Next(); err != nil {
			break
		}
		body, encrypted := w.expand(r, in), h.Encrypted || h.HeaderEncrypted
		if !h.IsDir && !w.member(f, h.Name, encrypted, body) {
			return
		}
		if !encrypted {
			w.copy(nil, body) // in a solid archive Next would unpack what is left of the member, of any size
		}
		if body.over {
			return
		}
	}
	switch err {
	case nil, io.EOF:
	case rardecode.ErrDictionaryTooLarge:
		w.x.reach(LimitLarge)
	default:
		w.x.reach(LimitUnreadable)
	}
}

// Blocks of formats 1.5 to 4 and their flags.
const (
	rar4Archive   = 0x73
	rar4File      = 0x74
	rar4End       = 0x7b
	rar4Sealed    = 0x80 // of the archive: headers are encrypted
	rar4Encrypted = 0x04
	rar4Large     = 0x100
	rar4Added     = 0x8000 // data follow the header
	rar4Stored    = 0x30
)

// rar4 lists an archive of the formats 1.5 to 4, and examines members that are not compressed. The others are not unpacked: that
// can take 256 MiB of memory, as the sender likes.
func (w *walk) rar4(f file, in *source) {
	_, _ = in.Discard(len(rar4Mark))
	le := binary.LittleEndian
	for !w.x.halted() {
		var h [7]byte
		if _, err := io.ReadFull(in, h[:]); err != nil {
			return
		}
		kind, flags, size := h[2], le.Uint16(h[3:]), int(le.Uint16(h[5:]))
		if size < len(h) {
			w.x.reach(LimitUnreadable)
			return
		}
		fields := make([]byte, size-len(h))
		if _, err := io.ReadFull(in, fields); err != nil {
			w.x.reach(LimitUnreadable)
			return
		}
		switch {
		case kind == rar4Archive && flags&rar4Sealed != 0:
			w.found.encrypted = true
			return
		case kind == rar4End:
			return
		case kind == rar4File && len(fields) >= 25:
			if !w.rar4Member(f, flags, fields, in) {
				return
			}
		case flags&rar4Added != 0 && len(fields) >= 4:
			w.copy(nil, io.LimitReader(in, int64(le.Uint32(fields))))
		}
	}
}

func (w *walk) rar4Member(f file, flags uint16, fields []byte, in *source) bool {
	le := binary.LittleEndian
	packed := int64(le.Uint32(fields))
	name, rest := int(le.Uint16(fields[19:])), fields[25:]
	if flags&rar4Large != 0 && len(rest) >= 8 {
		packed += int64(le.Uint32(rest)) << 32
		rest = rest[8:]
	}
	// After a NUL the same name stands in a packed form of UTF-16.
	plain, _, _ := bytes.Cut(rest[:min(name, len(rest))], []byte{0})
	body := io.LimitReader(in, max(packed, 0))
	encrypted, stored := flags&rar4Encrypted != 0, fields[18] == rar4Stored
	switch directory := flags&0xe0 == 0xe0; {
	case directory:
		return true
	case stored && !encrypted:
		ok := w.member(f, string(plain), false, body)
		w.copy(nil, body)
		return ok
	case !encrypted:
		w.x.reach(LimitUnreadable)
	}
	ok := w.member(f, string(plain), encrypted, nil)
	w.copy(nil, body)
	return ok
}
