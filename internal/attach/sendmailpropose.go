package attach

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"mailweir/internal/mta/sendmail"
	"mailweir/internal/textfile"
)

// proposeSendmail reads from a Sendmail what mailweir is to know of it: the classes w and VirtHost
// (its own domains), R and the access map (whom and for whom it relays).
func proposeSendmail(cf *sendmail.CF) *Proposal {
	p := &Proposal{}
	local := &domains{names: make(map[string]string), proposal: p}
	trusted := &nets{proposal: p}
	trusted.trusted = append(trusted.trusted, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
	for _, class := range []string{"w", "VirtHost", "R"} {
		for _, word := range classWords(p, cf, class) {
			if prefix, ok := partialNet(word); ok {
				if class == "R" {
					trusted.take("class R", prefix, false)
				}
				continue
			}
			local.name(word, "class "+class, class == "R")
		}
	}
	access(p, cf, local, trusted)
	local.propose()
	trusted.propose("class R and the access map, what relays")
	if n, err := strconv.ParseInt(cf.Options["MaxMessageSize"], 10, 64); err == nil && n > 0 {
		p.line("size-max", strconv.FormatInt(n, 10), "MaxMessageSize; above it Sendmail refuses by itself")
	}
	p.comment("inbound-relays", "cidr:/etc/mailweir/inbound-relays", "a backup MX or gateway in front of this host",
		"only you know whether a backup MX or a gateway hands mail to this host; list their addresses there (ADDRESS OK)")
	return p
}

// classWords are the words of a class, those of its files too.
func classWords(p *Proposal, cf *sendmail.CF, class string) []string {
	words := slices.Clone(cf.Classes[class])
	for _, file := range cf.ClassFiles[class] {
		for field := range strings.FieldsSeq(file) {
			if !strings.HasPrefix(field, "/") {
				continue
			}
			text, err := textfile.ReadText(field)
			if err != nil {
				if !strings.Contains(file, "-o") {
					p.remark("class %s: %v", class, err)
				}
				continue
			}
			words = append(words, strings.Fields(withoutComments(string(text)))...)
		}
	}
	return words
}

// partialNet reads 192.0.2 as 192.0.2.0/24, as Sendmail does, and whole addresses.
func partialNet(word string) (netip.Prefix, bool) {
	word = strings.TrimPrefix(strings.Trim(word, "[]"), "IPv6:")
	if prefix, ok := parseNet(word); ok {
		return prefix, true
	}
	parts := strings.Split(strings.Trim(word, "."), ".")
	if len(parts) > 3 {
		return netip.Prefix{}, false
	}
	full := strings.Join(append(slices.Clone(parts), slices.Repeat([]string{"0"}, 4-len(parts))...), ".")
	return parseNet(fmt.Sprintf("%s/%d", full, 8*len(parts)))
}

// access reads the text of the access map: whoever has RELAY as a client is trusted, as a
// recipient's domain local.
func access(p *Proposal, cf *sendmail.CF, local *domains, trusted *nets) {
	i := strings.IndexByte(cf.Maps["access"], '/')
	if i < 0 {
		return
	}
	name := strings.Fields(cf.Maps["access"][i:])[0]
	text, err := textfile.ReadText(name)
	if err != nil {
		p.remark("access map: %v", err)
		return
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0][0] == '#' || !strings.EqualFold(words[1], "RELAY") {
			continue
		}
		tag, key, tagged := strings.Cut(words[0], ":")
		if !tagged || strings.Contains(key, ":") && tag != "Connect" {
			tag, key = "", words[0]
		}
		prefix, isNet := partialNet(key)
		switch {
		case isNet && (tag == "" || tag == "Connect"):
			trusted.take(name, prefix, false)
		case !isNet && (tag == "" || tag == "To"):
			local.name(key, name, true)
		}
	}
}
