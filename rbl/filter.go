package rbl

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Filter is a pattern of IPv4 addresses in the syntax of Postfix's ip_match(3), as
// postscreen_dnsbl_sites has it after the equals sign: four octets, each a number or a bracketed
// list of numbers and ranges, `127.0.[0..255].[2;4;10..11]`.
type Filter struct {
	octets [4]octetSet
	text   string
}

// octetSet is a set of numbers from 0 to 255.
type octetSet [4]uint64

func (s *octetSet) add(low, high int) {
	for n := low; n <= high; n++ {
		s[n>>6] |= 1 << (n & 63)
	}
}

func (s *octetSet) has(n byte) bool { return s[n>>6]&(1<<(n&63)) != 0 }

// ParseFilter reads a filter.
func ParseFilter(s string) (Filter, error) {
	f := Filter{text: s}
	rest := s
	for i := range f.octets {
		var err error
		if rest, err = f.octets[i].parse(rest); err != nil {
			return Filter{}, fmt.Errorf("filter %q: %w", s, err)
		}
		if i == 3 {
			break
		}
		if !strings.HasPrefix(rest, ".") {
			return Filter{}, fmt.Errorf("filter %q: write four octets with dots between them, as in 127.0.0.[2..11]", s)
		}
		rest = rest[1:]
	}
	if rest != "" {
		return Filter{}, fmt.Errorf("filter %q: %q after the fourth octet; remove it", s, rest)
	}
	return f, nil
}

// parse reads one octet and returns what follows.
func (s *octetSet) parse(text string) (rest string, err error) {
	inner, bracketed := strings.CutPrefix(text, "[")
	if !bracketed {
		n, rest, err := parseOctet(text)
		if err != nil {
			return "", err
		}
		s.add(n, n)
		return rest, nil
	}
	inner, rest, closed := strings.Cut(inner, "]")
	if !closed {
		return "", fmt.Errorf("[ without ]")
	}
	for member := range strings.SplitSeq(inner, ";") {
		low, after, err := parseOctet(member)
		if err != nil {
			return "", err
		}
		high := low
		if upper, isRange := strings.CutPrefix(after, ".."); isRange {
			if high, after, err = parseOctet(upper); err != nil {
				return "", err
			}
		}
		if after != "" {
			return "", fmt.Errorf("%q inside [ ]: separate numbers and ranges with ; as in [2..11;30]", after)
		}
		if high < low {
			return "", fmt.Errorf("the range %s is upside down", member)
		}
		s.add(low, high)
	}
	return rest, nil
}

func parseOctet(text string) (n int, rest string, err error) {
	end := 0
	for end < len(text) && '0' <= text[end] && text[end] <= '9' {
		end++
	}
	if end == 0 {
		return 0, "", fmt.Errorf("a number from 0 to 255 is missing before %q", text)
	}
	n, err = strconv.Atoi(text[:end])
	if err != nil || n > 255 {
		return 0, "", fmt.Errorf("%s is not a number from 0 to 255", text[:end])
	}
	return n, text[end:], nil
}

// String is the filter as it was written.
func (f Filter) String() string { return f.text }

// Matches reports whether an IPv4 address is in the pattern.
func (f Filter) Matches(ip netip.Addr) bool {
	if !ip.Is4() {
		return false
	}
	o := ip.As4()
	return f.octets[0].has(o[0]) && f.octets[1].has(o[1]) && f.octets[2].has(o[2]) && f.octets[3].has(o[3])
}

// meets reports whether some address is in both patterns.
func (f Filter) meets(g Filter) bool {
	for i := range f.octets {
		common := false
		for w := range f.octets[i] {
			common = common || f.octets[i][w]&g.octets[i][w] != 0
		}
		if !common {
			return false
		}
	}
	return true
}

// mustFilter is for the patterns in the tables of this package, which a test reads in full.
func mustFilter(s string) Filter {
	f, err := ParseFilter(s)
	if err != nil {
		panic(err)
	}
	return f
}
