package content

import (
	"encoding/binary"
	"io"

	"mailweir/internal/content/sevenzip"
	"mailweir/internal/content/source"
)

// A 7z archive (7zFormat.txt of the 7-Zip SDK) has its header at its end, and that is usually
// packed with LZMA. Only the header tells how the members before it are packed, so the archive is
// held until it has come.
const (
	sevenZipMark   = "7z\xbc\xaf\x27\x1c"
	sevenZipHeader = 256 << 10 // most octets of a header, packed or not
	sevenZipMemory = 8 << 20   // of all that a header of that size can ask for
	sevenZipHeld   = 16 << 20  // most octets of an archive that are held
)

// sevenZip examines a 7z archive.
func (w *walk) sevenZip(f file, in *source.Reader) {
	if !w.takeSpare(sevenZipMemory) {
		return
	}
	defer w.giveBack(sevenZipMemory)
	defer w.survive()
	var start [32]byte
	if _, err := io.ReadFull(in, start[:]); err != nil {
		w.x.reach(LimitUnreadable)
		return
	}
	offset, size := int64(binary.LittleEndian.Uint64(start[12:])), int64(binary.LittleEndian.Uint64(start[20:]))
	if size == 0 && offset == 0 {
		return // nothing in it
	}
	if size > sevenZipHeader {
		w.x.reach(LimitLarge)
		return
	}
	if size <= 0 || offset < 0 {
		w.x.reach(LimitUnreadable)
		return
	}
	packed, err := w.hold(in, offset, sevenZipHeld)
	defer packed.release()
	header := make([]byte, size)
	if err == nil {
		_, err = io.ReadFull(in, header)
	}
	switch err {
	case nil:
		w.sevenZipMembers(f, header, packed)
	case ErrMemory:
		w.x.reach(LimitLarge)
	default:
		w.x.reach(LimitUnreadable)
	}
}

// sevenZipMembers examines what the header tells of.
func (w *walk) sevenZipMembers(f file, header []byte, packed *held) {
	h := sevenzip.Parse(header)
	for range 3 { // a packed header may hold a packed one
		if !h.Packed {
			break
		}
		if h.Streams.Encrypted() {
			w.found.encrypted = true
			return
		}
		h = sevenzip.Parse(w.sevenZipHeader(&sevenZipUnpacker{w: w, packed: packed, streams: &h.Streams}))
	}
	if h.Packed || h.Damaged {
		w.x.reach(LimitUnreadable)
	}
	u := &sevenZipUnpacker{w: w, packed: packed, streams: &h.Streams}
	defer u.close()
	for _, m := range h.Members {
		if w.x.halted() || !w.sevenZipMember(f, m, u) {
			return
		}
	}
}

// sevenZipHeader unpacks a header, which is all that its streams hold; nil if it can't be had.
func (w *walk) sevenZipHeader(u *sevenZipUnpacker) []byte {
	defer u.close()
	body, size, _ := u.next()
	if body == nil || size > sevenZipHeader {
		return nil
	}
	header := make([]byte, size)
	if _, err := io.ReadFull(body, header); err != nil {
		return nil
	}
	return header
}

// sevenZipMember examines one member; false when there were too many.
func (w *walk) sevenZipMember(f file, m sevenzip.Member, u *sevenZipUnpacker) bool {
	if m.Empty {
		return w.member(f, false, nil, m.Name)
	}
	body, size, encrypted := u.next()
	if body == nil {
		return w.member(f, encrypted, nil, m.Name)
	}
	one := io.LimitReader(body, size)
	ok := w.member(f, false, one, m.Name)
	w.copy(nil, one)
	return ok
}
