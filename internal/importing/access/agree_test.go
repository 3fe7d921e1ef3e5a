package access

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	clientNames = []string{"example", "b.example", "mx.b.example", "a.mx.b.example", "c.example", "mx.c.example", "d.test", "mx.d.test", "unknown", "test"}
	addresses   = []string{"192.0.2.1", "192.0.2.2", "192.0.3.1", "192.1.2.3", "198.51.100.7", "2001:db8::1", "2001:db8:1::1", "2001:db8:1:2:3:4:5:6", "10.9.8.7"}
	mailboxes   = []string{"bob", "bob+x", "eve", "list+a+b", "list"}

	names   = rapid.SampledFrom(clientNames)
	pieces  = rapid.SampledFrom([]string{"192", "192.0", "192.0.2", "192.0.2.1", "192.0.3", "198.51.100.7", "2001", "2001:db8", "2001:db8:1", "2001:db8::1", "10"})
	boxes   = rapid.SampledFrom(mailboxes)
	actions = rapid.SampledFrom([]string{
		"REJECT", "REJECT", "REJECT 5.7.9", "REJECT because", "DEFER", "DEFER_IF_PERMIT", "550 5.1.1", "450", "OK", "OK", "RELAY", "DUNNO", "WARN", "HOLD", "DISCARD", "FILTER x:y", "PREPEND X-A: b",
	})
)

// mapLines are lines of which each says where it stands.
func mapLines(t *rapid.T, key *rapid.Generator[string], most int) string {
	var b strings.Builder
	for n := range rapid.IntRange(1, most).Draw(t, "lines") {
		fmt.Fprintf(&b, "%s %s n%d\n", key.Draw(t, "key"), actions.Draw(t, "action"), n+1)
	}
	return b.String()
}

func clientKey() *rapid.Generator[string] {
	return rapid.OneOf(names, rapid.Map(names, func(s string) string { return "." + s }), pieces, pieces)
}

func senderKey() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		local, domain := boxes.Draw(t, "local"), names.Draw(t, "domain")
		switch rapid.IntRange(0, 5).Draw(t, "form") {
		case 0:
			return local + "@"
		case 1:
			return domain
		case 2:
			return "." + domain
		case 3:
			return "<>"
		}
		return local + "@" + domain
	})
}

func pattern() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{
		`/b\.example$/`, `/^mx\./`, `/^bob/`, `/example/`, `!/example$/`, `/^192\.0\.2\./`, `/unknown/`, `/./`, `/^(.*)@/`, `/(?!x)e/`, `/\.test$/`, `/^<>$/`, `/^2001:/`,
		"if /example/\n/^mx/", "if !/b/\n/./", "if /(?!x)e/\n/^a/",
	})
}

func patternLines(t *rapid.T) string {
	var b strings.Builder
	line := 0
	for range rapid.IntRange(1, 8).Draw(t, "lines") {
		key := pattern().Draw(t, "pattern")
		line += 1 + strings.Count(key, "\n")
		fmt.Fprintf(&b, "%s %s n%d\n", key, actions.Draw(t, "action"), line)
		if strings.HasPrefix(key, "if") {
			line++
			b.WriteString("endif\n")
		}
	}
	return b.String()
}

func netLines(t *rapid.T) string {
	return mapLines(t, rapid.SampledFrom([]string{"192.0.2.0/24", "192.0.2.1", "192.0.0.0/16", "0.0.0.0/0", "2001:db8::/32", "2001:db8:1::/48", "!192.0.2.0/24", "10.9.0.0/24", "::/0", "10.9.8.1/24"}), 8)
}

// clients are all that there may be: more keys than a thousand in a hundred maps.
func clients() (list []subject) {
	for _, name := range clientNames {
		for _, address := range addresses {
			list = append(list, subject{name: name, ip: netip.MustParseAddr(address)})
		}
	}
	return list
}

func mails() (list []subject) {
	list = append(list, subject{sender: "<>"})
	for _, name := range clientNames {
		for _, box := range mailboxes {
			list = append(list, subject{sender: box + "@" + name})
		}
	}
	return list
}

