package content

import (
	"errors"
	"sync/atomic"
	"time"
)

// Limits bound what one message may cost. A zero member means the default. Reaching one is a fact
// of the [Result], not an error: the rest is examined as far as the limit lets it.
type Limits struct {
	Depth    int           // nesting of multiparts, messages and archives (default 20)
	Parts    int           // parts and members of archives (default 2,000)
	Header   int           // octets of one header field that are looked at (default 64 KiB)
	Expanded int64         // octets unpacked from archives and compressed documents (default 256 MiB)
	Ratio    int           // expansion of one archive member, from 1 MiB on (default 200)
	Time     time.Duration // working time, waiting for the MTA not counted (default 20 s)
	Chunk    time.Duration // working time in one call of Body, what is left is done in later calls (default 3 s)
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.Depth, 20)
	setDefault(&l.Parts, 2000)
	setDefault(&l.Header, 64<<10)
	setDefault(&l.Expanded, 256<<20)
	setDefault(&l.Ratio, 200)
	setDefault(&l.Time, 20*time.Second)
	setDefault(&l.Chunk, 3*time.Second) // the MTA may wait ten, and one step of the walk can take one
	return l
}

func setDefault[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// Limit names a limit that was reached.
type Limit string

// The limits that a Result may name.
const (
	LimitDepth    Limit = "depth"    // parts nested deeper were read as plain text
	LimitParts    Limit = "parts"    // further parts were read as plain text, further members not at all
	LimitHeader   Limit = "header"   // a header field was cut
	LimitExpanded Limit = "expanded" // an archive was not unpacked to its end
	LimitRatio    Limit = "ratio"    // an archive member expands too much to be honest
	LimitTime     Limit = "time"     // the rest of the message was not looked at
	LimitMarkup   Limit = "markup"   // a single HTML tag or comment was longer than 64 KiB
	LimitTree     Limit = "tree"     // HTML was too long or too deep for a tree, and was read as it came
	LimitStyle    Limit = "style"    // style sheets were too much to be followed to the end
	LimitHidden   Limit = "hidden"   // more hidden text than is kept
	LimitLarge    Limit = "large"    // an archive asks for more memory than one may have

	LimitNames    Limit = "names"    // a part has more than 64 names, or a field 256 parameters that matter
	LimitReadings Limit = "readings" // mail readers may read a part in more ways than were tried
	LimitBoundary Limit = "boundary" // a multipart has text but no boundary that is met

	LimitUnreadable Limit = "unreadable" // an archive or a member is damaged, or packed in a way that is not known
)

// ErrMemory means that all examinations together have used up the memory of their Budget: "could
// not tell".
var ErrMemory = errors.New("content: the memory for examinations is used up")

// Budget is the memory that all examinations share. It is safe for concurrent use.
type Budget struct {
	size int64
	used atomic.Int64
}

// DefaultBudget is used where none is given: 256 MiB.
const DefaultBudget = 256 << 20

// NewBudget makes a budget of size octets.
func NewBudget(size int64) *Budget { return &Budget{size: size} }

// Used is the octets held now.
func (b *Budget) Used() int64 { return b.used.Load() }

// take reserves n octets, or says that there are not so many.
func (b *Budget) take(n int) bool { return b.takeUpTo(n, b.size) }

// takeSpare reserves n octets as long as half of the budget is left.
func (b *Budget) takeSpare(n int) bool { return b.takeUpTo(n, b.size/2) }

func (b *Budget) takeUpTo(n int, most int64) bool {
	if b.used.Add(int64(n)) <= most {
		return true
	}
	b.used.Add(-int64(n))
	return false
}

func (b *Budget) give(n int) { b.used.Add(-int64(n)) }
