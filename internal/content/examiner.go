package content

import (
	"bufio"
	"fmt"
	"sync"
	"time"

	"mailweir/internal/content/fold"
	"mailweir/internal/content/match"
	"mailweir/internal/content/source"
)

// Options of an Examiner. The zero value is right for the milter.
type Options struct {
	Limits   Limits
	Budget   *Budget          // memory shared with other Examiners (those of an older policy); nil makes one of DefaultBudget
	KeepText bool             // keep matched texts in the Result: for a person at a terminal, never for a log
	Now      func() time.Time // nil is time.Now
}

// Examiner holds the definitions compiled together. It is immutable and safe for concurrent use.
type Examiner struct {
	defs     []*Definition
	first    []int32   // number of each definition's first entry among all entries
	required [][]int32 // numbers of each definition's entries of that kind
	entries  []*Entry
	scan     []Sections // per entry
	all      Sections   // what any definition examines
	words    match.Words
	patterns match.Patterns
	quoted   bool               // some words are searched for as patterns
	hashes   map[string][]int32 // digest to entries
	sums     sumKinds
	limits   Limits
	pool     *bufferPool
	lines    sync.Pool // *mimeReader of messages that have ended
	pages    sync.Pool // *[]byte of HTML that has been read
	buffers  sync.Pool // *bufio.Reader of texts that have been read
	keep     bool
	now      func() time.Time
}

// NewExaminer compiles definitions. Errors are `FILE:LINE: message`, or tell that all patterns
// together are too large. No definitions are allowed: then an examination tells parts, limits and
// symptoms only.
func NewExaminer(defs []*Definition, opts Options) (*Examiner, error) {
	if opts.Budget == nil {
		opts.Budget = NewBudget(DefaultBudget)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	e := &Examiner{
		defs: defs, limits: opts.Limits.withDefaults(), keep: opts.KeepText, now: opts.Now,
		pool: &bufferPool{budget: opts.Budget}, hashes: map[string][]int32{},
	}
	for _, def := range defs {
		e.first = append(e.first, int32(len(e.entries)))
		e.all |= def.Scan
		var required []int32
		for i := range def.Entries {
			entry := &def.Entries[i]
			if entry.Kind == Required {
				required = append(required, int32(len(e.entries)))
			}
			if err := e.add(int32(len(e.entries)), entry); err != nil {
				return nil, fmt.Errorf("%s: %w", entry.Position(), err)
			}
			e.entries = append(e.entries, entry)
			e.scan = append(e.scan, def.Scan)
		}
		e.required = append(e.required, required)
	}
	e.words.Build()
	return e, e.patterns.Build()
}

func (e *Examiner) add(number int32, entry *Entry) error {
	switch entry.Kind {
	case Regex, CardNumber, ExcludeRegex:
		return e.patterns.Add(number, entry.Text)
	case Hash:
		sum, err := parseHash(entry.Text)
		e.hashes[sum] = append(e.hashes[sum], number)
		e.sums.want(len(sum))
		return err
	}
	if folded := fold.Text(entry.Text); !e.words.Add(number, folded) {
		e.quoted = true
		return e.patterns.Add(number, match.Quote(folded))
	}
	return nil
}

// Needs says what an examination is for: what nobody needs is not looked at. Symptoms are told in
// any case.
type Needs uint8

const (
	// Text matches the definitions.
	Text Needs = 1 << iota
	// Files tells the Parts, and unpacks archives.
	Files
	// Sums tells the MD5, SHA-1 and SHA-256 of every Part.
	Sums
)

// takeBuffer lends a buffer of a reader; giveBuffer takes it back from a text that has been read.
func (e *Examiner) takeBuffer() *bufio.Reader {
	if b, ok := e.buffers.Get().(*bufio.Reader); ok {
		return b
	}
	return bufio.NewReaderSize(nil, source.Ahead)
}

func (e *Examiner) giveBuffer(b *bufio.Reader) {
	b.Reset(nil)
	e.buffers.Put(b)
}

// Begin starts the examination of one message. The caller must call Close, also after an error.
func (e *Examiner) Begin(needs Needs) *Examination {
	x := &Examination{examiner: e, needs: needs, tally: tally{hits: hits{}}, tried: map[int32]int{}}
	if needs&Text != 0 {
		x.all, x.sums = e.all, e.sums
	}
	if needs&Sums != 0 {
		x.sums = sumKinds{true, true, true}
	}
	x.walk.x, x.feed.x = x, x
	x.walk.totals, x.reading = &x.totals, &x.walk
	return x
}
