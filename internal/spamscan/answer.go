package spamscan

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Action is what a scanner wants done with a message.
type Action uint8

const (
	Nothing  Action = iota // deliver it
	Greylist               // it would be greylisted, if that had not been done or turned off
	Tag                    // deliver it, marked as spam
	Reject                 // refuse it, or keep it from the reader in another way
	Defer                  // have the client try again
	Other                  // an action that is not known here: deliver it
)

// Answer is what a scanner says of a message.
type Answer struct {
	Action Action
	// Said is the action in the scanner's own words.
	Said string
	// Score and Required are the message's score and the one from which on the scanner refuses or
	// marks it. NaN is none.
	Score, Required float64
	// Symbols are the rules that hit, as they came.
	Symbols []Symbol
	// Text is what the scanner would have the client read, "" for nothing.
	Text string
	// Add and Remove are changes of the header that the scanner asks for. What is removed is
	// removed from the message as it was shown.
	Add    []Field
	Remove []Removal
	// Left names what the scanner asked for and does not get, such as another recipient.
	Left []string
}

// Symbol is a rule that hit. What it matched is not kept.
type Symbol struct {
	Name  string
	Score float64
}

// Field is a header field to be added.
type Field struct {
	Name, Value string
	// Ordered says that Order counts: fields above it in the message, negative from the end; -1 is
	// the end itself.
	Ordered bool
	Order   int
}

// Removal takes out the nth field of a name, counted from 1, or from the end if negative; 0 takes
// out all.
type Removal struct {
	Name string
	Nth  int
}

// Heaviest returns the symbols, those with most to say first; those that say nothing come last.
func (a *Answer) Heaviest() []Symbol {
	list := slices.Clone(a.Symbols)
	slices.SortStableFunc(list, func(x, y Symbol) int {
		return cmp.Or(cmp.Compare(math.Abs(y.Score), math.Abs(x.Score)), cmp.Compare(x.Name, y.Name))
	})
	return list
}

// How many symbols an answer tells of.
const (
	fewSymbols  = 5
	manySymbols = 20
)

// String tells the answer in a few words: action, score, and the symbols that weigh most.
func (a *Answer) String() string { return a.describe(fewSymbols) }

// Whole tells more of the symbols.
func (a *Answer) Whole() string { return a.describe(manySymbols) }

func (a *Answer) describe(most int) string {
	var b strings.Builder
	b.WriteString(a.Said)
	if !math.IsNaN(a.Score) {
		b.WriteString(", score " + Number(a.Score))
		if !math.IsNaN(a.Required) {
			b.WriteString(" of " + Number(a.Required))
		}
	}
	symbols, separator := a.Heaviest(), ": "
	for _, s := range symbols[:min(len(symbols), most)] {
		b.WriteString(separator + s.Name)
		if !math.IsNaN(s.Score) {
			b.WriteString(" " + Number(s.Score))
		}
		separator = ", "
	}
	if more := len(symbols) - most; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	if len(a.Left) > 0 {
		b.WriteString("; not done: " + strings.Join(a.Left, ", "))
	}
	return b.String()
}

// Number writes a score with two digits behind the point at most.
func Number(score float64) string {
	text := strconv.FormatFloat(score, 'f', 2, 64)
	if text == "-0.00" {
		return "0"
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
