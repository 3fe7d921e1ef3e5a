package dns

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Status tells the kinds of answer apart that RFC 5782 and RFC 2308 tell apart.
type Status uint8

// What an answer can be. Only NoName and NoData mean that nothing is there; Failed means that
// nobody knows.
const (
	Failed Status = iota // no usable answer; the zero Answer, so that nothing forgotten looks like "not listed"
	Found                // records of the type asked for
	NoData               // the name exists without records of this type
	NoName               // the name does not exist (NXDOMAIN)
)

// Answer is what the DNS said to one [Question]. It is shared between everyone who asked: read
// only.
type Answer struct {
	Status Status
	Addrs  []netip.Addr // of A and AAAA
	Texts  []string     // TXT: the strings of a record joined; PTR: names; MX: "preference host"
	Err    *Error       // set if and only if Status is Failed
}

// String is the printable form, as in `127.0.0.2 127.0.0.10`, `"a text"`, `no such name` or `error:
// no answer in time`.
func (a Answer) String() string {
	switch a.Status {
	case NoName:
		return "no such name"
	case NoData:
		return "no data"
	case Failed:
		if a.Err == nil {
			return "error: no answer"
		}
		return "error: " + a.Err.Error()
	}
	words := make([]string, 0, len(a.Addrs)+len(a.Texts))
	for _, ip := range a.Addrs {
		words = append(words, ip.String())
	}
	for _, text := range a.Texts {
		words = append(words, strconv.Quote(text))
	}
	return strings.Join(words, " ")
}

// ParseAnswer reads what [Answer.String] wrote, for the replay of recorded answers.
func ParseAnswer(s string) (Answer, error) {
	switch {
	case s == "no such name":
		return Answer{Status: NoName}, nil
	case s == "no data":
		return Answer{Status: NoData}, nil
	case strings.HasPrefix(s, "error: "):
		return Answer{Err: parseError(s[len("error: "):])}, nil
	}
	a := Answer{Status: Found}
	for rest := strings.TrimSpace(s); rest != ""; rest = strings.TrimLeft(rest, " ") {
		if rest[0] == '"' {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return Answer{}, fmt.Errorf("recorded answer %q: unfinished quote", s)
			}
			text, err := strconv.Unquote(quoted)
			if err != nil {
				return Answer{}, fmt.Errorf("recorded answer %q: bad quote", s)
			}
			a.Texts, rest = append(a.Texts, text), rest[len(quoted):]
			continue
		}
		word, _, _ := strings.Cut(rest, " ")
		ip, err := netip.ParseAddr(word)
		if err != nil {
			return Answer{}, fmt.Errorf("recorded answer %q: %q is neither an address nor a quoted text", s, word)
		}
		a.Addrs, rest = append(a.Addrs, ip), rest[len(word):]
	}
	if len(a.Addrs)+len(a.Texts) == 0 {
		return Answer{}, fmt.Errorf("recorded answer %q is empty; an answer without records is \"no data\"", s)
	}
	return a, nil
}

// Failure is why there is no usable answer.
type Failure uint8

// The failures, each a label of the error counters.
const (
	Timeout       Failure = iota // no answer in time
	ServerFailure                // SERVFAIL or another code that says "I could not"
	Refused                      // REFUSED, or a server that does not recurse
	Malformed                    // an answer that is no answer to the question, or cannot be read
	Unreachable                  // the server could not be reached
	Overloaded                   // more questions at once than the resolver may have open
	Cancelled                    // nobody waited any more, or the resolver is closed
)

var failureNames = [...]string{
	Timeout: "no answer in time", ServerFailure: "server failure", Refused: "refused", Malformed: "malformed answer",
	Unreachable: "server unreachable", Overloaded: "too many questions at once", Cancelled: "cancelled",
}

// String is the failure in words.
func (f Failure) String() string {
	if int(f) < len(failureNames) {
		return failureNames[f]
	}
	return "failure " + strconv.Itoa(int(f))
}

// Error is a question that got no usable answer. It names the DNS server, never the name asked for.
type Error struct {
	Failure Failure
	Detail  string // what was seen, may be empty
	Server  string // host:port, empty when no single server is to blame
	Cause   error  // what it is in the place of the rest, nil for a failure of the DNS
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Cause.Error()
	}
	s := e.Failure.String()
	if e.Detail != "" {
		s += " (" + e.Detail + ")"
	}
	if e.Server != "" {
		s += " from " + e.Server
	}
	return s
}

// Timeout makes the error a [net.Error].
func (e *Error) Timeout() bool { return e.Failure == Timeout }

// Temporary is always true: every failure may be gone at the next try.
func (e *Error) Temporary() bool { return true }

func parseError(s string) *Error {
	for f, name := range failureNames {
		if rest, ok := strings.CutPrefix(s, name); ok {
			e := &Error{Failure: Failure(f)}
			if before, server, ok := strings.Cut(rest, " from "); ok {
				rest, e.Server = before, server
			}
			e.Detail = strings.TrimSuffix(strings.TrimPrefix(rest, " ("), ")")
			return e
		}
	}
	return &Error{Failure: Malformed, Detail: s}
}
