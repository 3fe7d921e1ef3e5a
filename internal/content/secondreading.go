package content

import (
	"bytes"
	"io"
	"iter"

	"mailweir/internal/content/source"
)

// Some files are two things at once: a text that begins like an archive, a message without the type
// of one, a text with an archive behind it. What a person sees depends on the program that opens
// them, so they are read in both ways.

// secondReading reads a file once more while it is read, piece by piece: the file is held nowhere.
// It is a coroutine as the walk itself is (see Examination), and takes part in nothing that the
// first reading has open.
type secondReading struct {
	w      *walk
	tally  tally
	piece  []byte
	ended  bool
	hungry bool // it waits for the next piece; otherwise it rests because an answer is due
	done   bool
	yield  func(struct{}) bool
	resume func() (struct{}, bool)
}

// secondReading starts one. Each octet that it gets counts as unpacked, so that readings within
// readings come to an end.
func (w *walk) secondReading(read func(w *walk, in *source.Reader)) *secondReading {
	s := &secondReading{w: &walk{x: w.x, totals: w.totals, again: true, place: w.place}, tally: tally{hits: hits{}}}
	s.resume, _ = iter.Pull(func(yield func(struct{}) bool) {
		s.yield = yield
		if s.w.borrow(fileMemory) {
			defer s.w.giveBack(fileMemory)
			read(s.w, source.New(s))
		}
		s.close()
	})
	return s
}

// close ends its text; the offsets in it mean nothing to others.
func (s *secondReading) close() {
	x := s.w.x
	x.flush()
	x.release()
	for _, h := range x.hits {
		h.next = [sectionCount]int64{}
	}
}

// Read gives the second reading its next piece.
func (s *secondReading) Read(p []byte) (int, error) {
	for len(s.piece) == 0 {
		if s.ended {
			return 0, io.EOF
		}
		s.hungry = true
		s.yield(struct{}{})
	}
	if s.w.x.halted() {
		return 0, errStopped
	}
	n := copy(p, s.piece)
	s.piece = s.piece[n:]
	return n, nil
}

// take gives a piece and returns when it is read.
func (s *secondReading) take(piece []byte) {
	if s.done {
		return
	}
	if s.w.expanded >= s.w.x.examiner.limits.Expanded {
		s.w.x.reach(LimitExpanded)
		s.end()
		return
	}
	s.w.expanded += int64(len(piece))
	s.piece = piece
	s.run()
}

// run goes on until it is hungry or at its end. Where it must rest, whoever runs it does.
func (s *secondReading) run() {
	x := s.w.x
	outer, reading := x.feed.yield, x.reading
	for !s.done {
		x.feed.yield, x.reading, s.hungry = s.rest, s.w, false
		x.tally, s.tally = s.tally, x.tally
		_, running := s.resume()
		x.tally, s.tally = s.tally, x.tally
		x.feed.yield, x.reading = outer, reading
		s.done = !running
		if s.done || s.hungry {
			return
		}
		x.feed.rest()
	}
}

func (s *secondReading) rest(struct{}) bool { return s.yield(struct{}{}) }

// end lets it read to the end of what it has got.
func (s *secondReading) end() {
	if !s.done {
		s.ended = true
		s.run()
	}
}

// listener reads a file and lets others hear it.
type listener struct {
	r     io.Reader
	hears []hearer
}

// hearer is a second reading, or what may become one.
type hearer interface {
	take(piece []byte)
	end()
}

// add lets h hear what is read from now on, after ahead, which has been read.
func (l *listener) add(h hearer, ahead []byte) {
	l.hears = append(l.hears, h)
	h.take(ahead)
}

func (l *listener) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if n > 0 {
		for _, h := range l.hears {
			h.take(p[:n])
		}
	}
	return n, err
}

// end ends all readings. It may be called more than once.
func (l *listener) end() {
	for _, h := range l.hears {
		h.end()
	}
}

// zipFinder waits for a ZIP archive in a file that is read as something else.
type zipFinder struct {
	start   func() *secondReading
	reading *secondReading
	tail    []byte // the last octets, which may begin a signature
}

func (z *zipFinder) take(piece []byte) {
	if z.reading != nil {
		z.reading.take(piece)
		return
	}
	const overlap = len(zipLocal) - 1
	border := append(z.tail, piece[:min(overlap, len(piece))]...)
	if i := bytes.Index(border, []byte(zipLocal)); i >= 0 {
		z.reading = z.start()
		z.reading.take(border[i:len(z.tail)])
		z.reading.take(piece)
		return
	}
	if i := bytes.Index(piece, []byte(zipLocal)); i >= 0 {
		z.reading = z.start()
		z.reading.take(piece[i:])
		return
	}
	if len(piece) >= overlap {
		border = piece
	}
	z.tail = append(z.tail[:0], border[max(0, len(border)-overlap):]...)
}

func (z *zipFinder) end() {
	if z.reading != nil {
		z.reading.end()
	}
}
