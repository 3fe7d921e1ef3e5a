package table

import (
	"net/netip"
	"strings"

	"mailweir/internal/address"
)

// keys are the keys of one question in all their spellings. The first spelling of a domain is that
// with A-labels, the second, if it differs, that with U-labels; the first of a local part is
// without quotes, the second, if it needs them, with.
type keys struct {
	wholes  [2]string // for patterns and networks
	null    bool
	locals  [2]string // with extension
	bases   [2]string // without, "" if there is none
	domains [2]string
	parents bool // "example.com" matches its sub-domains
}

func addressKeys(a address.Address, o ListOptions) keys {
	if a.IsNull() {
		return keys{null: true}
	}
	k := domainKeys(a.Domain, o)
	k.locals = spellings(a.Local)
	k.wholes[0] = a.Key()
	if k.domains[1] != "" {
		k.wholes[1] = a.Local + "@" + k.domains[1]
	}
	if base := a.Base(o.Delimiters).Local; len(base) < len(a.Local) {
		k.bases = spellings(base)
	}
	return k
}

func domainKeys(name string, o ListOptions) keys {
	k := keys{parents: o.Subdomains}
	k.domains[0] = address.NormalDomain(name)
	if unicode := address.UnicodeDomain(k.domains[0]); unicode != k.domains[0] {
		k.domains[1] = fold(unicode)
	}
	k.wholes = k.domains
	return k
}

// spellings of a local part: as it is, and quoted as Postfix quotes it (RFC 5321 section 4.1.2) if
// it must be.
func spellings(local string) [2]string {
	if isDotAtom(local) {
		return [2]string{local}
	}
	return [2]string{local, `"` + quoter.Replace(local) + `"`}
}

var quoter = strings.NewReplacer(`"`, `\"`, `\`, `\\`)

func isDotAtom(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f || strings.IndexByte(`"(),:;<>@[\]`, c) >= 0 ||
			(c == '.' && (i == 0 || i == len(s)-1 || s[i-1] == '.')) {
			return false
		}
	}
	return s != ""
}

// in asks one table.
func (k *keys) in(t *Table) (Match, bool) {
	switch {
	case k.null:
		return t.source.find("<>")
	case t.hash == nil:
		return k.inPatterns(t.source)
	}
	h := t.hash
	if k.locals[0] != "" && h.shape&hasAddress != 0 {
		for _, locals := range [...]*[2]string{&k.locals, &k.bases} {
			if m, ok := k.full(h, locals); ok {
				return m, true
			}
		}
	}
	if h.shape&(hasName|hasParent) != 0 {
		if m, ok := k.domain(h); ok {
			return m, true
		}
	}
	if h.shape&hasUser != 0 {
		for _, locals := range [...]*[2]string{&k.locals, &k.bases} {
			for _, local := range locals {
				if m, ok := findParts(h, local, "@", ""); local != "" && ok {
					return m, true
				}
			}
		}
	}
	return Match{}, false
}

// full asks for "user@example.com" in all spellings.
func (k *keys) full(h *hashed, locals *[2]string) (Match, bool) {
	for _, local := range locals {
		if local == "" {
			continue
		}
		for _, domain := range k.domains {
			if domain == "" {
				continue
			}
			if m, ok := findParts(h, local, "@", domain); ok {
				return m, true
			}
		}
	}
	return Match{}, false
}

// domain asks for the domain and its parents. Both spellings have the same number of labels and go
// up together.
func (k *keys) domain(h *hashed) (Match, bool) {
	rest := k.domains
	for _, name := range rest {
		if m, ok := findName(h, name); ok {
			return m, true
		}
	}
	if strings.HasPrefix(rest[0], "[") {
		return Match{}, false
	}
	for {
		for i, name := range rest {
			if dot := strings.IndexByte(name, '.'); dot >= 0 {
				rest[i] = name[dot:]
			} else {
				rest[i] = ""
			}
		}
		if rest[0] == "" && rest[1] == "" {
			return Match{}, false
		}
		for _, name := range rest {
			if name != "" && h.shape&hasParent != 0 {
				if m, ok := findParts(h, name, "", ""); ok {
					return m, true
				}
			}
		}
		for i, name := range rest {
			if name == "" {
				continue
			}
			rest[i] = name[1:]
			if k.parents {
				if m, ok := findName(h, rest[i]); ok {
					return m, true
				}
			}
		}
	}
}

func findName(h *hashed, name string) (Match, bool) {
	if name == "" || h.shape&hasName == 0 {
		return Match{}, false
	}
	return findParts(h, name, "", "")
}

// findParts asks for a key that is put together on the stack.
func findParts(h *hashed, a, b, c string) (Match, bool) {
	var buf [keyBuffer]byte
	key := append(append(append(buf[:0], a...), b...), c...)
	return h.findFolded(key)
}

// inPatterns asks for the whole address or name.
func (k *keys) inPatterns(s source) (Match, bool) {
	for _, key := range k.wholes {
		if key == "" {
			continue
		}
		if m, ok := s.find(key); ok {
			return m, true
		}
	}
	return Match{}, false
}

// client asks for an address and, in tables of plain keys, for the nets that contain it.
func (t *Table) client(ip netip.Addr) (Match, bool) {
	if !ip.IsValid() {
		return Match{}, false
	}
	if t.hash == nil {
		if n, ok := t.source.(*networks); ok {
			m, ok := n.findAddr(ip)
			if ok {
				m.Key = ip.String()
			}
			return m, ok
		}
		return t.source.find(ip.String())
	}
	var buf [64]byte
	key := ip.AppendTo(buf[:0])
	delimiter := byte('.')
	if ip.Is6() {
		delimiter = ':'
	}
	for len(key) > 0 {
		if m, ok := t.hash.findFolded(key); ok {
			return m, true
		}
		end := len(key) - 1
		for end >= 0 && key[end] != delimiter {
			end--
		}
		key = key[:max(end, 0)]
	}
	return Match{}, false
}
