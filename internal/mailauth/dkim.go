package mailauth

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"mailweir/internal/trace"
)

// VerifyDKIM verifies the first DKIM-Signature of a message, header section and body, and no other
// (RFC 6376). It returns the signature's domain, "" if the signature is not valid. It waits for the
// DNS; the error says that the signature could not be judged.
//
// What is valid here and is not everywhere: a signature with l= if that is the whole body, so that
// nobody can have added to it; one whose key is marked as being tried out (t=y), since it is as
// good a proof as any. One that does not cover every From field is not, whatever it says, and a
// signature by rsa-sha1 or a key of less than 1,024 bits never is (RFC 8301).
func VerifyDKIM(ctx context.Context, dns Resolver, message io.Reader) (string, error) {
	in := bufio.NewReader(message)
	fields, err := readFields(in)
	if err != nil {
		return "", fmt.Errorf("dkim: failed to read header: %w", err)
	}
	at := slices.IndexFunc(fields, func(f field) bool { return f.key() == "dkim-signature" })
	if at < 0 {
		return "", nil
	}
	s, err := readSignature(fields[at].text, time.Now())
	pass := "pass"
	if err == nil {
		pass, err = s.verify(ctx, dns, fields, at, in)
	}
	var why invalid
	switch {
	case errors.As(err, &why):
		trace.Add(ctx, "dkim "+s.domain, string(why))
		return "", nil
	case err != nil:
		return "", err
	}
	trace.Add(ctx, "dkim "+s.domain, pass)
	return s.domain, nil
}

// verify returns how it passes. An error that is no [invalid] says that it cannot be judged.
func (s *dkimSignature) verify(ctx context.Context, dns Resolver, fields []field, at int, body io.Reader) (string, error) {
	if !s.signsEachFrom(fields) {
		return "", invalid("not every From field is signed")
	}
	keys, err := s.keys(ctx, dns)
	if err != nil {
		return "", err
	}
	if err := s.verifyBody(body); err != nil {
		return "", err
	}
	hash := s.headerHash(fields, at)
	for _, k := range keys[:min(len(keys), maxKeys)] {
		switch {
		case !k.signed(hash, s.value):
		case k.testing:
			return "pass, with a key that is being tried out", nil
		default:
			return "pass", nil
		}
	}
	if len(keys) > maxKeys {
		return "", fmt.Errorf("dkim: more than %d keys for %s", maxKeys, s.domain)
	}
	return "", invalid("signature did not verify")
}

// signsEachFrom reports whether no From field is without the signature. Of several the signature
// takes the lowest, and a program may show another, which somebody can have put on top of a signed
// message (RFC 6376 section 8.15).
func (s *dkimSignature) signsEachFrom(fields []field) bool {
	n := 0
	for _, f := range fields {
		if f.key() == "from" {
			n++
		}
	}
	for _, name := range s.fields {
		if name == "from" {
			n--
		}
	}
	return n <= 0
}

// verifyBody compares the body's hash (section 3.7). It must be of the whole body: what stands
// behind l= anybody may have added (section 8.2).
func (s *dkimSignature) verifyBody(body io.Reader) error {
	signed := &counted{left: s.length}
	if s.length < 0 {
		signed.left = 1<<63 - 1
	}
	hash := sha256.New()
	signed.to = hash
	canonical := &canonicalBody{to: signed, relaxed: s.relaxedBody}
	if _, err := io.Copy(canonical, body); err != nil {
		return err
	}
	if err := canonical.Close(); err != nil {
		return err
	}
	switch {
	case s.length > signed.size:
		return invalid("length of the body (l=) is more than the body")
	case !bytes.Equal(hash.Sum(nil), s.bodyHash):
		return invalid("body hash did not verify")
	case s.length >= 0 && s.length < signed.size:
		return invalid(fmt.Sprintf("length of the body is insecure: l= signs %d of %d octets", s.length, signed.size))
	}
	return nil
}

// counted passes the first octets on and counts all.
type counted struct {
	to         io.Writer
	left, size int64
}

func (c *counted) Write(b []byte) (int, error) {
	c.size += int64(len(b))
	n := min(int64(len(b)), c.left)
	c.left -= n
	if _, err := c.to.Write(b[:n]); err != nil {
		return 0, err
	}
	return len(b), nil
}

// headerHash is the hash of the signed fields and the signature itself (section 3.7). Of several
// fields of a name the last is taken first; where there are no more, nothing is (section 5.4.2).
func (s *dkimSignature) headerHash(fields []field, at int) []byte {
	byName := map[string][]field{}
	for i, f := range fields {
		if i != at {
			byName[f.key()] = append(byName[f.key()], f)
		}
	}
	hash := sha256.New()
	write := func(f field) { _, _ = io.WriteString(hash, canonicalField(f.name, f.text, s.relaxedHeader)) }
	for _, name := range s.fields {
		if left := byName[name]; len(left) > 0 {
			write(left[len(left)-1])
			byName[name] = left[:len(left)-1]
		}
	}
	own := fields[at]
	own.text = withoutTag(own.text, "b")
	_, _ = io.WriteString(hash, strings.TrimRight(canonicalField(own.name, own.text, s.relaxedHeader), "\r\n"))
	return hash.Sum(nil)
}

// field is a header field as it stands in the message; text is what follows the colon, with the
// line's end.
type field struct{ name, text string }

func (f field) key() string { return strings.ToLower(trimSpace(f.name)) }

// readFields reads a header section with the empty line at its end.
func readFields(in *bufio.Reader) (fields []field, err error) {
	var lines strings.Builder // of the field that is being read
	add := func() {
		if name, text, _ := strings.Cut(lines.String(), ":"); lines.Len() > 0 {
			fields = append(fields, field{name, text})
		}
		lines.Reset()
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if line == "" {
			add()
			return fields, nil
		}
		if line[0] != ' ' && line[0] != '\t' {
			add()
		}
		lines.WriteString(line + "\r\n")
	}
}
