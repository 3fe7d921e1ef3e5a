package access

import (
	"errors"
	"regexp"
	"strings"

	"mailweir/internal/table"
)

// line is an entry as it is to stand in a list of mailweir: it does what the list is for, or it
// exempts from a wider entry that does.
type line struct {
	*entry
	act *action
	// value is what stands on the right in mailweir's list.
	value string
	// target says that the line does what the list is for.
	target bool
	// shields says that the line is needed for what a wider entry or a later table would do.
	shields bool
}

// projection is what of a map goes into the list of a flag, in the order of the map.
type projection struct {
	kind  string
	lines []*line
	// parents says that the key of a domain stands for its sub-domains, in the map as in mailweir.
	parents bool
	// names says that patterns are asked about the name of a client before its address: then each
	// stands before each other one.
	names bool
	// delimiters are those of an address extension, or "".
	delimiters string
	// depth is in how many ifs a line stands, and lost in how many of those that cannot be carried
	// over.
	depth, lost int
}

var (
	errBlock = errors.New("it stands within an if that cannot be carried over")
	errEndif = errors.New("there is no if before it")
)

// usable says why the next line of the map cannot stand in the list, nil where it can.
func (p *projection) usable(l *line, options table.ListOptions) error {
	switch {
	case l.Block && isEndif(l):
		switch {
		case p.lost > 0:
			p.lost--
			return errBlock
		case p.depth == 0:
			return errEndif
		}
		p.depth--
		return nil
	case l.Block && p.lost > 0:
		p.lost++
		return errBlock
	case p.lost > 0:
		return errBlock
	case l.Block && l.Odd != "":
		p.lost++
		return errors.New(l.Odd)
	case l.Block:
		err := table.CheckLine(p.kind, l.Key+"\nendif", table.ListOptions{})
		if err != nil {
			p.lost++
			return err
		}
		p.depth++
		return nil
	}
	if l.Odd != "" {
		return errors.New(l.Odd)
	}
	return table.CheckLine(p.kind, l.Key+" "+l.value, options)
}

// close ends each if that is open.
func (p *projection) close() {
	for ; p.depth > 0; p.depth-- {
		p.lines = append(p.lines, &line{entry: &entry{Key: "endif", Block: true}, act: &action{}})
	}
}

// trim drops the lines that change nothing: those that are neither targets nor stand in the way of
// one. behind says of a line that it must stay for what tables behind this one do.
func (p *projection) trim(behind func(*line) bool) {
	needed := p.shielding(func(l *line) bool { return l.target || behind(l) })
	var kept []*line
	for i, l := range p.lines {
		l.shields = !l.target && !l.Block && (needed(i) || behind(l))
		if l.target || l.shields || l.Block {
			kept = append(kept, l)
		}
	}
	p.lines = withoutEmpty(kept)
}

// withoutEmpty drops each if that has nothing left within, with its endif.
func withoutEmpty(lines []*line) (kept []*line) {
	for _, l := range lines {
		if l.Block && len(kept) > 0 && isEndif(l) && kept[len(kept)-1].Block && !isEndif(kept[len(kept)-1]) {
			kept = kept[:len(kept)-1]
			continue
		}
		kept = append(kept, l)
	}
	return kept
}

func isEndif(l *line) bool { return strings.EqualFold(strings.TrimSpace(l.Key), "endif") }

// targets reports whether the list does anything.
func (p *projection) targets() bool {
	for _, l := range p.lines {
		if l.target {
			return true
		}
	}
	return false
}

