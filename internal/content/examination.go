package content

import (
	"bytes"
	"iter"
	"slices"
	"strings"
	"time"

	"mailweir/internal/content/fold"
)

// Examination is the examination of one message. It is used by one goroutine at a time.
//
// The walk over the message is written as if it read the message; it runs as a coroutine
// (iter.Pull) that rests whenever it needs a chunk that has not come yet, or when a chunk takes too
// long. So nothing of the message waits in memory as a rule, and nothing runs between two calls.
type Examination struct {
	examiner *Examiner
	needs    Needs
	all      Sections // what is examined: those of all definitions, or none
	sums     sumKinds
	walk     walk
	totals   totals
	reading  *walk         // the one that runs: the walk over the message, or a second reading of a file
	tally                  // of what is being read: the message, an alternative, a second reading of a file
	tried    map[int32]int // occurrences of patterns, in all alternatives
	lent     int           // octets of memory for hits
	result   Result
	again    []int // numbers of the result's parts that a second reading has found
	nul      bool  // the body has NUL octets
	err      error
	feed     feed
	resume   func() (struct{}, bool)
	stop     func()
	closed   bool

	began   time.Time     // of the current call
	spent   time.Duration // by the calls before
	hurried bool          // the current call is to return soon
	late    bool          // the time limit is reached
}

// tally is the text that is read, by section, and what the entries have come to in it.
type tally struct {
	sinks [sectionCount]*sink
	hits  hits

	watched *watch // which wants to know of occurrences, nil for none
}

// hit is what an entry has come to so far.
type hit struct {
	count  int
	counts [sectionCount]int
	next   [sectionCount]int64 // offset where the last occurrence ended: occurrences don't overlap
	texts  []string
}

// maxKept is how many matched texts of an entry are kept when asked for.
const maxKept = 10

// Header takes one header field, in order, before the first call of Body. Folded values may hold LF
// or CRLF. Nothing is kept of a field but what it says about the body, so there may be any number.
func (x *Examination) Header(name, value string) {
	if x.ignores(name, value) {
		return
	}
	x.enter()
	defer x.leave()
	if !x.halted() {
		x.walk.topField(name, value)
	}
}

// ignores tells most fields, in which nothing is looked for: they are no Subject that is read, say
// nothing about the body, are examined whole, and no reader takes them for several.
func (x *Examination) ignores(name, value string) bool {
	if x.all&Headers != 0 || strings.ContainsRune(name, 0) || len(value) > x.examiner.limits.Header || strings.ContainsRune(value, '\r') {
		return false
	}
	name = strings.TrimSpace(name)
	return !saysOfBody(name) && (x.unread() || !strings.EqualFold(name, "subject"))
}

// unread reports whether nobody reads any text of the message: what is to be known is whether it is
// whole.
func (x *Examination) unread() bool { return x.all == 0 && x.needs == 0 }

// Body takes a piece of the body, cut anywhere. If there is more work in it than Limits.Chunk
// allows, the call returns and the work goes on in later calls; only then the rest of the piece is
// kept.
func (x *Examination) Body(chunk []byte) {
	if x.closed || x.err != nil || x.late {
		return
	}
	x.enter()
	defer x.leave()
	if bytes.IndexByte(chunk, 0) >= 0 {
		x.nul = true
	}
	x.start()
	x.feed.add(chunk)
	x.hurried = true
	x.resume()
	x.hurried = false
	x.feed.keep()
}

// start makes the coroutine that walks over the body.
func (x *Examination) start() {
	if x.resume != nil {
		return
	}
	x.resume, x.stop = iter.Pull(func(yield func(struct{}) bool) {
		x.feed.yield = yield
		lines := x.examiner.takeLines(&x.feed)
		defer x.examiner.lines.Put(lines)
		x.walk.message(&x.walk.top, lines, 0)
	})
}

// Finish ends the message and tells what was found, or why it could not be examined.
func (x *Examination) Finish() (*Result, error) {
	x.enter()
	defer x.leave()
	x.start()
	x.feed.ended = true
	for running := true; running; {
		_, running = x.resume()
	}
	x.feed.keep()
	for _, s := range x.sinks {
		if s != nil {
			s.window.finish()
		}
	}
	if x.err != nil {
		return nil, x.err
	}
	if x.nul {
		x.symptom(SymptomNUL)
	}
	x.result.Outcomes = x.score()
	x.dropRepeated()
	return &x.result, nil
}

// Close gives the memory back. It may be called at any time, and more than once; the Result stays
// valid.
func (x *Examination) Close() {
	if x.closed {
		return
	}
	x.closed = true
	if x.stop != nil {
		x.feed.ended = true
		x.stop()
	}
	x.feed.keep()
	x.release()
	x.examiner.pool.budget.give(x.lent)
	x.lent = 0
}

