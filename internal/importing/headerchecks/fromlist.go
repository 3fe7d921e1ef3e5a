package headerchecks

import (
	"fmt"
	"regexp"
	"strings"

	"mailweir/internal/importing"
)

// fromList collects what is said of addresses in header From, in the order of the rules.
type fromList struct {
	entries    []fromEntry
	exemptions map[*rule]*exemption
	ordered    bool // an exemption stands among them, so that the order matters
}

// fromEntry is a rule with the addresses that it means.
type fromEntry struct {
	rule   *rule
	means  addresses
	action string
	exempt bool
	kept   bool // nothing of the rule's text is lost
}

// refuse adds a rule behind the exceptions from it.
func (l *fromList) refuse(r *rule, means addresses, exceptions []*rule) error {
	for _, s := range exceptions {
		if e := l.exempted(s); e.err != nil {
			return errException{e.err, s, r}
		}
	}
	for _, s := range exceptions {
		if e := l.exempted(s); !e.listed {
			e.listed, l.ordered = true, true
			l.entries = append(l.entries, fromEntry{rule: s, means: e.means, action: "DUNNO", exempt: true})
		}
	}
	action, kept := r.reply()
	l.entries = append(l.entries, fromEntry{rule: r, means: means, action: action, kept: kept})
	r.fate = importing.Carried // what it says is known when all are
	return nil
}

// exemption is what a rule that lets lines pass says of addresses.
type exemption struct {
	means  addresses
	err    error // why it says nothing of them
	listed bool
}

func (l *fromList) exempted(r *rule) *exemption {
	e := l.exemptions[r]
	if e == nil {
		e = &exemption{}
		e.means, e.err = r.exempted()
		if l.exemptions == nil {
			l.exemptions = map[*rule]*exemption{}
		}
		l.exemptions[r] = e
	}
	return e
}

// exempted are the addresses of a rule that lets lines pass.
func (r *rule) exempted() (addresses, error) {
	pattern, err := r.joined()
	if err != nil {
		return addresses{}, err
	}
	f := parseField(pattern)
	if !f.only("from") {
		return addresses{}, errAddresses
	}
	a, ok := parseAddresses(f.value)
	if !ok {
		return addresses{}, errAddresses
	}
	return a, nil
}

// tables are the lines of both tables: patterns, which are asked first, and the block list.
func (l *fromList) tables() (patterns list, block blockList) {
	for _, e := range l.entries {
		switch {
		case e.exempt:
			patterns.add(e.rule, slashed(e.means.whole), e.action)
			e.rule.exempts(patternFile)
		case e.means.pattern != nil:
			source := slashed(e.means.pattern)
			patterns.add(e.rule, source, strings.ReplaceAll(e.action, "$", "$$"))
			e.settle(source, patternFile)
		case l.ordered:
			source := keyPattern(e.means.keys)
			patterns.add(e.rule, source, strings.ReplaceAll(e.action, "$", "$$"))
			e.settle(source, patternFile)
		default:
			for _, key := range e.means.keys {
				block.add(e.rule, key, e.action)
			}
			e.settle(shorten(e.means.keys), blockFile)
		}
	}
	return patterns, block
}

// settle says what became of the rule.
func (e *fromEntry) settle(written, file string) {
	reason := fmt.Sprintf("is written as %s in %s", written, file)
	switch {
	case e.means.narrower:
		e.rule.changed("%s; what only begins or ends like it, and is another address, is no longer refused", reason)
	case !e.kept:
		e.rule.changed("%s; %s", reason, ownWords)
	default:
		e.rule.carried("%s", reason)
	}
}

// ownWords is said of rules whose text is lost.
const ownWords = "the reply has the check's words instead of these"

// slashed is a pattern as it stands in a table of patterns.
func slashed(pattern []*node) string {
	return "/" + strings.ReplaceAll(print(pattern), "/", `\/`) + "/"
}

// keyPattern is a pattern for keys of a block list.
func keyPattern(keys []string) string {
	var all []string
	for _, key := range keys {
		quoted := strings.ReplaceAll(regexp.QuoteMeta(key), "/", `\/`)
		switch {
		case key[0] == '@' || key[0] == '.':
			quoted += "$"
		case strings.HasSuffix(key, "@"):
			quoted = "^" + quoted
		case strings.Contains(key, "@"):
			quoted = "^" + quoted + "$"
		default:
			quoted = "[@.]" + quoted + "$"
		}
		all = append(all, quoted)
	}
	if len(all) == 1 {
		return "/" + all[0] + "/"
	}
	return "/(?:" + strings.Join(all, "|") + ")/"
}
