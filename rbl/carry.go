package rbl

import (
	"strconv"
	"strings"
)

// CutKey parts the name of a paid zone, as other programs have it, into the customer's key and the
// zone behind it: KEY.zen.dq.spamhaus.net. ok is false for a zone that has no key, or a {NAME}.
func CutKey(zone string) (key, rest string, ok bool) {
	folded := lowerASCII(strings.TrimSuffix(zone, "."))
	for i := range knownZones {
		z := &knownZones[i]
		key, found := strings.CutSuffix(folded, "."+z.zone)
		if z.keyed && found && checkLabel(key) == nil {
			return key, z.zone, true
		}
	}
	return "", zone, false
}

// Retired reports whether a zone is one that must not be asked any more.
func Retired(zone string) bool { return retired(lowerASCII(strings.TrimSuffix(zone, "."))) != nil }

// HideKey is a zone, or a text that has one in it, as it may be shown: with KEY in place of what
// may be a customer's key.
func HideKey(zone string) string { return hideKey(zone) }

// Uncounted are codes that the list is known to answer and that do not count for the entry, because
// it has no filter and they mean something else than its weight says: "127.0.0.3 yellow: sends
// both".
func (e Entry) Uncounted() (codes []string) {
	if e.Filter != nil || e.info == nil {
		return nil
	}
	for _, m := range e.info.meanings {
		if m.sense == e.sense() {
			continue
		}
		code := m.codes.String()
		if m.bits != 0 {
			code = "bit " + strconv.Itoa(int(m.bits))
		}
		codes = append(codes, code+" "+m.text)
	}
	return codes
}

// Known reports whether the codes of the entry's zone are known here.
func (e Entry) Known() bool { return e.info != nil }
