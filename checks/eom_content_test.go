package checks

import (
	"strings"
	"testing"
)

func TestContent(t *testing.T) {
	const reply = "550 5.7.1 Message bounced due to Content Examination Policy"
	const refused = "end " + reply
	lottery := file(t, "lottery", "# what everyone has won\n!activation 10\n5:20 lottery\n10 regex win(ner)? +of +[0-9]+\n5 exclude raffle\n")
	definition := func(text string) string { return "--content-definition=" + file(t, "definition", text) }
	path := func(flag string) string { return strings.TrimPrefix(flag, "--content-definition=") }
	monitored := definition("!activation 1\n!action monitor\n1 lottery\n")
	deferred := definition("!activation 1\n!action defer\n1 lottery\n")
	tagged, held := definition("!activation 1\n!action tag\n1 lottery\n"), definition("!activation 1\n!action quarantine\n1 lottery\n")
	outbound := definition("!activation 1\n!direction outbound\n1 friday\n")
	toBoss := definition("!activation 1\n!to boss@ours.example\n1 friday\n")
	twice := letter{header: []string{"Subject: lottery"}, body: "The Lottery\r\n"}
	friday := letter{body: "on friday\r\n"}
	only(Content).play(t, []string{"--content-definition=" + lottery}, []scenario{
		{name: "score reached", mail: twice, said: refused, events: "content refused", cause: lottery + ": score 10 of 10, reject (" + lottery + ":3 ×2 in"},
		{name: "score not reached", mail: letter{body: "a lottery\r\n"}},
		{name: "part of a word", mail: letter{body: "lotterys lotterys lotterys\r\n"}},
		{name: "pattern", mail: letter{body: "you are winner of 1000\r\n"}, said: refused},
		{name: "over a line break", mail: letter{body: "you win\r\n of 1000\r\n"}},
		{name: "exclude", mail: letter{header: twice.header, body: "lottery, raffle\r\n"}},
		{name: "encoded", mail: letter{header: []string{"Content-Transfer-Encoding: base64", "Content-Type: text/plain"}, body: "bG90dGVyeSBsb3R0ZXJ5\r\n"}, said: refused},
		{name: "encoded subject", mail: letter{header: []string{"Subject: =?utf-8?b?bG90dGVyeSBsb3R0ZXJ5?="}}, said: refused},
		{name: "trusted", mail: letter{client: "127.0.0.1", header: twice.header, body: twice.body}, said: refused},
		{name: "permitted", flags: []string{"--permit-clients=static:OK"}, mail: twice, said: refused},
		{name: "abuse", mail: letter{to: []string{"abuse@ours.example"}, header: twice.header, body: twice.body}},
		{name: "bypass by sender", flags: []string{"--content-bypass=inline:{sender@else.example=OK}"}, mail: twice},
		{name: "bypass by client", flags: []string{"--content-bypass=inline:{192.0.2=OK}"}, mail: twice},
		{name: "DUNNO is no bypass", flags: []string{"--content-bypass=inline:{{sender@else.example=DUNNO}, {else.example=OK}}"}, mail: twice, said: refused},
		{name: "bypass by recipient", flags: []string{"--content-bypass=inline:{user@ours.example=OK}"}, mail: twice},
		{name: "bypass for one of two", flags: []string{"--content-bypass=inline:{user@ours.example=OK}"}, mail: letter{to: []string{"user@ours.example", "b@ours.example"}, header: twice.header, body: twice.body}, said: refused},
		{name: "monitor", flags: []string{"--content=monitor"}, mail: twice, events: "content would refuse"},
		{name: "defer", flags: []string{"--content=defer"}, mail: twice, said: "end 451 4.7.1 Message bounced due to Content Examination Policy"},
		{name: "!action monitor", flags: []string{monitored}, mail: letter{body: "lottery\r\n"}, events: "content would refuse"},
		{name: "!action defer", flags: []string{deferred}, mail: letter{body: "lottery\r\n"}, said: "end 451 4.7.1 Message bounced due to Content Examination Policy"},
		{name: "the strictest action counts", flags: []string{monitored, deferred}, mail: twice, said: refused},
		{name: "the strictest action counts, whatever the order", flags: []string{deferred, monitored}, mail: letter{body: "lottery\r\n"}, said: "end 451 4.7.1 Message bounced due to Content Examination Policy"},
		{name: "!action tag", flags: []string{tagged}, mail: letter{body: "lottery\r\n"}, said: "end change X-Mailweir-Content: definition", events: "content changed"},
		{name: "!action quarantine", flags: []string{held}, mail: letter{body: "lottery\r\n"}, said: "end change quarantine: content: definition", events: "content changed"},
		{name: "tag and quarantine together", flags: []string{tagged, held, monitored}, mail: letter{body: "lottery\r\n"}, said: "end change quarantine: content: definition; X-Mailweir-Content: definition", events: "content changed"},
		{name: "every definition that fires is named", flags: []string{tagged, held, deferred, monitored}, mail: twice, said: refused, cause: strings.Join([]string{
			lottery + ": score 10 of 10, reject (" + lottery + ":3 ×2 in subject body)", path(tagged) + ": score 2 of 1, tag (" + path(tagged) + ":3 ×2 in subject body)",
			path(held) + ": score 2 of 1, quarantine (" + path(held) + ":3 ×2 in subject body)", path(deferred) + ": score 2 of 1, defer (" + path(deferred) + ":3 ×2 in subject body)",
			path(monitored) + ": score 2 of 1, monitor (" + path(monitored) + ":3 ×2 in subject body)",
		}, "; ")},
		{name: "monitor beside tag", flags: []string{monitored, tagged}, mail: letter{body: "lottery\r\n"}, said: "end change X-Mailweir-Content: definition", events: "content changed", cause: "monitor (" + path(monitored) + ":3 ×1 in body); " + path(tagged)},
		{name: "two tags", flags: []string{tagged, "--content-definition=" + file(t, "second", "!activation 1\n!action tag\n1 lottery\n")}, mail: letter{body: "lottery\r\n"}, said: "end change X-Mailweir-Content: definition; X-Mailweir-Content: second", events: "content changed", cause: "/second:3 ×1"},
		{name: "two quarantines", flags: []string{held, "--content-definition=" + file(t, "second", "!activation 1\n!action quarantine\n1 lottery\n")}, mail: letter{body: "lottery\r\n"}, said: "end change quarantine: content: definition, second", events: "content changed", cause: "/second:3 ×1"},
		{name: "two that monitor", flags: []string{monitored, "--content-definition=" + file(t, "second", "!activation 1\n!action monitor\n1 lottery\n")}, mail: letter{body: "lottery\r\n"}, events: "content would refuse", cause: "/second:3 ×1"},
		{name: "definitions of others are named", flags: []string{toBoss, outbound}, mail: letter{to: []string{"user@ours.example", "boss@ours.example"}, header: twice.header, body: "lottery on friday\r\n"}, said: refused, cause: "subject body); " + path(toBoss)},
		{name: "those of the bypass are not", flags: []string{toBoss, "--content-bypass=inline:{boss@ours.example=OK}"}, mail: letter{to: []string{"user@ours.example", "boss@ours.example"}, body: "on friday\r\n"}},
		{name: "strictest of two recipients", flags: []string{deferred, toBoss}, mail: letter{to: []string{"user@ours.example", "boss@ours.example"}, body: "lottery on friday\r\n"}, said: refused},
		{name: "tag, monitored", flags: []string{tagged, "--content=monitor"}, mail: letter{body: "lottery\r\n"}, events: "content would refuse"},
		{name: "tag, deferred", flags: []string{tagged, "--content=defer"}, mail: letter{body: "lottery\r\n"}, events: "content would refuse"},
		{name: "tag and reject", flags: []string{tagged}, mail: twice, said: refused},
		{name: "!direction", flags: []string{outbound}, mail: friday},
		{name: "!direction outbound", flags: []string{outbound}, mail: letter{client: "127.0.0.1", to: []string{"a@else.example"}, body: friday.body}, said: refused},
		{name: "!to", flags: []string{toBoss}, mail: friday},
		{name: "!to one of two", flags: []string{toBoss}, mail: letter{to: []string{"user@ours.example", "boss@ours.example"}, body: friday.body}, said: refused},
		{name: "no memory", flags: []string{"--content-memory=1"}, mail: twice, events: "content could not tell"},
		{name: "no memory, deferred", flags: []string{"--content-memory=1", "--content-on-error=defer"}, mail: twice, said: "end 451 4.3.0 Unable to process email at this time"},
		{name: "local submission", mail: letter{client: "none", header: twice.header, body: twice.body}, said: refused},
	})
}

