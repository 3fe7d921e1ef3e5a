package table

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/gaissmai/bart"
)

// networks is a cidr table, cidr_table(5): the first rule in file order that matches answers. A run
// of plain rules, be it a million, is one prefix trie; the rules of an if ... endif are a block
// inside the block.
type networks struct {
	rules  []networkRule
	block  []networkStep
	hidden hidden // rules that others answer before
}

type networkRule struct {
	prefix netip.Prefix
	negate bool // "!": matches what is outside, but of the same family
	value  string
	line   int
}

// networkStep is one of: a run of plain rules, a negated rule, an if with its block.
type networkStep struct {
	run    *bart.Table[uint32] // index of the first rule of the run that covers this prefix
	rule   int                 // without run and block: index of the rule
	test   networkRule         // with block: the condition
	block  []networkStep
	isTest bool
}

func (n *networks) find(key string) (Match, bool) {
	if strings.Trim(key, "0123456789abcdefABCDEF:.") != "" {
		return Match{}, false // most keys are no addresses, and an error costs more than this
	}
	ip, err := netip.ParseAddr(key)
	if err != nil {
		return Match{}, false
	}
	m, ok := n.findAddr(ip)
	m.Key = key
	return m, ok
}

// findAddr is find for an address; the key is the caller's to fill in.
func (n *networks) findAddr(ip netip.Addr) (Match, bool) {
	i, ok := n.first(n.block, ip)
	if !ok {
		return Match{}, false
	}
	r := &n.rules[i]
	return Match{Value: r.value, Line: r.line, fixed: len(r.value)}, true
}

func (n *networks) first(block []networkStep, ip netip.Addr) (int, bool) {
	for i := range block {
		step := &block[i]
		switch {
		case step.run != nil:
			if rule, ok := step.run.Lookup(ip); ok {
				return int(rule), true
			}
		case step.isTest:
			if step.test.matches(ip) {
				if rule, ok := n.first(step.block, ip); ok {
					return rule, true
				}
			}
		case n.rules[step.rule].matches(ip):
			return step.rule, true
		}
	}
	return 0, false
}

// matches follows Postfix: an address of the other family matches neither a pattern nor its
// negation.
func (r *networkRule) matches(ip netip.Addr) bool {
	return r.prefix.Addr().BitLen() == ip.BitLen() && r.prefix.Contains(ip) != r.negate
}

func (n *networks) each(f func(int, string, int) error) error {
	for i := range n.rules {
		if err := f(n.rules[i].line, n.rules[i].value, len(n.rules[i].value)); err != nil {
			return err
		}
	}
	return nil
}

// networkReader builds the blocks while it reads. The innermost open block is the last of opened.
type networkReader struct {
	table  networks
	opened []openBlock
	values map[string]string // most tables have few different values
}

type openBlock struct {
	test  networkRule
	steps []networkStep
	run   []int // rules that are not yet a step
}

var (
	errEndif = errors.New("endif without if")
	errIf    = errors.New("if without endif")
)

func readNetworks(r io.Reader) (*networks, error) {
	b := networkReader{opened: make([]openBlock, 1), values: map[string]string{}}
	err := readEntries(r, b.line)
	for len(b.opened) > 1 {
		err = withError(err, &Error{Line: b.opened[len(b.opened)-1].test.line, Err: errIf})
		b.closeBlock()
	}
	b.endRun()
	b.table.block = b.opened[0].steps
	return &b.table, err
}

func (b *networkReader) line(line int, text string) error {
	verb, rest := statement(text)
	switch verb {
	case "if":
		test, err := parseNetwork(rest)
		test.line = line
		b.endRun()
		b.opened = append(b.opened, openBlock{test: test}) // even a wrong one has its endif
		return err
	case "endif":
		if rest != "" {
			return errors.New("text after endif")
		}
		if len(b.opened) == 1 {
			return errEndif
		}
		b.closeBlock()
		return nil
	}
	return b.rule(line, text)
}

// closeBlock ends the innermost if.
func (b *networkReader) closeBlock() {
	b.endRun()
	closed := b.opened[len(b.opened)-1]
	b.opened = b.opened[:len(b.opened)-1]
	outer := &b.opened[len(b.opened)-1]
	outer.steps = append(outer.steps, networkStep{isTest: true, test: closed.test, block: closed.steps})
}

