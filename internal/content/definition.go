package content

import (
	"fmt"
	"strings"
)

// Sections is a set of places of a message that a definition examines.
type Sections uint8

// The members of Sections, as `!scan` names them.
const (
	// Subject is the text of every Subject field, those of nested messages too.
	Subject Sections = 1 << iota
	// Body is the text of the parts that a mail reader shows: plain text, and what HTML shows.
	Body
	// HTML is the source of HTML parts with entities undone: tags, link targets, comments, hidden
	// text.
	HTML
	// Headers is every header field as "Name: value", of the message and of its parts.
	Headers
	// Attachments is the text found in attachments.
	Attachments
	// Filenames is the names of attachments and of the members of archives.
	Filenames
)

const sectionCount = 6

var sectionNames = [sectionCount]string{"subject", "body", "html", "headers", "attachments", "filenames"}

// DefaultSections is what a definition without `!scan` examines: what a person reads.
const DefaultSections = Subject | Body | Attachments | Filenames

// String gives the names as `!scan` takes them, separated by blanks.
func (s Sections) String() string {
	var names []string
	for i, name := range sectionNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// Action is what a definition that fires asks for (`!action`).
type Action string

// The actions. Tag and quarantine are milter actions; monitor only records.
const (
	Reject     Action = "reject"
	Defer      Action = "defer"
	Monitor    Action = "monitor"
	Tag        Action = "tag"
	Quarantine Action = "quarantine"
)

var actions = []Action{Reject, Defer, Monitor, Tag, Quarantine}

// Kind tells how the text of an entry is matched and what a match means.
type Kind uint8

// The kinds of entries.
const (
	Words        Kind = iota // whole words; each occurrence adds the weight
	Required                 // whole words that must occur for the definition to fire; they add their weight too
	Exclude                  // whole words that keep the definition from firing
	Regex                    // a regular expression in RE2 syntax
	CardNumber               // a regular expression whose match must be a payment card number (Luhn, ISO/IEC 7812-1)
	ExcludeRegex             // a regular expression that keeps the definition from firing
	Hash                     // MD5, SHA-1 or SHA-256 of an attachment or of a member of an archive
)

var kindNames = [...]string{"words", "required", "exclude", "regex", "regex,cardnumber", "regex,exclude", "hash"}

// String is the word of the definition format ("words" for an entry without one).
func (k Kind) String() string { return kindNames[k] }

// pattern tells the kinds that are regular expressions.
func (k Kind) pattern() bool { return k == Regex || k == CardNumber || k == ExcludeRegex }

// excludes tells the kinds that keep a definition from firing.
func (k Kind) excludes() bool { return k == Exclude || k == ExcludeRegex }

// Entry is one line of a definition.
type Entry struct {
	File   string // as opened, so an included file names itself
	Line   int    // from 1
	Weight int    // added by each occurrence
	Max    int    // most that this entry adds in one message; 0 is no limit
	Kind   Kind
	Text   string // as written
}

// Position is FILE:LINE, the only name of an entry in logs and events.
func (e *Entry) Position() string { return fmt.Sprintf("%s:%d", e.File, e.Line) }

// Definition is one definition file with what it includes.
type Definition struct {
	Name       string   // the file's name without directory and extension, never empty
	File       string   // as given
	Activation int      // the score from which it fires, at least 1
	Scan       Sections // DefaultSections unless said
	Directions []string // outbound, internal, inbound, relay; empty means all
	From, To   Scope    // empty means everyone
	Action     Action   // Reject unless said
	Entries    []Entry
}

// Applies says whether the definition is meant for mail of this direction, envelope sender and
// recipient. Addresses are in the form of address keys: unquoted, case folded, without `<>`; the
// null sender is "".
func (d *Definition) Applies(direction, from, to string) bool {
	return d.forDirection(direction) && d.From.covers(from) && d.To.covers(to)
}

func (d *Definition) forDirection(direction string) bool {
	if len(d.Directions) == 0 {
		return true
	}
	for _, one := range d.Directions {
		if one == direction {
			return true
		}
	}
	return false
}

// Scope is a list of address patterns: `user@dom`, `user@` (that user at any domain), `dom` (with
// its sub-domains), `.dom` (its sub-domains only), `<>` (the null sender).
type Scope []string

func (s Scope) covers(addr string) bool {
	if len(s) == 0 {
		return true
	}
	for _, pattern := range s {
		if coversAddress(pattern, addr) {
			return true
		}
	}
	return false
}

func coversAddress(pattern, addr string) bool {
	if pattern == "<>" {
		return addr == ""
	}
	at := strings.LastIndexByte(addr, '@')
	if at < 0 {
		return false
	}
	switch domain := addr[at+1:]; {
	case strings.HasSuffix(pattern, "@"):
		return addr[:at+1] == pattern
	case strings.Contains(pattern, "@"):
		return addr == pattern
	case strings.HasPrefix(pattern, "."):
		return strings.HasSuffix(domain, pattern)
	default:
		return domain == pattern || strings.HasSuffix(domain, "."+pattern)
	}
}
