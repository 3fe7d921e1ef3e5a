package dns

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	miekg "github.com/miekg/dns"
)

// udpSize is what we say we can take by UDP: what passes every path without fragments (DNS flag day
// 2020).
const udpSize = 1232

// maxAliases is how many aliases lead from the name asked for to its records; a recursive server
// follows fewer.
const maxAliases = 32

// newMessage is the question as it goes out. Random case in the name (draft-vixie-dnsext-dns0x20)
// adds a bit for each letter to what a forger must guess.
func newMessage(q Question, randomCase, edns bool) *miekg.Msg {
	name := presented(q.wireName())
	if randomCase {
		name = mixCase(name)
	}
	m := new(miekg.Msg)
	m.SetQuestion(name, uint16(q.Type))
	m.Id = miekg.Id()
	m.RecursionDesired = true
	if edns {
		m.SetEdns0(udpSize, false)
	}
	return m
}

// mixCase uses math/rand/v2's global source, which is ChaCha8 seeded by the kernel.
func mixCase(name string) string {
	b := []byte(name)
	bits, left := rand.Uint64(), 64
	for i, c := range b {
		if left == 0 {
			bits, left = rand.Uint64(), 64
		}
		if 'a' <= c && c <= 'z' && bits&1 == 1 {
			b[i] = c - 'a' + 'A'
		}
		bits, left = bits>>1, left-1
	}
	return string(b)
}

// echo is how well an answer's question section matches ours.
type echo uint8

const (
	foreign   echo = iota // not an answer to this question: ignored, it may be forged
	otherCase             // the right name in the wrong case
	exact
)

func echoes(sent, got *miekg.Msg) echo {
	if !got.Response || got.Id != sent.Id || got.Opcode != miekg.OpcodeQuery || len(got.Question) != 1 {
		return foreign
	}
	s, g := sent.Question[0], got.Question[0]
	switch {
	case s.Qtype != g.Qtype || s.Qclass != g.Qclass || !strings.EqualFold(s.Name, g.Name):
		return foreign
	case s.Name != g.Name:
		return otherCase
	}
	return exact
}

// readAnswer turns a message that answers q into an Answer and the time that it holds. The caller
// has made sure that the question section is ours.
func readAnswer(q Question, m *miekg.Msg, limits ttlLimits) (Answer, time.Duration) {
	switch {
	case m.Rcode == miekg.RcodeNameError:
		return Answer{Status: NoName}, limits.negative(m)
	case m.Rcode == miekg.RcodeRefused:
		return failed(Refused, "REFUSED"), limits.failure
	case m.Rcode != miekg.RcodeSuccess:
		return failed(ServerFailure, miekg.RcodeToString[m.Rcode]), limits.failure
	}
	owner, ttl, ok := follow(m.Answer, presented(q.wireName()))
	if !ok {
		return failed(Malformed, "too many aliases"), limits.failure
	}
	a := Answer{Status: Found}
	for _, rr := range m.Answer {
		if h := rr.Header(); h.Rrtype == uint16(q.Type) && owns(rr, owner) && a.add(rr) {
			ttl = min(ttl, h.Ttl)
		}
	}
	if len(a.Addrs)+len(a.Texts) > 0 {
		return a, limits.bound(time.Duration(ttl) * time.Second)
	}
	if len(m.Answer) == 0 && !m.RecursionAvailable && !m.Authoritative {
		return failed(Refused, "the server does not recurse"), limits.failure
	}
	return Answer{Status: NoData}, limits.negative(m)
}

// follow goes from the name asked for along its aliases, in whatever order they stand, to the name
// that has the records (RFC 1034 section 3.6.2), and returns the least of their TTLs. It is false
// if there are too many, as in a loop.
func follow(answer []miekg.RR, name string) (owner string, ttl uint32, ok bool) {
	ttl = 1 << 31
	for range maxAliases {
		i := slices.IndexFunc(answer, func(rr miekg.RR) bool {
			return rr.Header().Rrtype == miekg.TypeCNAME && owns(rr, name)
		})
		if i < 0 {
			return name, ttl, true
		}
		alias, isAlias := answer[i].(*miekg.CNAME)
		if !isAlias {
			return name, ttl, true
		}
		name, ttl = alias.Target, min(ttl, alias.Hdr.Ttl)
	}
	return name, ttl, false
}

// owns reports whether a record is one of the name, both as miekg/dns writes names.
func owns(rr miekg.RR, name string) bool {
	return rr.Header().Class == miekg.ClassINET && strings.EqualFold(rr.Header().Name, name)
}

// add keeps one record; false if it is not of use.
func (a *Answer) add(rr miekg.RR) bool {
	switch rr := rr.(type) {
	case *miekg.A:
		ip, ok := netip.AddrFromSlice(rr.A)
		if ok {
			a.Addrs = append(a.Addrs, ip.Unmap())
		}
		return ok
	case *miekg.AAAA:
		ip, ok := netip.AddrFromSlice(rr.AAAA)
		if ok {
			a.Addrs = append(a.Addrs, ip)
		}
		return ok
	case *miekg.TXT:
		a.Texts = append(a.Texts, unescape(strings.Join(rr.Txt, "")))
	case *miekg.PTR:
		name, ok := plainName(rr.Ptr)
		if ok {
			a.Texts = append(a.Texts, name)
		}
		return ok
	case *miekg.MX:
		name, ok := plainName(rr.Mx)
		if ok {
			a.Texts = append(a.Texts, strconv.Itoa(int(rr.Preference))+" "+name)
		}
		return ok
	default:
		return false
	}
	return true
}

// unescape undoes the presentation form in which miekg/dns keeps strings: \DDD and \X.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b = append(b, s[i])
			continue
		}
		if i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 10, 8); err == nil {
				b = append(b, byte(n))
				i += 3
				continue
			}
		}
		i++
		b = append(b, s[i])
	}
	return string(b)
}

func failed(f Failure, detail string) Answer {
	return Answer{Err: &Error{Failure: f, Detail: detail}}
}

// ttlLimits bound how long an answer is kept.
type ttlLimits struct {
	min, max, failure time.Duration
}

func (l ttlLimits) bound(ttl time.Duration) time.Duration { return max(l.min, min(ttl, l.max)) }

// negative is the lesser of the SOA's own TTL and its MINIMUM field (RFC 2308 section 5); without a
// SOA the answer must not be kept, so as short as we keep anything.
func (l ttlLimits) negative(m *miekg.Msg) time.Duration {
	for _, rr := range m.Ns {
		if soa, ok := rr.(*miekg.SOA); ok {
			return l.bound(time.Duration(min(soa.Hdr.Ttl, soa.Minttl)) * time.Second)
		}
	}
	return l.min
}
