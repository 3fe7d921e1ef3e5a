package content

import (
	"bufio"
	"io"

	"mailweir/internal/content/uuencode"
)

// plain examines plain text and the files that stand in it uuencoded (POSIX uuencode): some mail
// readers offer them as attachments.
func (w *walk) plain(r io.Reader, s *sink, depth int) {
	in := w.x.examiner.takeBuffer()
	defer w.x.examiner.giveBuffer(in)
	in.Reset(r)
	for start := true; ; {
		line, err := in.ReadSlice('\n')
		if name, ok := uuencode.Begin(line); start && ok && uuencode.Next(in) {
			w.uuFile(name, in, s, depth)
		} else {
			_, _ = s.Write(line)
		}
		start = err == nil
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// uuFile examines a file in plain text. What may no more belong to it is text, too.
func (w *walk) uuFile(name string, in *bufio.Reader, s *sink, depth int) {
	if w.parts++; w.parts > w.x.examiner.limits.Parts {
		w.x.reach(LimitParts)
		return
	}
	names := namesAsSaved(name)
	w.noteNames(names)
	r := uuencode.NewReader(in)
	r.Doubtful = func(line []byte) { _, _ = s.Write(line) }
	w.file(named(file{depth: depth + 1}, names), r)
}
