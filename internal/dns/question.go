package dns

import (
	"strings"

	miekg "github.com/miekg/dns"
)

// Type is the type of records that a [Question] asks for (RFC 1035 section 3.2.2).
type Type uint16

// The types that lists and SPF need.
const (
	A    = Type(miekg.TypeA)
	AAAA = Type(miekg.TypeAAAA)
	TXT  = Type(miekg.TypeTXT)
	MX   = Type(miekg.TypeMX)
	PTR  = Type(miekg.TypePTR)
)

// String is the name of the type as in a zone file.
func (t Type) String() string { return miekg.Type(t).String() }

// Question is one question to the DNS. It can be printed; a key in the name that is really asked
// ([Question.AskedAs]) does not show.
type Question struct {
	Name string // lower case, without the trailing dot
	Type Type

	// wire is the name that is really asked, where that holds a key. It is behind a pointer because
	// package fmt prints unexported strings.
	wire *string
}

// NewQuestion asks for the records of one type at a name; case and a trailing dot do not matter.
// The name is as it is, not escaped as in a zone file: a label may hold any octets but dots.
func NewQuestion(t Type, name string) Question {
	return Question{Name: lowerASCII(strings.TrimSuffix(name, ".")), Type: t}
}

// AskedAs is the question as it is printed, about another name on the wire: one that holds a key,
// which must not show. The name is in lower case, without the trailing dot.
func (q Question) AskedAs(name string) Question {
	q.wire = &name
	return q
}

// String is the printable form, `A 2.0.0.127.zen.spamhaus.org`.
func (q Question) String() string { return q.Type.String() + " " + q.Name }

// GoString keeps %#v as harmless as String.
func (q Question) GoString() string { return "dns.Question(" + q.String() + ")" }

func (q Question) wireName() string {
	if q.wire != nil {
		return *q.wire
	}
	return q.Name
}
