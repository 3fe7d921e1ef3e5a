package row

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"

	"mailweir/internal/address"
	"mailweir/internal/record"
)

// Forget finds everything about an address, so that it can be deleted.
type Forget struct {
	address address.Address
	key     string
	names   *regexp.Regexp
}

// NewForget is about an address, and about the same with an extension behind a plus.
func NewForget(s string) *Forget {
	a := address.Parse(record.Folded(clean(s)))
	local, domain := a.Key(), ""
	if at := strings.LastIndexByte(a.Key(), '@'); at >= 0 {
		local, domain = a.Key()[:at], a.Key()[at+1:]
	}
	extension := `(?:\+[^@\s"<>]*)?`
	// In a text it stands as a whole word: bob@example.org is not in jacob@example.org, nor in
	// bob@example.organisation. The domain may be written in its own letters.
	domains := regexp.QuoteMeta(domain)
	if shown := address.UnicodeDomain(domain); shown != domain {
		domains = "(?:" + domains + "|" + regexp.QuoteMeta(shown) + ")"
	}
	names := regexp.MustCompile(`(?i)(^|[^\pL\pN._+-])` + regexp.QuoteMeta(local) + extension + "@" + domains + `($|[^\pL\pN.-]|\.$|\.[^\pL\pN])`)
	return &Forget{a, a.Key(), names}
}

// Text stands, in any case, in everything that is about the address, so that a store need not look
// at all; it is "" where the domain may be written in more than one way.
func (f *Forget) Text() string {
	if strings.Contains(f.address.Domain, "xn--") {
		return ""
	}
	return f.address.Domain
}

// Hash stands for the address where it must not stand itself: sha256: and the digest of its key.
func (f *Forget) Hash() string {
	digest := sha256.Sum256([]byte(f.key))
	return "sha256:" + hex.EncodeToString(digest[:])
}

// Concerns reports whether an entry is about the address: as sender, recipient or login, or named
// anywhere in it.
func (f *Forget) Concerns(e record.Entry) bool {
	if f.is(e.Sender()) {
		return true
	}
	if e.Event != nil {
		for _, r := range e.Event.Recipients {
			if f.is(r) {
				return true
			}
		}
		return f.is(e.Event.Login) || f.named(e.Event)
	}
	for _, r := range e.Message.Recipients {
		if f.is(r.Recipient) {
			return true
		}
	}
	return f.is(e.Message.Login) || f.named(e.Message)
}

func (f *Forget) is(s string) bool {
	if s == "" || s == "<>" {
		return false
	}
	a := address.Parse(s)
	return a.Key() == f.key || a.Base("+").Key() == f.key
}

// named looks at all that is kept of an entry.
func (f *Forget) named(v any) bool {
	var b strings.Builder
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	return out.Encode(v) != nil || f.names.MatchString(b.String())
}

// Hide puts the hash in the place of the address in a text.
func (f *Forget) Hide(s string) string {
	for f.names.MatchString(s) { // neighbours share what stands between them
		s = f.names.ReplaceAllString(s, "${1}"+f.Hash()+"${2}")
	}
	return s
}

// Change puts the hash in the place of the address in a row of the audit, and reports whether it
// was there.
func (f *Forget) Change(c *record.Change) (named bool) {
	replace := func(s *string) {
		if hidden := f.Hide(*s); hidden != *s {
			*s, named = hidden, true
		}
	}
	for _, s := range []*string{&c.Why, &c.Err, &c.Name, &c.From} {
		replace(s)
	}
	for i := range c.Changes {
		a := &c.Changes[i]
		replace(&a.What)
		replace(&a.Before)
		replace(&a.After)
	}
	return named
}
