package rbl

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Kind is what a list is about.
type Kind uint8

// The kinds of list (RFC 5782 sections 2 and 3).
const (
	Addresses Kind = iota // asked about clients
	Domains               // asked about domain names
)

// String is the kind as used in messages.
func (k Kind) String() string {
	if k == Domains {
		return "domains"
	}
	return "addresses"
}

// Sense is what a code of a list says about its subject.
type Sense uint8

// The senses of a code.
const (
	Neutral Sense = iota // neither: never counted without a filter that names it
	Block                // listed as bad
	Allow                // listed as good
)

// meaning is one entry of a zone's closed set of answers.
type meaning struct {
	codes Filter
	bits  byte // if not 0, codes are sums of such bits in the last octet, and this is one of them
	sense Sense
	text  string
}

// zoneInfo is what is known of a zone. The table is in knownzones.go.
type zoneInfo struct {
	zone     string // matches this zone; with keyed also any label in front of it
	kind     Kind
	keyed    bool // a customer's key goes in front
	meanings []meaning
	base     bool   // of domain lists: lists registered domains only, so a name is cut down to that
	ipv6     bool   // documented to list IPv6 addresses
	untested bool   // known to lack the test entries of RFC 5782 section 5
	testName string // of domain lists: the name that is listed for tests, if it is not TEST
	page     string // where a person can look an address or domain up; $client is replaced
	source   string // where the codes are documented, and when they were read
}

// retiredZone is a zone that must not be asked any more. The table is in retiredzones.go.
type retiredZone struct {
	zone   string // this and everything below it
	since  string // year and month
	reason string
	source string
}

// knownZone finds what is known of a zone (lower case, key as {NAME} or not at all); nil if
// nothing.
func knownZone(zone string) *zoneInfo {
	for i := range knownZones {
		z := &knownZones[i]
		if zone == z.zone && !z.keyed {
			return z
		}
		if key, ok := strings.CutSuffix(zone, "."+z.zone); ok && z.keyed && !strings.Contains(key, ".") {
			return z
		}
	}
	return nil
}

func retired(zone string) *retiredZone {
	for i := range retiredZones {
		if z := &retiredZones[i]; zone == z.zone || strings.HasSuffix(zone, "."+z.zone) {
			return z
		}
	}
	return nil
}

// Code is one A record of a listing and what it means.
type Code struct {
	Addr    netip.Addr
	Sense   Sense
	Meaning string // empty for lists that we know nothing about
}

// Entry is one `ZONE[=filter][*weight]` as in postscreen_dnsbl_sites.
type Entry struct {
	Zone   string // lower case; {NAME} stands for a key
	Kind   Kind
	Filter *Filter // nil: whatever the list says in the sense of the weight
	Weight int     // 1 unless given; negative on allow lists; 0 is asked and recorded, never counted

	info *zoneInfo
}

// String is the entry as it could be written in a configuration.
func (e Entry) String() string {
	s := e.Zone
	if e.Filter != nil {
		s += "=" + e.Filter.String()
	}
	if e.Weight != 1 {
		s += "*" + strconv.Itoa(e.Weight)
	}
	return s
}

// Parse reads entries for lists of one kind, each string one or more of them separated by commas or
// white space. A zone that is retired, of the other kind, or named in a way that cannot work is an
// error here and not a surprise later.
func Parse(kind Kind, specs []string) ([]Entry, error) {
	var entries []Entry
	for _, spec := range specs {
		for _, word := range strings.FieldsFunc(spec, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) }) {
			e, err := parseEntry(kind, word)
			if err != nil {
				return nil, err
			}
			entries = append(entries, e)
		}
	}
	return entries, nil
}

func parseEntry(kind Kind, word string) (Entry, error) {
	e := Entry{Kind: kind, Weight: 1}
	site, weight, weighted := strings.Cut(word, "*")
	zone, filter, filtered := strings.Cut(site, "=")
	var err error
	if e.Zone, e.info, err = checkZone(kind, zone); err != nil {
		return Entry{}, err
	}
	bad := func(err error) (Entry, error) { return Entry{}, fmt.Errorf("list %s: %w", e.Zone, err) }
	if weighted {
		if e.Weight, err = strconv.Atoi(weight); err != nil || e.Weight < -maxWeight || e.Weight > maxWeight {
			return bad(fmt.Errorf("weight %q: write a whole number from %d to %d after the *", weight, -maxWeight, maxWeight))
		}
	}
	if filtered {
		f, err := ParseFilter(filter)
		if err != nil {
			return bad(err)
		}
		e.Filter = &f
	}
	if err := e.checkCounts(); err != nil {
		return bad(err)
	}
	return e, nil
}

// maxWeight keeps sums of weights far from overflow.
const maxWeight = 1_000_000

var (
	loopbackFilter = mustFilter("127.[0..255].[0..255].[0..255]")
	usableFilters  = []Filter{ // 127.0.0.0/8 without 127.255.255.0/24
		mustFilter("127.[0..254].[0..255].[0..255]"),
		mustFilter("127.255.[0..254].[0..255]"),
	}
)

// checkCounts refuses an entry that could never count.
func (e *Entry) checkCounts() error {
	if e.Filter == nil {
		if e.info != nil && e.Weight != 0 && !e.info.hasSense(e.sense()) {
			if e.Weight > 0 {
				return fmt.Errorf("this is an allow list: give it a negative weight, %s*-1", e.Zone)
			}
			return fmt.Errorf("a block list with the negative weight %d would let mail in for being listed: give it a positive one", e.Weight)
		}
		return nil
	}
	if !e.Filter.meets(usableFilters[0]) && !e.Filter.meets(usableFilters[1]) {
		if e.Filter.meets(loopbackFilter) {
			return fmt.Errorf("filter %s matches error codes only (127.255.255.0/24), which never count: remove it", e.Filter)
		}
		return fmt.Errorf("filter %s matches nothing in 127.0.0.0/8, and nothing else counts: correct it", e.Filter)
	}
	if e.info == nil {
		return nil
	}
	for _, m := range e.info.meanings {
		if e.Filter.meets(m.codes) {
			return nil
		}
	}
	return fmt.Errorf("filter %s matches no code of this list; its codes are %s (%s)", e.Filter, e.info.codeList(), e.info.source)
}

// sense is which codes count for an entry without a filter.
func (e *Entry) sense() Sense {
	if e.Weight < 0 {
		return Allow
	}
	return Block
}

func (z *zoneInfo) hasSense(s Sense) bool {
	for _, m := range z.meanings {
		if m.sense == s {
			return true
		}
	}
	return false
}

func (z *zoneInfo) codeList() string {
	var list []string
	for _, m := range z.meanings {
		list = append(list, m.codes.String()+" "+m.text)
	}
	return strings.Join(list, ", ")
}
