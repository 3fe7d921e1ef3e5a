package content

import (
	"bytes"
	"io"
)

// held is the last octets of a stretch of a file that must be read in another order than it comes.
// It takes memory as they come, from the half of the budget that is for archives.
type held struct {
	budget *Budget
	pieces [][]byte // all but the last are full
	first  int64    // offset of the first piece
	size   int64    // of all that has come
}

const heldPiece = 128 << 10

// hold reads n octets and keeps the last of them, most at most and fewer if there is no memory for
// them. The caller must call release.
func (w *walk) hold(r io.Reader, n int64, most int) (*held, error) {
	h := &held{budget: w.x.examiner.pool.budget}
	r = io.LimitReader(r, n)
	for h.size < n {
		piece := h.piece(most)
		if piece == nil {
			return h, ErrMemory
		}
		got, err := io.ReadFull(r, piece[:min(heldPiece, n-h.size)])
		h.pieces = append(h.pieces, piece[:got])
		h.size += int64(got)
		if err != nil {
			return h, err
		}
	}
	return h, nil
}

// piece is an empty one, if need be the oldest.
func (h *held) piece(most int) []byte {
	if len(h.pieces)*heldPiece < most && h.budget.takeSpare(heldPiece) {
		return make([]byte, heldPiece)
	}
	if len(h.pieces) == 0 {
		return nil
	}
	oldest := h.pieces[0][:heldPiece]
	h.pieces = append(h.pieces[:0], h.pieces[1:]...)
	h.first += heldPiece
	return oldest
}

func (h *held) release() {
	h.budget.give(len(h.pieces) * heldPiece)
	h.pieces = nil
}

// section reads n octets from an offset on, and is nil if they are not held.
func (h *held) section(at, n int64) io.Reader {
	if at < h.first || n < 0 || n > h.size-at {
		return nil
	}
	var list []io.Reader
	at -= h.first
	for _, piece := range h.pieces[min(at/heldPiece, int64(len(h.pieces))):] {
		piece = piece[at%heldPiece:]
		list = append(list, bytes.NewReader(piece))
		at = 0
	}
	return io.LimitReader(io.MultiReader(list...), n)
}
