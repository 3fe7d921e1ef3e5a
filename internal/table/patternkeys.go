package table

import (
	"errors"
	"regexp/syntax"
	"slices"
	"strings"
)

// traits are what is known of a pattern before any key is asked for.
type traits struct {
	capitals bool   // it matches capitals alone, and keys are in lower case
	header   string // the field that it begins with, as in header_checks, such as "from"; "" for none
	angle    bool   // it begins with an address in angle brackets
	all      bool   // it matches every key
	literal  string // it matches what this lower-case text is in, and nothing else; "" where it is no such pattern
}

var (
	errCapitals = errors.New("the pattern can never match: what is looked up is in lower case, and the flag i makes it case-sensitive (Postfix ignores case without it): leave the flag out")
	errAngle    = errors.New("the pattern can never match: addresses are looked up without < and >")
)

// neverMatches says why a pattern can never match what a list is asked for, nil if it may.
func (u *Use) neverMatches(t traits) error {
	switch {
	case u.Asked == 0:
		return nil
	case t.capitals:
		return errCapitals
	case u.Asked == OwnKeys:
		return nil
	case t.header != "":
		return headerError(t.header)
	case t.angle:
		return errAngle
	}
	return nil
}

type headerError string

func (h headerError) Error() string {
	return "the pattern can never match: no header is looked up here, as in header_checks, but the address, name or domain alone; leave out \"" + string(h) + ":\" and what stands before the address"
}

// traitsOf looks at a pattern as it has been read.
func traitsOf(tree *syntax.Regexp) traits {
	t := traits{capitals: !inLowerCase(tree), all: matchesAll(tree)}
	if tree.Op == syntax.OpLiteral && tree.Flags&syntax.FoldCase != 0 {
		t.literal = strings.ToLower(string(tree.Rune))
	}
	heads, _ := headsOf(tree)
	t.header = commonHeader(heads)
	t.angle = len(heads) > 0 && !slices.ContainsFunc(heads, func(h string) bool {
		return len(h) < 2 || h[0] != '<' || h[1] == '>'
	})
	return t
}

// inLowerCase reports whether the pattern can match a text without ASCII capitals.
func inLowerCase(e *syntax.Regexp) bool {
	switch e.Op {
	case syntax.OpNoMatch:
		return false
	case syntax.OpLiteral:
		return e.Flags&syntax.FoldCase != 0 || !slices.ContainsFunc(e.Rune, isCapital)
	case syntax.OpCharClass:
		for i := 0; i < len(e.Rune); i += 2 {
			if !isCapital(e.Rune[i]) || !isCapital(e.Rune[i+1]) {
				return true
			}
		}
		return false
	case syntax.OpConcat:
		return !slices.ContainsFunc(e.Sub, func(sub *syntax.Regexp) bool { return !inLowerCase(sub) })
	case syntax.OpAlternate:
		return slices.ContainsFunc(e.Sub, inLowerCase)
	case syntax.OpCapture, syntax.OpPlus:
		return inLowerCase(e.Sub[0])
	case syntax.OpRepeat:
		return e.Min == 0 || inLowerCase(e.Sub[0])
	}
	return true
}

func isCapital(r rune) bool { return 'A' <= r && r <= 'Z' }

// matchesAll knows the usual patterns that match every key: /^/, /./, /.*/ and the like.
func matchesAll(e *syntax.Regexp) bool {
	parts := []*syntax.Regexp{e}
	if e.Op == syntax.OpConcat {
		parts = e.Sub
	}
	anchored := 0
	any := false
	for _, p := range parts {
		for p.Op == syntax.OpCapture {
			p = p.Sub[0]
		}
		switch {
		case p.Op == syntax.OpBeginText, p.Op == syntax.OpEndText:
			anchored++
		case p.Op == syntax.OpEmptyMatch:
		case (p.Op == syntax.OpStar || p.Op == syntax.OpPlus) && isAny(p.Sub[0]):
			any = true
		case isAny(p):
			anchored++ // of one character alone, unless others may follow
		default:
			return false
		}
	}
	return any || anchored <= 1
}

func isAny(e *syntax.Regexp) bool {
	return e.Op == syntax.OpAnyChar || e.Op == syntax.OpAnyCharNotNL
}

// mostHeads bounds the beginnings of a pattern that are looked at.
const mostHeads = 64

// headsOf are the texts, in lower case, of which each match begins with one; none where that is
// not known. Whole says that they are all of the match.
func headsOf(e *syntax.Regexp) (heads []string, whole bool) {
	switch e.Op {
	case syntax.OpLiteral:
		return []string{strings.ToLower(string(e.Rune))}, true
	case syntax.OpCharClass:
		return headsOfClass(e.Rune)
	case syntax.OpBeginText, syntax.OpBeginLine, syntax.OpEmptyMatch:
		return []string{""}, true
	case syntax.OpCapture:
		return headsOf(e.Sub[0])
	case syntax.OpPlus:
		heads, _ = headsOf(e.Sub[0])
		return heads, false
	case syntax.OpAlternate:
		whole = true
		for _, sub := range e.Sub {
			own, all := headsOf(sub)
			if own == nil {
				return nil, false
			}
			heads, whole = append(heads, own...), whole && all
		}
		return heads, whole && len(heads) <= mostHeads
	case syntax.OpConcat:
		return headsOfConcat(e.Sub)
	}
	return nil, false
}

// headsOfClass are the members of a small class, such as [Ff].
func headsOfClass(ranges []rune) (heads []string, whole bool) {
	for i := 0; i < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if len(heads) == 8 {
				return nil, false
			}
			heads = append(heads, strings.ToLower(string(r)))
		}
	}
	return heads, true
}

func headsOfConcat(parts []*syntax.Regexp) (heads []string, whole bool) {
	heads = []string{""}
	for _, part := range parts {
		own, all := headsOf(part)
		if own == nil || len(heads)*len(own) > mostHeads {
			return known(heads), false
		}
		var joined []string
		for _, head := range heads {
			for _, next := range own {
				joined = append(joined, head+next)
			}
		}
		if heads = joined; !all {
			return known(heads), false
		}
	}
	return heads, true
}

// known are heads that say something.
func known(heads []string) []string {
	if slices.Contains(heads, "") {
		return nil
	}
	return heads
}

// headers are fields that header_checks are written about. None is the first group of an IPv6
// address.
var headers = []string{
	"from", "to", "subject", "received", "reply-to", "return-path", "sender", "date", "message-id", "content-type",
	"content-disposition", "content-transfer-encoding", "list-unsubscribe", "delivered-to", "user-agent",
}

// commonHeader is the field that all heads begin with, or one of them.
func commonHeader(heads []string) (field string) {
	for _, head := range heads {
		name, _, found := strings.Cut(head, ":")
		if !found || !slices.Contains(headers, name) && !strings.HasPrefix(name, "x-") {
			return ""
		}
		field = name
	}
	return field
}
