package content

// Alternatives (RFC 2046 section 5.1.4) say one thing in several forms, and a mail reader shows one
// of them. So each entry counts as often as in the alternative that has it most often, and what
// only one of them says is said.

// hits is what the entries have come to, in a message or in one alternative.
type hits map[int32]*hit

// hitMemory is what one of them takes.
const hitMemory = 256

// choice is a multipart/alternative while its parts come.
type choice struct {
	x     *Examination
	outer hits // what was counted before
	best  hits // of each entry, from the alternative that has it most often

	watch *watch // whose count stands still meanwhile, nil for none
	part  int    // of the watch, when the alternatives began
	seen  map[int32]int
}

// choose begins a multipart/alternative.
func (x *Examination) choose() *choice {
	x.flush()
	c := &choice{x: x, outer: x.hits, best: hits{}, watch: x.watched}
	x.hits = hits{}
	if t := c.watch; t != nil {
		c.part, c.seen = t.parts, t.hits
		t.hits = nil
	}
	return c
}

// next ends one alternative.
func (c *choice) next() {
	if c == nil {
		return
	}
	c.x.flush()
	for entry, h := range c.x.hits {
		best := c.best[entry]
		if best == nil || h.count > best.count {
			c.best[entry] = h
		}
		if best != nil {
			c.x.dropHit()
		}
	}
	c.x.hits = hits{}
}

// end adds what the alternatives came to.
func (c *choice) end() {
	c.next()
	c.x.hits = c.outer
	if t := c.watch; t != nil && t.parts == c.part {
		t.hits = c.seen
		for entry, h := range c.best {
			t.saw(entry, h.count)
		}
	}
	c.x.add(c.best)
}

// add counts what a part of the message came to that was read apart.
func (x *Examination) add(more hits) {
	for entry, h := range more {
		before := x.hits[entry]
		if before == nil {
			x.hits[entry] = h
			continue
		}
		before.add(h)
		x.dropHit()
	}
}

func (h *hit) add(other *hit) {
	h.count += other.count
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.texts = append(h.texts, other.texts[:min(len(other.texts), maxKept-len(h.texts))]...)
}

// newHit makes the hit of an entry, nil without memory for it: those of ten thousand entries, in
// alternatives within alternatives, take some.
func (x *Examination) newHit(entry int32) *hit {
	if !x.examiner.pool.budget.take(hitMemory) {
		x.fail(ErrMemory)
		return nil
	}
	x.lent += hitMemory
	h := &hit{}
	x.hits[entry] = h
	return h
}

func (x *Examination) dropHit() {
	x.examiner.pool.budget.give(hitMemory)
	x.lent -= hitMemory
}

// flush matches all text that has come, so that what is found later belongs to another alternative.
func (x *Examination) flush() {
	for _, s := range x.sinks {
		if s != nil {
			s.window.flush()
		}
	}
}
