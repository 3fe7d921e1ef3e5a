// Package dkimtest signs messages for tests, also in ways in which no signer should: the tags of a
// signature are given as text. It shares no code with what verifies.
package dkimtest

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Key is a key to sign with.
type Key struct {
	private crypto.Signer
	// Public is the key as a record has it, in base64.
	Public string
}

// RSA returns a new RSA key of so many bits.
func RSA(t testing.TB, bits int) Key {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return Key{private, base64.StdEncoding.EncodeToString(public)}
}

// Ed25519 returns a new Ed25519 key.
func Ed25519(t testing.TB) Key {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return Key{private, base64.StdEncoding.EncodeToString(public)}
}

// Record is the record of the key with nothing but what it must have.
func (k Key) Record() string {
	if _, ok := k.private.(ed25519.PrivateKey); ok {
		return "v=DKIM1; k=ed25519; p=" + k.Public
	}
	return "v=DKIM1; k=rsa; p=" + k.Public
}

// Algorithm is what a= says for the key.
func (k Key) Algorithm() string {
	if _, ok := k.private.(ed25519.PrivateKey); ok {
		return "ed25519-sha256"
	}
	return "rsa-sha256"
}

// Sign puts a DKIM-Signature on top of a message. field is what stands behind its colon, where BH
// and SIGNATURE stand for the values of bh= and b=, and SIZE for the length of the canonical body.
func (k Key) Sign(t testing.TB, message, field string) string {
	t.Helper()
	head, body, ok := strings.Cut(message, "\r\n\r\n")
	if !ok && !strings.HasSuffix(message, "\r\n\r\n") {
		t.Fatal("a message without an empty line")
	}
	headerWay, bodyWay, _ := strings.Cut(strings.ToLower(tag(field, "c")), "/")
	body = canonicalBody(body, bodyWay == "relaxed")
	field = strings.Replace(field, "SIZE", strconv.Itoa(len(body)), 1)
	if l, err := strconv.ParseUint(tag(field, "l"), 10, 31); err == nil {
		body = body[:min(int(l), len(body))]
	}
	bodyHash := sha256.Sum256([]byte(body))
	field = strings.Replace(field, "BH", base64.StdEncoding.EncodeToString(bodyHash[:]), 1)

	fields := splitFields(head + "\r\n")
	var signed strings.Builder
	for name := range strings.SplitSeq(tag(field, "h"), ":") {
		for i := len(fields) - 1; i >= 0; i-- {
			if own, _, _ := strings.Cut(fields[i], ":"); strings.EqualFold(strings.TrimSpace(own), name) {
				signed.WriteString(canonicalField(fields[i], headerWay == "relaxed"))
				fields = append(fields[:i:i], fields[i+1:]...)
				break
			}
		}
	}
	before, after, ok := strings.Cut(field, "SIGNATURE")
	if !ok {
		t.Fatalf("no SIGNATURE in %q", field)
	}
	own := "DKIM-Signature:" + strings.TrimRight(before, " \t\r\n") + strings.TrimLeft(after, " \t\r\n") + "\r\n"
	own = canonicalField(own, headerWay == "relaxed")
	signed.WriteString(strings.TrimSuffix(own, "\r\n"))
	hash := sha256.Sum256([]byte(signed.String()))
	var how crypto.SignerOpts = crypto.SHA256
	if _, ok := k.private.(ed25519.PrivateKey); ok {
		how = crypto.Hash(0)
	}
	signature, err := k.private.Sign(rand.Reader, hash[:], how)
	if err != nil {
		t.Fatal(err)
	}
	return "DKIM-Signature:" + before + base64.StdEncoding.EncodeToString(signature) + after + "\r\n" + message
}

// tag is the value of a tag, without white space.
func tag(field, name string) string {
	m := regexp.MustCompile(`(?:^|;)\s*` + name + `\s*=([^;]*)`).FindStringSubmatch(field)
	if m == nil {
		return ""
	}
	return strings.Join(strings.Fields(m[1]), "")
}

// splitFields splits a header section at the line ends that no blank follows.
func splitFields(head string) (fields []string) {
	for line := range strings.SplitAfterSeq(head, "\r\n") {
		if line != "" && (line[0] == ' ' || line[0] == '\t') && len(fields) > 0 {
			fields[len(fields)-1] += line
		} else if line != "" {
			fields = append(fields, line)
		}
	}
	return fields
}

var (
	blanks    = regexp.MustCompile(`[ \t]+`)
	lastEmpty = regexp.MustCompile(`(\r\n)*$`)
)

func canonicalField(field string, relaxed bool) string {
	if !relaxed {
		return field
	}
	name, text, _ := strings.Cut(field, ":")
	text = blanks.ReplaceAllString(strings.ReplaceAll(text, "\r\n", ""), " ")
	return strings.ToLower(strings.TrimSpace(name)) + ":" + strings.Trim(text, " \t") + "\r\n"
}

func canonicalBody(body string, relaxed bool) string {
	if relaxed {
		body = strings.ReplaceAll(blanks.ReplaceAllString(body+"\x00", " "), " \r\n", "\r\n")
		body = strings.TrimSuffix(strings.TrimSuffix(body, "\x00"), " ")
	}
	body = lastEmpty.ReplaceAllString(body, "")
	if body == "" && relaxed {
		return ""
	}
	return body + "\r\n"
}
