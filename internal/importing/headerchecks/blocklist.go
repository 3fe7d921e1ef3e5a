package headerchecks

import (
	"slices"
	"strings"

	"mailweir/internal/importing"
)

// blockList is a texthash of addresses and domains in the making.
type blockList struct {
	entries []*blockEntry
	from    []importing.Place
}

// blockEntry is an address, or a domain with what is said of itself and of its sub-domains.
type blockEntry struct {
	at           importing.Place
	key          string // an address, or a domain
	domain       bool
	exact, below string // actions, "" for none
}

// add adds a key: user@example.com, @example.com for a domain without its sub-domains, .example.com
// for these alone, example.com for both. What an earlier rule says counts.
func (l *blockList) add(r *rule, key, action string) {
	if at := r.place(); !slices.Contains(l.from, at) {
		l.from = append(l.from, at)
	}
	bare := strings.TrimLeft(key, "@.")
	exact, below := key[0] != '.', key[0] != '@'
	isDomain := strings.IndexByte(key, '@') <= 0
	var e *blockEntry
	for _, had := range l.entries {
		if had.key == bare && had.domain == isDomain {
			e = had
		}
	}
	if e == nil {
		e = &blockEntry{at: r.place(), key: bare, domain: isDomain}
		l.entries = append(l.entries, e)
	}
	if exact && e.exact == "" {
		e.exact = action
	}
	if below && e.below == "" {
		e.below = action
	}
}

// lines are those of the file. In a block list a domain stands for its sub-domains, too, unless
// they have an entry of their own.
func (l *blockList) lines() (lines []string) {
	last := importing.Place{}
	for _, e := range l.entries {
		if e.at != last {
			lines = append(lines, "# "+e.at.String())
			last = e.at
		}
		switch {
		case !e.domain || e.exact == e.below, e.below == "" && l.belowParent(e.key):
			lines = append(lines, e.key+"\t"+e.exact)
		case e.exact == "":
			lines = append(lines, "."+e.key+"\t"+e.below)
		case e.below == "":
			lines = append(lines, e.key+"\t"+e.exact, "."+e.key+"\tDUNNO")
		default:
			lines = append(lines, e.key+"\t"+e.exact, "."+e.key+"\t"+e.below)
		}
	}
	return lines
}

// belowParent reports whether a domain above is refused with all that is below it.
func (l *blockList) belowParent(domain string) bool {
	return slices.ContainsFunc(l.entries, func(e *blockEntry) bool {
		return e.domain && e.below != "" && strings.HasSuffix(domain, "."+e.key)
	})
}
