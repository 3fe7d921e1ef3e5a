package mailauth

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"mailweir/internal/address"
)

const (
	// maxKeyRecord is the longest key record that is looked at, in octets. An RSA key of 4,096
	// bits, the longest that a verifier must know (RFC 8301 section 3.2), takes 750; a key of 64
	// KiB takes seconds.
	maxKeyRecord = 4096
	// maxKeys is how many keys of one name are tried.
	maxKeys = 10
	// minRSA is the shortest RSA key that counts, in bits (RFC 8301 section 3.2).
	minRSA = 1024
)

// dkimKey is a key that a signature may have been made with.
type dkimKey struct {
	public  crypto.PublicKey
	testing bool // t=y: the signer is trying DKIM out
}

// keys asks for the keys of a signature: of the records at its name those that can be used for it.
// There may be several, while one key gives way to another or where somebody else has put his text
// there; each is looked at by itself. With none it is an [invalid] that tells of the first.
func (s *dkimSignature) keys(ctx context.Context, dns Resolver) (keys []dkimKey, err error) {
	name := address.NormalDomain(s.selector + "._domainkey." + s.domain)
	records, err := dns.LookupTXT(ctx, name)
	var dnsErr *net.DNSError
	switch {
	case errors.As(err, &dnsErr) && dnsErr.IsNotFound:
		return nil, invalid("no key for signature")
	case err != nil:
		return nil, fmt.Errorf("dkim: key unavailable: %w", err)
	}
	var first error = invalid("no key for signature")
	for i, record := range records {
		key, err := s.key(record)
		if err == nil {
			keys = append(keys, key)
		} else if i == 0 {
			first = err
		}
	}
	if len(keys) == 0 {
		return nil, first
	}
	return keys, nil
}

// key reads a key record (RFC 6376 section 3.6.1), or says why the signature cannot be of this key.
func (s *dkimSignature) key(record string) (key dkimKey, err error) {
	if len(record) > maxKeyRecord {
		return key, invalid(fmt.Sprintf("key record of more than %d octets", maxKeyRecord))
	}
	tags, err := readTags(record)
	if err != nil {
		return key, invalid("key record: " + err.Error())
	}
	lists := func(tag string, any ...string) bool {
		value, given := tags[tag]
		return !given || slices.ContainsFunc(names(value), func(n string) bool { return slices.Contains(any, n) })
	}
	flags := names(tags["t"])
	p, given := tags["p"]
	switch {
	case tags["v"] != "" && tags["v"] != "DKIM1":
		return key, invalid("key record of another version")
	case !given:
		return key, invalid("key record without a key")
	case p == "":
		return key, invalid("key revoked")
	case cmp.Or(strings.ToLower(tags["k"]), "rsa") != s.keyType:
		return key, invalid("key of another type")
	case !lists("h", "sha256"):
		return key, invalid("key for another hash algorithm")
	case !lists("s", "*", "email"):
		return key, invalid("key for another service")
	case slices.Contains(flags, "s") && s.identity != s.domain:
		return key, invalid("key for no subdomains, and the signature is for " + s.identity)
	}
	key.testing = slices.Contains(flags, "y")
	key.public, err = publicKey(s.keyType, decodeBase64(p))
	return key, err
}

func publicKey(keyType string, data []byte) (crypto.PublicKey, error) {
	if keyType == "ed25519" {
		if len(data) != ed25519.PublicKeySize {
			return nil, invalid(fmt.Sprintf("key of %d octets", len(data)))
		}
		return ed25519.PublicKey(data), nil
	}
	public, err := x509.ParsePKIXPublicKey(data)
	if err != nil {
		public, err = x509.ParsePKCS1PublicKey(data) // erratum 3017 allows both
	}
	key, ok := public.(*rsa.PublicKey)
	switch {
	case err != nil || !ok:
		return nil, invalid("malformed key")
	case key.N.BitLen() < minRSA:
		return nil, invalid(fmt.Sprintf("key of %d bits, less than %d", key.N.BitLen(), minRSA))
	}
	return key, nil
}

// signed reports whether the key has made this signature of a SHA-256 hash (RFC 8463 section 3 for
// Ed25519, which signs the hash).
func (k dkimKey) signed(hash, signature []byte) bool {
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, hash, signature) == nil
	case ed25519.PublicKey:
		return ed25519.Verify(public, hash, signature)
	}
	return false
}