func (b *networkReader) rule(line int, text string) error {
	start := len(text) - len(strings.TrimLeft(text, "!"+whiteSpace))
	end := strings.IndexAny(text[start:], whiteSpace)
	if end < 0 {
		return errNoValue
	}
	rule, err := parseNetwork(text[:start+end])
	if err != nil {
		return err
	}
	value := strings.Trim(text[start+end:], whiteSpace)
	if known, ok := b.values[value]; ok {
		value = known
	} else {
		value = strings.Clone(value)
		b.values[value] = value
	}
	rule.value, rule.line = value, line
	b.table.rules = append(b.table.rules, rule)
	index := len(b.table.rules) - 1
	block := &b.opened[len(b.opened)-1]
	if !rule.negate {
		block.run = append(block.run, index)
		return nil
	}
	b.endRun()
	block.steps = append(block.steps, networkStep{rule: index})
	return nil
}

// endRun makes a trie of the plain rules since the last step. What is stored at a prefix is the
// first rule in file order of all that cover it, so that the longest match, which is what a trie
// finds, gives the first match, which is what Postfix gives.
func (b *networkReader) endRun() {
	block := &b.opened[len(b.opened)-1]
	if len(block.run) == 0 {
		return
	}
	rules := b.table.rules
	var byLength [129][]int
	for _, i := range block.run {
		bits := rules[i].prefix.Bits()
		byLength[bits] = append(byLength[bits], i)
	}
	trie := new(bart.Table[uint32])
	for _, i := range slices.Concat(byLength[:]...) {
		// Shorter prefixes are all in: the longest that covers this one knows the first of them.
		first, ok := trie.LookupPrefix(rules[i].prefix)
		switch before := b.coveredBefore(rules[i].prefix); {
		case before != nil:
			b.table.hidden.add(rules[i].line, before.line, before.value != rules[i].value)
		case ok && first < uint32(i):
			b.table.hidden.add(rules[i].line, rules[first].line, rules[first].value != rules[i].value)
		}
		if !ok || uint32(i) < first {
			trie.Insert(rules[i].prefix, uint32(i))
		}
	}
	block.steps = append(block.steps, networkStep{run: trie})
	block.run = nil
}

// coveredBefore is a rule of an earlier run, in this block or one around it, that covers the
// prefix: where the run under way is reached at all, that rule has not matched.
func (b *networkReader) coveredBefore(prefix netip.Prefix) *networkRule {
	for i := range b.opened {
		steps := b.opened[i].steps
		for _, step := range steps[:min(len(steps), mostRuns)] {
			if step.run == nil {
				continue
			}
			if rule, ok := step.run.LookupPrefix(prefix); ok {
				return &b.table.rules[rule]
			}
		}
	}
	return nil
}

// mostRuns bounds the runs of a block that are searched for what covers a rule.
const mostRuns = 32

// statement parts "if" and "endif" from the rest of a line, as Postfix does in cidr, regexp and
// pcre tables: whatever the case, and when no letter or digit follows.
func statement(text string) (verb, rest string) {
	for _, verb := range []string{"if", "endif"} {
		if len(text) >= len(verb) && strings.EqualFold(text[:len(verb)], verb) &&
			(len(text) == len(verb) || !isAlnum(text[len(verb)])) {
			return verb, strings.Trim(text[len(verb):], whiteSpace)
		}
	}
	return "", text
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// parseNetwork reads [!]ADDRESS[/LENGTH], the address or the whole in brackets if you like.
func parseNetwork(s string) (networkRule, error) {
	var r networkRule
	for s != "" && strings.IndexByte("!"+whiteSpace, s[0]) >= 0 {
		r.negate = r.negate != (s[0] == '!')
		s = s[1:]
	}
	if s == "" {
		return r, errors.New("no address pattern")
	}
	text, length, hasLength := s, "", false
	if s[0] == '[' {
		inside, after, closed := strings.Cut(s[1:], "]")
		if !closed || (after != "" && after[0] != '/') {
			return r, fmt.Errorf("bad address pattern %q: brackets", s)
		}
		text = inside + after
	}
	text, length, hasLength = strings.Cut(text, "/")
	ip, err := netip.ParseAddr(text)
	if err != nil || ip.Zone() != "" {
		return r, fmt.Errorf("bad address pattern %q: not an IP address or ADDRESS/LENGTH", s)
	}
	bits := ip.BitLen()
	if hasLength {
		bits, err = strconv.Atoi(length)
		if err != nil || bits > ip.BitLen() || strings.Trim(length, "0123456789") != "" {
			return r, fmt.Errorf("bad prefix length in %q: want 0 to %d", s, ip.BitLen())
		}
	}
	r.prefix = netip.PrefixFrom(ip, bits)
	if r.prefix.Masked() != r.prefix {
		return r, fmt.Errorf("%q has bits after its prefix; perhaps you mean %s", s, r.prefix.Masked())
	}
	return r, nil
}
