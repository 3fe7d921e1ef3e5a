package content

import (
	"iter"
	"strings"
)

// topField takes a field of the message's own header. For some readers it ends at a carriage return
// alone, and another field may stand behind it; others see one field, with a blank there.
func (w *walk) topField(name, value string) {
	w.field(&w.top, name, value)
	first := true
	for piece := range byCarriageReturn(value) {
		if first && len(piece) < len(value) {
			w.top.set(name, unfold(piece))
		}
		if name, value, ok := strings.Cut(piece, ":"); ok && !first {
			w.top.perhaps()
			w.field(&w.top, name, value)
		}
		first = false
	}
}

// byCarriageReturn yields what stands between carriage returns that no line feed follows.
func byCarriageReturn(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		begin := 0
		for i := 0; i < len(s); i++ {
			if s[i] == '\r' && i+1 < len(s) && s[i+1] != '\n' {
				if !yield(s[begin:i]) {
					return
				}
				begin = i + 1
			}
		}
		yield(s[begin:])
	}
}

// perhaps says that some readers do not see the fields that follow: what is not said so far is a
// reading, too.
func (h *partHeader) perhaps() {
	if len(h.types) == 0 {
		h.addType(mediaType{h.mediaType, h.params})
	}
	if len(h.encodings) == 0 {
		h.encodings = h.addReading(h.encodings, identityEncoding)
	}
	if len(h.dispositions) == 0 {
		h.dispositions = h.addReading(h.dispositions, "inline")
	}
}
