package importing

import (
	"fmt"
	"strconv"
)

// Fate is what becomes of a line of the old configuration.
type Fate string

// Fates of lines.
const (
	// Carried: mailweir does the same.
	Carried Fate = "carried"
	// Changed: mailweir does what is meant in another way, or a part of it.
	Changed Fate = "changed"
	// Left: mailweir does nothing of it.
	Left Fate = "left"
)

// Place is where a line stands. Line is 0 where the whole file is meant.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
}

func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// Item accounts for a line, or for one word of a line that has several.
type Item struct {
	Fate Fate `json:"fate"`
	Place
	// Text is what stands there, as short as it can be recognised: one line of the file, or the
	// word with its argument. Of a secret see Result.Secrets.
	Text string `json:"text"`
	// Reason says what mailweir does, or why it does nothing: a sentence without its full stop.
	Reason string `json:"reason"`
}

// Flag is a line for 40-import.conf.
type Flag struct {
	// Name is that of the flag without hyphens in front, Value what stands behind "=".
	Name, Value string
	// From are the lines that it comes from; a place without a line stands for all lines of the
	// file.
	From []Place
	// Off is why the line is only proposed and stands there as a comment, "" for one that counts.
	Off string
}

// File is a file of the directory imported.
type File struct {
	// Name is a plain file name. It begins with the name of its source, so that no two sources
	// write the same one.
	Name string
	// Text is all that stands in it. A comment in front of it says who has written it, unless it is
	// Bare: then there is none, as where # begins no comment.
	Text string
	Bare bool
	// Secret files are for root and the service alone; others for everybody.
	Secret bool
}

// Double is a setting of Postfix that asks what mailweir asks, too, once what was imported is
// enforced.
type Double struct {
	// Service is the key of the service that overrides the parameter (smtp/inet), "" for main.cf.
	Service, Parameter string
	// Words are those of its value that can go, in their order and as they stand there, such as
	// reject_rbl_client and its zone. None: the parameter as a whole.
	Words []string
	// Instead is the value that the parameter gets in place of the whole, "" for none.
	Instead string
}

// Result is what a source has made of what it has read.
type Result struct {
	Items   []Item
	Flags   []Flag
	Files   []File
	Doubles []Double
	// Secrets are words of the old configuration that must not be shown, such as customers' keys.
	// The parameters of tables, which may have a password, are hidden without being named here.
	Secrets []string
	// Notes are sentences for the person who imports, about more than a line.
	Notes []string
	// Memory is what goes into the state, nil for nothing.
	Memory *Memory
}

// Carried, Changed and Left account for a line.
func (r *Result) Carried(at Place, text, reason string, args ...any) {
	r.item(Carried, at, text, reason, args)
}

// Changed accounts for a line of which mailweir makes something else.
func (r *Result) Changed(at Place, text, reason string, args ...any) {
	r.item(Changed, at, text, reason, args)
}

// Left accounts for a line of which mailweir makes nothing.
func (r *Result) Left(at Place, text, reason string, args ...any) {
	r.item(Left, at, text, reason, args)
}

func (r *Result) item(fate Fate, at Place, text, reason string, args []any) {
	r.Items = append(r.Items, Item{fate, at, text, fmt.Sprintf(reason, args...)})
}

// Flag adds a line to 40-import.conf.
func (r *Result) Flag(name, value string, from ...Place) {
	r.Flags = append(r.Flags, Flag{Name: name, Value: value, From: from})
}

// Note adds a sentence.
func (r *Result) Note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}