// shielding tells which lines stand in the way of one of the same map that counts.
func (p *projection) shielding(counts func(*line) bool) func(i int) bool {
	if p.kind != "texthash" {
		last := -1
		for i, l := range p.lines {
			if counts(l) {
				last = i
			}
		}
		return func(i int) bool { return i < last || p.names && last >= 0 }
	}
	keys := make(map[string]bool)
	extended := make(map[string]bool) // user@ of each user+extension@
	var anyUser, anyNet bool
	for _, l := range p.lines {
		if counts(l) {
			key := strings.ToLower(l.Key)
			keys[key] = true
			if local, users := strings.CutSuffix(key, "@"); users {
				anyUser = true
				extended[p.base(local)] = true
			}
			anyNet = anyNet || isNet(key)
		}
	}
	return func(i int) bool {
		key := strings.ToLower(p.lines[i].Key)
		for _, wider := range p.wider(key) {
			if keys[wider] {
				return true
			}
		}
		if local, domain, mail := cutLast(key, "@"); mail && domain != "" && extended[local] {
			return true
		}
		// Behind its domains an address is looked up as user@, behind its names a client by
		// address.
		return !strings.Contains(key, "@") && (anyUser || anyNet && !isNet(key))
	}
}

// wider are the keys that are looked up behind a key, for what it is found for, as far as they
// follow from it.
func (p *projection) wider(key string) (keys []string) {
	local, domain, mail := cutLast(key, "@")
	switch {
	case !mail && isNet(key):
		delimiter := "."
		if strings.Contains(key, ":") {
			delimiter = ":"
		}
		for i := strings.LastIndex(key, delimiter); i > 0; i = strings.LastIndex(key, delimiter) {
			key = key[:i]
			keys = append(keys, key)
		}
		return keys
	case !mail:
		return p.above(key)
	}
	base := p.base(local)
	if domain == "" {
		return []string{base + "@"}
	}
	if base != local {
		keys = append(keys, base+"@"+domain)
	}
	keys = append(keys, domain)
	keys = append(keys, p.above(domain)...)
	return append(keys, local+"@", base+"@")
}

// base is a local part without its extension.
func (p *projection) base(local string) string {
	if i := strings.IndexAny(local, p.delimiters); i > 0 {
		return local[:i]
	}
	return local
}

// above are the keys of the domains that a domain is below of.
func (p *projection) above(domain string) (keys []string) {
	domain = strings.TrimPrefix(domain, ".")
	for {
		_, rest, found := strings.Cut(domain, ".")
		if !found {
			return keys
		}
		if domain = rest; p.parents {
			keys = append(keys, domain)
		} else {
			keys = append(keys, "."+domain)
		}
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// part is a table to be written.
type part struct {
	kind, suffix string
	lines        []*line
	// key is how a line's key is written.
	key func(*line) string
}

// parts are the tables that do what the map did. Where the key of a domain does not stand for its
// sub-domains in Postfix, domains become patterns, because in mailweir's lists it always does; they
// stand between addresses and all else, as Postfix looks them up.
func (p *projection) parts() []part {
	asIs := func(l *line) string { return l.Key }
	if p.kind != "texthash" || p.parents {
		return []part{{kind: p.kind, lines: p.lines, key: asIs}}
	}
	addresses := part{kind: "texthash", suffix: "-addresses", key: asIs}
	domains := part{kind: "pcre", suffix: "-domains", key: exactDomain}
	rest := part{kind: "texthash", key: asIs}
	for _, l := range p.lines {
		local, domain, mail := cutLast(strings.ToLower(l.Key), "@")
		switch {
		case mail && local != "" && domain != "" || l.Key == "<>":
			addresses.lines = append(addresses.lines, l)
		case mail, strings.HasPrefix(l.Key, "."), isNet(domain), isNet(local), strings.HasPrefix(l.Key, "["):
			rest.lines = append(rest.lines, l)
		default:
			domains.lines = append(domains.lines, l)
		}
	}
	var parts []part
	for _, one := range []part{addresses, domains, rest} {
		if len(one.lines) > 0 {
			parts = append(parts, one)
		}
	}
	return parts
}

// exactDomain is the pattern of a name, or of the addresses of a domain.
func exactDomain(l *line) string {
	return "/(^|@)" + strings.ReplaceAll(regexp.QuoteMeta(strings.ToLower(l.Key)), "/", `\/`) + "$/"
}
