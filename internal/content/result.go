package content

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// Result is what an examination found.
type Result struct {
	Outcomes []Outcome // one for each definition, in the order given to NewExaminer
	Limits   []Limit   // limits reached, each once
	Reached  []Reached // the same with the files: all limits, and the first 20 places
	Symptoms []Symptom // signs that the message is not whole, each once
	Parts    []Part    // not text, attached, or in an archive; in order but where readings differ
	Hidden   int       // stretches of HTML text that a reader would not see
}

// Reached is a limit and the file in which it was reached: "" for the message itself, else as in
// [Part.Name].
type Reached struct {
	Limit Limit
	File  string
}

// String names the limit and the file; the sender chose the file's name, so it is quoted in ASCII.
func (r Reached) String() string {
	if r.File == "" {
		return string(r.Limit)
	}
	return fmt.Sprintf("%s in %+q", r.Limit, r.File)
}

// Fired lists the definitions that fire, in order.
func (r *Result) Fired() []*Definition {
	var fired []*Definition
	for _, o := range r.Outcomes {
		if o.Fired {
			fired = append(fired, o.Definition)
		}
	}
	return fired
}

// Outcome is what one definition came to. Direction and addresses are not looked at here: see
// [Definition.Applies].
type Outcome struct {
	Definition *Definition
	Score      int
	Fired      bool     // Score reached Activation, every required entry matched and no exclude entry did
	Hits       []Hit    // entries that matched, in the order of the file
	Missing    []*Entry // required entries that did not match
	Excluded   *Entry   // the first exclude entry that matched, nil for none
}

// Hit is an entry that matched. It never holds what matched, unless Options.KeepText asks for it.
type Hit struct {
	Entry    *Entry
	Count    int      // occurrences
	Added    int      // to the score: Count times the weight, up to the entry's max
	Sections Sections // where
	Texts    []string // the first matched texts, folded; only with Options.KeepText

	counts [sectionCount]int
}

// In is the number of occurrences in one section.
func (h *Hit) In(section Sections) int { return h.counts[section.index()] }

// Symptom is a sign that a message ended early or was damaged on its way (row T5).
type Symptom string

// The symptoms.
const (
	SymptomOpenMultipart Symptom = "multipart without its closing boundary"
	SymptomNoParts       Symptom = "multipart without any part"
	SymptomOpenHeader    Symptom = "message ended inside a part's header"
	SymptomEmptyMessage  Symptom = "attached message is empty"
	SymptomBase64        Symptom = "base64 cut short"
	SymptomNUL           Symptom = "NUL octets"
)

// Part is an attachment, another part that is not text, or a member of an archive.
type Part struct {
	Name       string // decoded, at most 255 octets; members are "archive.zip/member"
	Declared   string // media type of the Content-Type field, "" for members
	Real       string // media type by the first octets, "" when they could not be read
	Extension  string // of the name, lower case, with its dot; where it has none, that of the declared type
	Program    bool   // a program by its octets, whatever its name is
	Executable bool   // a program, by its octets or its extension
	Script     bool   // a script or a link, by its extension or its octets
	Macros     bool   // an office document with macros
	DiskImage  bool   // opened as a disk, by its octets or its extension
	OneNote    bool   // a notebook of OneNote, by its octets or its extension
	Encrypted  bool
	Size       int64  // octets after decoding
	MD5        string // lower case hexadecimal; if Sums were asked for
	SHA1       string
	SHA256     string
}

// score sums up the hits of every definition.
func (x *Examination) score() []Outcome {
	e := x.examiner
	outcomes := make([]Outcome, len(e.defs))
	matched := slices.Sorted(maps.Keys(x.hits)) // few, where definitions have thousands
	for i, def := range e.defs {
		o := &outcomes[i]
		o.Definition = def
		for _, number := range e.required[i] {
			if x.hits[number] == nil {
				o.Missing = append(o.Missing, e.entries[number])
			}
		}
		for ; len(matched) > 0 && matched[0] < e.first[i]+int32(len(def.Entries)); matched = matched[1:] {
			o.add(e.entries[matched[0]], x.hits[matched[0]])
		}
		o.Fired = o.Score >= def.Activation && len(o.Missing) == 0 && o.Excluded == nil
	}
	return outcomes
}

// maxScore keeps sums of hostile counts from wrapping round, also on 32 bits.
const maxScore = min(1<<40, math.MaxInt/2)

func (o *Outcome) add(entry *Entry, hit *hit) {
	added := int(min(int64(hit.count)*int64(entry.Weight), maxScore))
	if entry.Max > 0 {
		added = min(added, entry.Max)
	}
	if entry.Kind.excludes() {
		added = 0
		if o.Excluded == nil {
			o.Excluded = entry
		}
	}
	o.Score = min(o.Score+added, maxScore)
	noted := Hit{Entry: entry, Count: hit.count, Added: added, Texts: hit.texts, counts: hit.counts}
	for i, n := range hit.counts {
		if n > 0 {
			noted.Sections |= 1 << i
		}
	}
	o.Hits = append(o.Hits, noted)
}
