package rspamd

import (
	"regexp"
	"strings"
)

// part is what of an address a map is asked for.
type part uint8

const (
	partWhole  part = iota // user@domain
	partDomain             // what is behind @
	partUser               // what is before it
	partAny                // each of the three
)

// tablePattern makes of a pattern or glob, which is searched for in a part of an address, one that
// pcre_table(5) finds in the whole address; of a host name it is the whole. why says why not.
func tablePattern(e mapEntry, of part) (pattern, why string) {
	source := e.key
	switch {
	case !e.pattern:
		source = fromGlob(e.key)
	case strings.Trim(e.flags, "iumsO") != "":
		return "", "it has the flag " + strings.Trim(e.flags, "iumsO") + ", which no table has"
	}
	begins, ends, alone := anchors(source)
	switch of {
	case partDomain:
		switch {
		case len(begins) == 0:
			source = "@[^@]*(?:" + source + ")"
		case len(begins) == 1 && begins[0] == 0 && alone:
			source = "@" + source[1:]
		default:
			return "", "^ stands within it: write a pattern of whole addresses by hand"
		}
	case partUser:
		switch {
		case len(ends) == 0:
			source = "(?:" + source + ")[^@]*@"
		case len(ends) == 1 && ends[0] == len(source)-1 && alone:
			source = source[:len(source)-1] + "@"
		default:
			return "", "$ stands within it: write a pattern of whole addresses by hand"
		}
	case partAny:
		source = eitherSide(source, begins, ends)
	}
	return "/" + escapeSlash(source) + "/", ""
}

// fromGlob makes a pattern of a glob, which rspamd searches for anywhere, too: * is any text, ? one
// character or none.
func fromGlob(glob string) string {
	return strings.NewReplacer(`\*`, ".*", `\?`, ".?").Replace(regexp.QuoteMeta(glob))
}

// anchors finds ^ and $ outside of classes. alone says that no | stands outside of brackets.
func anchors(source string) (begins, ends []int, alone bool) {
	alone = true
	depth, class := 0, false
	for i := 0; i < len(source); i++ {
		switch c := source[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
			// A bracket that comes first is a member.
			for i+1 < len(source) && source[i+1] == '^' {
				i++
			}
			if i+1 < len(source) && source[i+1] == ']' {
				i++
			}
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			alone = false
		case c == '^':
			begins = append(begins, i)
		case c == '$':
			ends = append(ends, i)
		}
	}
	return begins, ends, alone
}

// eitherSide has ^ and $ match at the @ as well.
func eitherSide(source string, begins, ends []int) string {
	var b strings.Builder
	for i := range len(source) {
		switch {
		case len(begins) > 0 && begins[0] == i:
			begins = begins[1:]
			b.WriteString("(?:^|@)")
		case len(ends) > 0 && ends[0] == i:
			ends = ends[1:]
			b.WriteString("(?:$|@)")
		default:
			b.WriteByte(source[i])
		}
	}
	return b.String()
}

// escapeSlash has no slash end the pattern.
func escapeSlash(source string) string {
	var b strings.Builder
	for i := 0; i < len(source); i++ {
		switch {
		case source[i] == '\\' && i+1 < len(source):
			b.WriteString(source[i : i+2])
			i++
		case source[i] == '/':
			b.WriteString(`\/`)
		default:
			b.WriteByte(source[i])
		}
	}
	return b.String()
}