// Of every client and sender mailweir's lists say what Postfix said, or less where import says so.
func TestListsAgree(t *testing.T) {
	t.Parallel()
	var trials []*trial
	for _, parents := range []bool{true, false} {
		for _, types := range [][]string{{"texthash"}, {"cidr"}, {"pcre"}, {"texthash", "cidr"}, {"cidr", "texthash", "texthash"}, {"pcre", "texthash"}} {
			trials = append(trials, newTrial(t, parents, "check_client_access", types...))
		}
		for _, types := range [][]string{{"texthash"}, {"texthash"}, {"pcre"}, {"texthash", "texthash"}, {"pcre", "texthash"}} {
			trials = append(trials, newTrial(t, parents, "check_sender_access", types...))
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		h := rapid.SampledFrom(trials).Draw(rt, "lists")
		key, subjects := clientKey(), clients
		if h.kind.word == "senders" {
			key, subjects = senderKey(), mails
		}
		for i, spec := range h.specs {
			text := ""
			switch kind, _, _ := strings.Cut(spec, ":"); kind {
			case "cidr":
				text = netLines(rt)
			case "pcre":
				text = patternLines(rt)
			default:
				text = mapLines(rt, key, 12)
			}
			h.write(t, fmt.Sprintf("map%d", i), text)
		}
		h.holds(rt, subjects())
	})
}

// What random maps seldom hit: an exception that stands in the way of what another look-up, or a
// later map, would find.
func TestListsAgreeWhereItIsHard(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, restriction string
		types, maps       []string
	}{
		{"a name passes before its address is asked", "check_client_access", []string{"pcre"}, []string{"/^192\\.0\\.2\\./ REJECT n1\n/example/ DUNNO n2\n"}},
		{"the same with two maps", "check_client_access", []string{"pcre", "texthash"}, []string{"/^192\\.0\\.2\\./ REJECT n1\n/example/ OK n2\n", "192 REJECT n1\n"}},
		{"a name is unlike every address", "check_client_access", []string{"pcre"}, []string{"/unknown/ DUNNO n1\n/^192/ REJECT n2\n"}},
		{"what puts off is lost, and a later map refuses", "check_client_access", []string{"pcre", "texthash"}, []string{"/(?!x)zzz/ HOLD n1\n/b\\.example/ DEFER n2\n", "b.example REJECT n1\n"}},
		{"a pattern that permits is lost", "check_sender_access", []string{"pcre", "texthash"}, []string{"/(?!x)bob/ OK n1\n/test$/ REJECT n2\n", "bob@ REJECT n1\n"}},
		{"a pattern that takes from a permit is lost", "check_sender_access", []string{"pcre"}, []string{"/(?!x)bob/ HOLD n1\n/test$/ OK n2\n"}},
		{"what is discarded", "check_sender_access", []string{"texthash", "texthash"}, []string{"test DISCARD n1\n", "bob@test REJECT n1\n"}},
		{"user@ behind a domain", "check_sender_access", []string{"texthash"}, []string{"bob@ REJECT n1\nb.example WARN n2\nlist@test HOLD n3\nlist+a+b@ REJECT n4\n"}},
		{"an address behind a name", "check_client_access", []string{"texthash"}, []string{"192.0 REJECT n1\nmx.b.example PREPEND X: y n2\nb.example OK n3\n"}},
		{"clients without a name", "check_client_access", []string{"texthash", "cidr"}, []string{"unknown OK n1\n192 REJECT n2\nexample REJECT n3\n", "192.0.2.0/24 REJECT n1\n"}},
	} {
		for _, parents := range []bool{true, false} {
			h := newTrial(t, parents, c.restriction, c.types...)
			for i, text := range c.maps {
				h.write(t, fmt.Sprintf("map%d", i), text)
			}
			subjects := clients()
			if h.kind.word == "senders" {
				subjects = mails()
			}
			t.Run(fmt.Sprint(c.name, " ", parents), func(t *testing.T) { h.holds(t, subjects) })
		}
	}
}

// An exception for an address with an extension stays whatever begins an extension.
func TestDelimiters(t *testing.T) {
	for _, c := range []struct {
		delimiters, key string
		stays           bool
	}{{"+", "bob+x@b.example", true}, {"-", "bob-x@b.example", true}, {"+-", "bob-x@b.example", true}, {"+", "bob-x@b.example", false}, {"", "bob+x@b.example", false}} {
		p := &projection{kind: "texthash", parents: true, delimiters: c.delimiters, lines: []*line{
			{entry: &entry{Key: "bob@b.example"}, act: &action{}, target: true}, {entry: &entry{Key: c.key}, act: &action{verb: ok}},
		}}
		if p.trim(func(*line) bool { return false }); len(p.lines) == 2 != c.stays {
			t.Errorf("%+v: %d lines stay", c, len(p.lines))
		}
	}
}
