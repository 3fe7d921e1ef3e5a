package content

import (
	"io"

	"mailweir/internal/content/rar4"
	"mailweir/internal/content/source"

	"github.com/nwaples/rardecode/v2"
)

const rar5Mark = "Rar!\x1a\x07\x01\x00"

// rar examines a RAR archive.
func (w *walk) rar(f file, in *source.Reader) {
	switch head, _ := in.Peek(len(rar5Mark)); {
	case hasPrefix(head, rar5Mark):
		w.rar5(f, in)
	case hasPrefix(head, rar4.Mark):
		w.rar4(f, in)
	default:
		w.x.reach(LimitUnreadable)
	}
}

// rarDictionary is the largest dictionary of an archive that is unpacked; one that is larger than
// its member is never needed. rarMemory is what unpacking may take in all.
const (
	rarDictionary = 8 << 20
	rarMemory     = 2 * rarDictionary
)

// rar5 examines an archive of format 5.
func (w *walk) rar5(f file, in *source.Reader) {
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
		if !h.IsDir && !w.member(f, encrypted, body, h.Name) {
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

// rar4 lists an archive of the formats 1.5 to 4, and examines members that are not compressed. The
// others are not unpacked: that can take 256 MiB of memory, as the sender likes.
func (w *walk) rar4(f file, in *source.Reader) {
	archive := rar4.NewReader(in)
	for !w.x.halted() {
		m, err := archive.Next()
		switch {
		case err == rar4.ErrEncrypted:
			w.found.encrypted = true
			return
		case err == rar4.ErrDamaged:
			w.x.reach(LimitUnreadable)
			return
		case err != nil:
			return
		}
		if !w.rar4Member(f, m, io.LimitReader(in, m.Packed)) {
			return
		}
	}
}

func (w *walk) rar4Member(f file, m rar4.Member, body io.Reader) bool {
	var content io.Reader
	if m.Stored && !m.Encrypted {
		content = body
	} else if !m.Encrypted {
		w.x.reach(LimitUnreadable)
	}
	ok := w.member(f, m.Encrypted, content, m.Name)
	w.copy(nil, body)
	return ok
}
