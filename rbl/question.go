package rbl

import (
	"strings"

	"github.com/miekg/dns"
)

// Type is the type of records that a [Question] asks for (RFC 1035 section 3.2.2).
type Type uint16

// The types that lists and SPF need.
const (
	A    = Type(dns.TypeA)
	AAAA = Type(dns.TypeAAAA)
	TXT  = Type(dns.TypeTXT)
	MX   = Type(dns.TypeMX)
	PTR  = Type(dns.TypePTR)
)

// String is the name of the type as in a zone file.
func (t Type) String() string { return dns.Type(t).String() }

// Question is one question to the DNS. It can be printed and compared: the key of a paid zone is in
// neither form, there it stands as {NAME}.
type Question struct {
	Name string // lower case, without the trailing dot
	Type Type

	// wire is the name that is really asked, where that holds a key. It is behind a pointer because package
	// fmt prints unexported strings.
	wire *string
}

// NewQuestion asks for the records of one type at a name; case and a trailing dot do not matter.
func NewQuestion(t Type, name string) Question {
	return Question{Name: strings.ToLower(strings.TrimSuffix(name, ".")), Type: t}
}

// String is the printable form, `A 2.0.0.127.zen.spamhaus.org`.
func (q Question) String() string { return q.Type.String() + " " + q.Name }

// GoString keeps %#v as harmless as String.
func (q Question) GoString() string { return "rbl.Question(" + q.String() + ")" }

func (q Question) wireName() string {
	if q.wire != nil {
		return *q.wire
	}
	return q.Name
}
