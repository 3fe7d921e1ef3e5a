package mailauth

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailweir/internal/address"
)

// clockDrift is how much the signer's clock may be ahead of ours, or behind.
const clockDrift = 5 * time.Minute

// invalid says why a signature is not valid; asking again would not change that.
type invalid string

func (e invalid) Error() string { return "dkim: " + string(e) }

// dkimSignature is what a DKIM-Signature field says (RFC 6376 section 3.5).
type dkimSignature struct {
	domain, selector string
	identity         string   // the domain of i=
	keyType          string   // "rsa" or "ed25519"
	fields           []string // h=, in lower case
	relaxedHeader    bool
	relaxedBody      bool
	length           int64 // l=, or -1
	bodyHash, value  []byte
}

// SignatureDomain returns the domain that a DKIM-Signature field speaks for (d=, RFC 6376 section
// 3.5), "" if it has none. Nothing is verified.
func SignatureDomain(value string) string {
	for tag := range strings.SplitSeq(value, ";") {
		if name, domain, ok := strings.Cut(tag, "="); ok && trimSpace(name) == "d" {
			return address.NormalDomain(stripSpace(domain))
		}
	}
	return ""
}

// readSignature reads the text of a DKIM-Signature field. An error is an [invalid].
func readSignature(text string, now time.Time) (s dkimSignature, err error) {
	s.domain = SignatureDomain(text)
	tags, err := readTags(text)
	if err != nil {
		return s, invalid(err.Error())
	}
	for _, tag := range []string{"v", "a", "b", "bh", "d", "h", "s"} {
		if tags[tag] == "" {
			return s, invalid("no " + tag + "= in the signature")
		}
	}
	if tags["v"] != "1" {
		return s, invalid("signature of another version")
	}
	s.selector = stripSpace(tags["s"])
	s.bodyHash, s.value = decodeBase64(tags["bh"]), decodeBase64(tags["b"])
	if s.fields = names(tags["h"]); !slices.Contains(s.fields, "from") {
		return s, invalid("From is not signed")
	}
	if q, given := tags["q"]; given && !slices.Contains(names(q), "dns/txt") {
		return s, invalid("key not in the DNS")
	}
	return s, errors.Join(s.readAlgorithm(tags["a"]), s.readCanonical(tags["c"]), s.readIdentity(tags),
		s.readLength(tags), checkTimes(tags, now))
}

// readAlgorithm reads a=. SHA-1 must not be used any more (RFC 8301 section 3.1).
func (s *dkimSignature) readAlgorithm(a string) error {
	switch s.keyType, _, _ = strings.Cut(strings.ToLower(stripSpace(a)), "-"); strings.ToLower(stripSpace(a)) {
	case "rsa-sha256", "ed25519-sha256":
		return nil
	case "rsa-sha1":
		return invalid("hash algorithm too weak: sha1")
	}
	return invalid("algorithm not known")
}

// readCanonical reads c=: header and body, each simple if it is not named.
func (s *dkimSignature) readCanonical(c string) error {
	header, body, _ := strings.Cut(strings.ToLower(stripSpace(c)), "/")
	for _, way := range []struct {
		name    string
		relaxed *bool
	}{{header, &s.relaxedHeader}, {body, &s.relaxedBody}} {
		switch way.name {
		case "relaxed":
			*way.relaxed = true
		case "", "simple":
		default:
			return invalid("canonicalization not known")
		}
	}
	return nil
}

// readIdentity reads i=, which must be of the signing domain or below it.
func (s *dkimSignature) readIdentity(tags map[string]string) error {
	s.identity = s.domain
	i, given := tags["i"]
	if !given {
		return nil
	}
	at := strings.LastIndexByte(i, '@')
	s.identity = address.NormalDomain(stripSpace(i[at+1:]))
	if at < 0 || s.identity != s.domain && !strings.HasSuffix(s.identity, "."+s.domain) {
		return invalid("domain mismatch: i= is not of d=")
	}
	return nil
}

func (s *dkimSignature) readLength(tags map[string]string) error {
	s.length = -1
	l, given := tags["l"]
	if !given {
		return nil
	}
	n, err := strconv.ParseUint(stripSpace(l), 10, 63)
	if err != nil {
		return invalid("malformed length of the body")
	}
	s.length = int64(n)
	return nil
}

// checkTimes looks at when a signature was made (t=) and ends (x=). One from the future is not
// worse than another.
func checkTimes(tags map[string]string, now time.Time) error {
	var times [2]uint64
	for i, tag := range []string{"t", "x"} {
		value, given := tags[tag]
		if !given {
			continue
		}
		n, err := strconv.ParseUint(stripSpace(value), 10, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) { // so large a number is never
			return invalid("malformed time: " + tag + "=")
		}
		times[i] = n
		if tag == "x" && (n < times[0] || n < uint64(now.Add(-clockDrift).Unix())) {
			return invalid("signature has expired")
		}
	}
	return nil
}
