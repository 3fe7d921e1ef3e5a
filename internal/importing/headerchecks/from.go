package headerchecks

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// addresses are what a pattern for header From means, where it means addresses or domains.
type addresses struct {
	keys []string // of a block list: user@domain, user@, .domain (sub-domains), domain (and sub-domains), @domain (without them)
	// pattern is for one whole address, nil where keys say it all.
	pattern []*node
	// whole is the pattern in any case, as loose as the old one at both ends.
	whole []*node
	// narrower says that the old pattern also matched what only begins or ends like that.
	narrower bool
}

// mostKeys bounds the addresses and domains of one pattern.
const mostKeys = 500

// parseAddresses reads what stands behind "From:", false where it means no addresses.
func parseAddresses(value []*node) (a addresses, ok bool) {
	core, left, right, ok := addressCore(value)
	if !ok || len(core) == 0 {
		return a, false
	}
	a.whole = whole(core, left, right)
	if texts, few := textsOf(core, mostKeys); few {
		if a.keys, ok = keysOf(texts, left, right, &a.narrower); ok {
			return a, true
		}
	} else if a.keys, ok = domainsBelow(core, right, &a.narrower); ok {
		return a, true
	}
	if !oneAddress(core, left, right) {
		return a, false
	}
	a.pattern, a.narrower = a.whole, false
	return a, len(print(a.pattern)) < longestPattern
}

// whole is the pattern for an address that begins, ends where the old one says so.
func whole(core []*node, left, right bool) (pattern []*node) {
	if left {
		pattern = append(pattern, &node{op: begin})
	}
	pattern = append(pattern, core...)
	if right {
		pattern = append(pattern, &node{op: end})
	}
	return pattern
}

// addressCore leaves out what stands around the address. Left and right say that the address
// begins, ends there.
func addressCore(value []*node) (core []*node, left, right, ok bool) {
	core, left = slices.Clone(value), true
	for ; len(core) > 0; core = core[1:] {
		first := core[0]
		switch {
		case first.isGap():
			left = false
			continue
		case first.isBlank(), first.isOptional(`"`), first.isOptional("'"):
			continue
		case first.isOptional("<"), first.op == boundary:
			continue
		case first.op == class && first.set.within(` <"',:(`):
			left = left || !first.set.ascii['"'] && !first.set.ascii['\'']
			continue
		case first.op == literal:
			text := strings.TrimLeft(first.text, " ")
			if rest, found := strings.CutPrefix(text, "<"); found {
				left, text = true, rest
			}
			if text == "" {
				continue
			}
			core[0] = &node{op: literal, text: text}
		}
		break
	}
	right, ended := false, false
	for ; len(core) > 0; core = core[:len(core)-1] {
		last := core[len(core)-1]
		switch {
		case last.op == end:
			ended = true
			continue
		case last.isGap():
			ended, right = false, false
			continue
		case last.isBlank(), last.isOptional(`"`), last.op == boundary:
			continue
		case last.isOptional(">"):
			continue
		case last.op == class && last.set.within(`> ,;)`):
			right, ended = true, false
			continue
		case last.op == choice && last.endsAddress():
			right, ended = true, false
			continue
		case last.op == literal:
			text := strings.TrimRight(last.text, " ")
			if rest, found := strings.CutSuffix(text, ">"); found {
				right, ended, text = true, false, rest
			}
			if text == "" {
				continue
			}
			core[len(core)-1] = &node{op: literal, text: text}
		}
		break
	}
	return core, left, right || ended, true
}

// isOptional knows a sign that may stand there or not.
func (n *node) isOptional(sign string) bool {
	return n.op == repeat && n.min == 0 && n.sub[0].op == literal && n.sub[0].text == sign
}

// endsAddress knows (>|$) and the like.
func (n *node) endsAddress() bool {
	return !slices.ContainsFunc(n.sub, func(s *node) bool {
		return s.op != end && !s.isBlank() && (s.op != literal || s.text != ">") && (s.op != class || !s.set.within("> ,;)"))
	})
}

// keysOf turns texts into keys of a block list.
func keysOf(texts []string, left, right bool, narrower *bool) (keys []string, ok bool) {
	inexact := false
	for _, text := range texts {
		key, exact, ok := keyOf(text, left, right)
		if !ok {
			return nil, false
		}
		inexact = inexact || !exact
		keys = append(keys, key)
	}
	*narrower = inexact
	return joinDomains(keys), true
}