// The event names lines, never the text that matched.
func TestContentNamesNoText(t *testing.T) {
	p, err := only(Content).build(newWorld(), "--content-definition="+file(t, "d", "!activation 1\n1 regex secret-[0-9]+\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := scenario{mail: letter{body: "secret-4711\r\n"}, said: "end 550 5.7.1 Message bounced due to Content Examination Policy"}
	seen := c.check(t, p)
	if text := seen[0].Cause; strings.Contains(text, "4711") || !strings.Contains(text, ":2 ×1") {
		t.Errorf("cause %q", text)
	}
}

func TestContentErrors(t *testing.T) {
	wrong := file(t, "wrong", "!activation 1\n1 regex (\n")
	only(Content).wantError(t, wrong+":2: ", "--content-definition="+wrong)
	good := file(t, "good", "!activation 1\n1 x\n")
	only(Content).wantError(t, "--content-bypass", "--content-definition="+good, "--content-bypass=inline:{a@b.example=REJECT}")
}

// The name of a definition that tags or quarantines stands in the message or the MTA's log as it is.
func TestContentNames(t *testing.T) {
	const tag, hold = "!activation 1\n!action tag\n1 lottery\n", "!activation 1\n!action quarantine\n1 lottery\n"
	for _, name := range []string{"ünï.def", "a\nb.def", "a[b].def", strings.Repeat("x", 201) + ".def"} {
		for _, text := range []string{tag, hold} {
			only(Content).wantError(t, ": rename it", "--content-definition="+file(t, name, text))
		}
	}
	lottery := letter{body: "lottery\r\n"}
	only(Content).play(t, nil, []scenario{
		{name: "hidden file", flags: []string{"--content-definition=" + file(t, ".offers", tag)}, mail: lottery, said: "end change X-Mailweir-Content: .offers", events: "content changed"},
		{name: "a name with a blank", flags: []string{"--content-definition=" + file(t, "special offers.def", tag)}, mail: lottery, said: "end change X-Mailweir-Content: special offers", events: "content changed"},
		{name: "any name that is not shown", flags: []string{"--content-definition=" + file(t, "ünï.def", "!activation 1\n1 lottery\n")}, mail: lottery, said: "end 550 5.7.1 Message bounced due to Content Examination Policy"},
	})
	for _, c := range []struct {
		name          string
		first, second string
		want          int
	}{
		{"one name, two tags", file(t, "a.def", tag), file(t, "a.txt", tag), 1},
		{"two names", file(t, "a.def", tag), file(t, "b.def", tag), 0},
		{"one name, one tag", file(t, "a.def", tag), file(t, "a.def", hold), 0},
	} {
		p, err := only(Content).build(newWorld(), "--content-definition="+c.first, "--content-definition="+c.second)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range p.Remarks() {
			if strings.Contains(r, "rename one") && strings.Contains(r, c.first) && strings.Contains(r, c.second) {
				got = append(got, r)
			}
		}
		if p.Close(); len(got) != c.want {
			t.Errorf("%s: %q, want %d", c.name, got, c.want)
		}
	}
}