// release gives the buffers back.
func (t *tally) release() {
	for _, s := range t.sinks {
		if s != nil {
			s.window.release()
		}
	}
}

// sink folds the text of one section into its window.
type sink struct {
	folder *fold.Writer
	window window
}

// sink gives the place where text of a section goes, nil when no definition examines it.
func (x *Examination) sink(section Sections) *sink {
	if x.all&section == 0 {
		return nil
	}
	i := section.index()
	if x.sinks[i] == nil {
		x.sinks[i] = x.newSink(section)
	}
	return x.sinks[i]
}

func (x *Examination) newSink(section Sections) *sink {
	s := &sink{window: window{pool: x.examiner.pool, section: section, match: x.match}}
	s.folder = fold.NewWriter(func(p []byte) {
		s.window.write(p)
		if s.window.failed {
			x.fail(ErrMemory)
		}
	})
	return s
}

// index is the number of a single section.
func (s Sections) index() int {
	i := 0
	for s > 1 {
		s >>= 1
		i++
	}
	return i
}

// Write adds text.
func (s *sink) Write(p []byte) (int, error) {
	if s == nil {
		return len(p), nil
	}
	return s.folder.Write(p)
}

// put adds text.
func (s *sink) put(p []byte) { _, _ = s.Write(p) }

// WriteString adds text.
func (s *sink) WriteString(text string) {
	_, _ = s.Write([]byte(text))
}

// end ends one text of the section: no phrase goes on in the next one.
func (s *sink) end() {
	if s != nil {
		s.folder.Barrier()
	}
}

// match is called by a window with text that begins in [from, to) and has not been matched.
func (x *Examination) match(w *window, from, to int) {
	if x.closed || x.err != nil {
		return
	}
	text := *w.buf
	e := x.examiner
	e.words.Find(text, from, to, func(entry int32, start, end int) {
		x.occurrence(entry, w, text[start:end], w.base+int64(start))
	})
	if w.words && !e.quoted {
		return
	}
	err := e.patterns.Find(text, from, to, x.halted, func(entry int32, start, end int) bool {
		x.occurrence(entry, w, text[start:end], w.base+int64(start))
		return !x.enough(entry)
	})
	if err != nil {
		x.fail(err)
	}
}

// maxCount is how often a pattern is counted in one message or alternative, maxTried how often in
// all alternatives together. Unlike words, the occurrences of patterns cost time each.
const (
	maxCount = 1000
	maxTried = 20 * maxCount
)

func (x *Examination) enough(entry int32) bool {
	h := x.hits[entry]
	return h != nil && h.count >= maxCount || x.tried[entry] >= maxTried
}

// occurrence counts a match, unless it overlaps the entry's last one.
func (x *Examination) occurrence(entry int32, w *window, text []byte, start int64) {
	e, kind := x.examiner, x.examiner.entries[entry].Kind
	switch {
	case e.scan[entry]&w.section == 0,
		w.words && (kind.pattern() || kind.excludes()), w.unshown && kind.excludes(),
		kind == CardNumber && !cardNumber(text):
		return
	}
	i := w.section.index()
	if h := x.hits[entry]; h != nil && start < h.next[i] {
		return
	}
	if kind.pattern() {
		if x.enough(entry) {
			return
		}
		x.tried[entry]++
	}
	if h := x.count(entry, w.section, text); h != nil {
		h.next[i] = start + int64(len(text))
	}
}

func (x *Examination) count(entry int32, section Sections, text []byte) *hit {
	h := x.hits[entry]
	if h == nil {
		if h = x.newHit(entry); h == nil {
			return nil
		}
	}
	x.watched.saw(entry, 1)
	h.count++
	h.counts[section.index()]++
	if x.examiner.keep && len(h.texts) < maxKept {
		h.texts = append(h.texts, string(text))
	}
	return h
}

// maxReached bounds the places that a result names, unless the limit is a new one: an archive may
// hold thousands of damaged members.
const maxReached = 20

// reach notes a limit, and in which file it was reached.
func (x *Examination) reach(limit Limit) {
	known := slices.Contains(x.result.Limits, limit)
	if !known {
		x.result.Limits = append(x.result.Limits, limit)
	}
	at := Reached{Limit: limit, File: x.reading.place}
	if !known || len(x.result.Reached) < maxReached && !slices.Contains(x.result.Reached, at) {
		x.result.Reached = append(x.result.Reached, at)
	}
}

// symptom notes a sign of damage; after a stop the missing rest is our own doing, and what looks
// damaged in a second reading need not be.
func (x *Examination) symptom(s Symptom) {
	if !x.late && !x.closed && !x.reading.again && !slices.Contains(x.result.Symptoms, s) {
		x.result.Symptoms = append(x.result.Symptoms, s)
	}
}