// keyOf is the key that one text means. Exact says that its left end does not matter.
func keyOf(text string, left, right bool) (key string, exact, ok bool) {
	local, domain, found := strings.Cut(text, "@")
	switch {
	case found && domain == "" && isLocalPart(local) && left:
		return text, true, true
	case found && local == "":
		return text, right, isDomain(domain)
	case found:
		return text, left && right, isLocalPart(local) && isDomain(domain)
	case strings.HasPrefix(text, "."):
		return text, right, isName(text[1:]) && (right || isSuffix(text[1:]))
	}
	// A name without a sign before it is a domain only if the world has such: john.doe is none.
	return text, false, !left && isDomain(text) && isSuffix(text) && (right || isUsual(text))
}

// joinDomains makes example.com of @example.com and .example.com.
func joinDomains(keys []string) (joined []string) {
	for _, key := range keys {
		bare := strings.TrimLeft(key, "@.")
		switch {
		case key[0] == '@' && slices.Contains(keys, "."+bare), key[0] == '.' && slices.Contains(keys, "@"+bare):
			key = bare
		}
		if !slices.Contains(joined, key) {
			joined = append(joined, key)
		}
	}
	return joined
}

// domainsBelow reads @.*\.example\.com (sub-domains) and @(.*\.)?example\.com (both).
func domainsBelow(core []*node, right bool, narrower *bool) (keys []string, ok bool) {
	if len(core) < 3 || core[0].op != literal || core[0].text != "@" {
		return nil, false
	}
	texts, few := textsOf(core[2:], mostKeys)
	if !few {
		return nil, false
	}
	*narrower = !right
	labels := core[1]
	both := isLabels(labels)
	if !both && !labels.isGap() {
		return nil, false
	}
	for _, text := range texts {
		switch {
		case both && isDomain(text):
			keys = append(keys, text)
		case !both && strings.HasPrefix(text, ".") && isName(text[1:]) && (right || isDomain(text[1:]) || isSuffix(text[1:])):
			keys = append(keys, text)
		default:
			return nil, false
		}
	}
	return keys, true
}

// isLabels knows (.*\.)? and ([a-z0-9-]+\.)*.
func isLabels(n *node) bool {
	if n.op != repeat || n.min != 0 || n.sub[0].op != sequence {
		return false
	}
	inner := n.sub[0].sub
	if len(inner) != 2 || inner[1].op != literal || inner[1].text != "." {
		return false
	}
	if inner[0].isGap() {
		return true
	}
	label := inner[0]
	return n.max == -1 && label.op == repeat && label.max == -1 && label.min < 2 && label.sub[0].op == class && label.sub[0].set.holds(lowerLetters+digits+"-")
}

// oneAddress reports whether a pattern stands within an address, so that it may be looked for there
// alone: it has an @ with nothing loose before it, or ends where the address ends.
func oneAddress(core []*node, left, right bool) bool {
	at := slices.IndexFunc(core, func(n *node) bool { return n.op == literal && strings.Contains(n.text, "@") })
	if at < 0 {
		return right && !left && core[0].op == literal && core[0].text[0] == '.'
	}
	for i, n := range core {
		if n.op == begin || n.op == end || i < at && n.isGap() {
			return false
		}
	}
	foreign := func(text string) bool { return strings.ContainsAny(text, "\"<>()[] ,;:") || !isASCII(text) }
	return !slices.ContainsFunc(core, func(n *node) bool { return n.needs(foreign) })
}

// isDomain knows names with a dot, isName those without one, too.
func isDomain(s string) bool { return strings.Contains(s, ".") && isName(s) }

func isName(s string) bool {
	for _, label := range strings.Split(s, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, lowerLetters+digits+"-_") != "" || label[0] == '-' {
			return false
		}
	}
	return len(s) < 254
}

// isSuffix reports whether a name ends as names in the world do, by the list of public suffixes.
func isSuffix(s string) bool {
	_, icann := publicsuffix.PublicSuffix(s)
	return icann
}

// isUsual reports whether a name ends as hardly anything but domains does.
func isUsual(s string) bool {
	switch top := s[strings.LastIndexByte(s, '.')+1:]; top {
	case "com", "net", "org", "info", "biz", "edu", "gov", "top", "xyz", "club", "online", "site", "click":
		return true
	default:
		return len(top) == 2
	}
}

func isLocalPart(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, lowerLetters+digits+"!$%&'*+-/=?^_`{|}~.") == "" && s[0] != '.' && s[0] != '*' && !strings.HasSuffix(s, ".")
}
