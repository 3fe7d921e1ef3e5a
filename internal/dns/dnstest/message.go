package dnstest

import miekg "github.com/miekg/dns"

// Msg is a message of the DNS: a question to the server, or its answer.
type Msg = miekg.Msg

// The codes of answers (RFC 1035 section 4.1.1).
const (
	Success        = miekg.RcodeSuccess
	FormatError    = miekg.RcodeFormatError
	ServerFailure  = miekg.RcodeServerFailure
	NameError      = miekg.RcodeNameError
	NotImplemented = miekg.RcodeNotImplemented
	Refused        = miekg.RcodeRefused
)

// Asks reports whether a question is for records of a type, "AAAA".
func Asks(m *Msg, records string) bool { return miekg.TypeToString[m.Question[0].Qtype] == records }

// Add adds a record to an answer, as a zone file has it, whatever was asked.
func Add(m *Msg, record string) {
	rr, err := miekg.NewRR(record)
	if err != nil {
		panic(err)
	}
	m.Answer = append(m.Answer, rr)
}

// One is a message as the only packet.
func One(m *Msg) [][]byte {
	m.Compress = true
	p, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return [][]byte{p}
}

// Rcode answers a question with a code and nothing else.
func Rcode(q *Msg, code int) *Msg {
	m := new(Msg)
	m.SetRcode(q, code)
	m.RecursionAvailable = true
	return m
}

// NX says that the name does not exist, with a SOA for 300 seconds.
func NX(q *Msg) *Msg {
	m := Rcode(q, NameError)
	soa, _ := miekg.NewRR(". 900 IN SOA a. b. 1 2 3 4 300")
	m.Ns = append(m.Ns, soa)
	return m
}

// Has answers with records, `A 127.0.0.2` or `TXT "text"`, as far as they are of the type asked
// for.
func Has(q *Msg, ttl string, records ...string) *Msg {
	m := Rcode(q, Success)
	for _, r := range records {
		rr, err := miekg.NewRR(q.Question[0].Name + " " + ttl + " IN " + r)
		if err != nil {
			panic(err)
		}
		if rr.Header().Rrtype == q.Question[0].Qtype || rr.Header().Rrtype == miekg.TypeCNAME {
			m.Answer = append(m.Answer, rr)
		}
	}
	return m
}

// Always answers every question with the same records.
func Always(records ...string) Behaviour {
	return func(_ string, m *Msg, _ bool) [][]byte { return One(Has(m, "300", records...)) }
}

// Silent never answers.
func Silent(string, *Msg, bool) [][]byte { return nil }

// Code answers every question with a code and nothing else.
func Code(code int) Behaviour {
	return func(_ string, m *Msg, _ bool) [][]byte { return One(Rcode(m, code)) }
}
