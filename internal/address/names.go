package address

import (
	"iter"

	"mailweir/internal/encodedword"
)

// Names yields what a reader sees in the fields besides the addresses of the authors, in every
// reading of encoded words: display names with what is quoted in them, comments in their brackets,
// names of groups. It is one text a field. A mailbox that has an address in angle brackets ends
// with a semicolon, another one with what it is written with. Last, behind a semicolon each, come
// what stands between angle brackets: it need not be an address. The same text may come more than
// once.
func (f From) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, value := range f.values {
			if !yieldNames(value, yield) {
				return
			}
			if encodedword.Holds(value, `<>(),;:[]"`) && !yieldNames(encodedword.Decode(value), yield) { // as in takeApart
				return
			}
		}
	}
}

func yieldNames(value string, yield func(string) bool) bool {
	var s nameScanner
	for _, reading := range encodedword.Readings(s.scan(value)) {
		if !yield(reading) {
			return false
		}
	}
	return true
}

// nameScanner takes what is shown out of a field. fromScanner goes through it in the same way and
// takes the addresses.
type nameScanner struct {
	names  []byte
	angles []byte // what stands between angle brackets
	open   bool   // such a bracket is open
	closed bool   // the current mailbox has had one
}

func (s *nameScanner) scan(value string) string {
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '"':
			i += s.quoted(value[i:])
		case c == '\\' && i+1 < len(value):
			i++
			s.text(value[i])
		case c == '<':
			s.open, s.closed = true, true
			s.angles = append(s.angles, ';')
			s.names = append(s.names, ' ')
		case c == '>':
			s.open = false
		case c == ',' && s.closed && !s.open:
			s.names = append(s.names, ';')
			s.closed = false
		default:
			s.text(c)
		}
	}
	return string(append(s.names, s.angles...))
}

func (s *nameScanner) text(c byte) {
	if s.open {
		s.angles = append(s.angles, c)
		return
	}
	s.names = append(s.names, c)
}

// quoted takes a quoted string, and returns how much more than its first octet that is. An unclosed
// one is text.
func (s *nameScanner) quoted(v string) int {
	quoted := quotedRun(v)
	if len(quoted) == len(v) && (len(v) < 2 || v[len(v)-1] != '"') {
		return 0
	}
	for i := 1; i < len(quoted)-1; i++ {
		if quoted[i] == '\\' {
			i++
		}
		s.text(quoted[i])
	}
	return len(quoted) - 1
}
